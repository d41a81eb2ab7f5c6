// Who offers which intent, and the choice among them. Type is a hard filter. A request that names an intent goes to an
// offer of that intent or to nobody. A request by meaning first finds the intent that means it, above a floor; only
// then load decides, and only between offers of that one intent. The choice comes with a sentence that says why. Pure:
// no system calls, so that host tests can exercise it. Bounded by the limits below.
//
// Meaning. The nearest intents are found by the embedder's cosine. The floor is kept by words: a request fits an offer
// only if at least two of its words (stems, without function words), or all of them, are words of the offer's name or
// description, and these are at least kMinShare of it. One word in common ("open the front door", "opens or closes a
// valve") is an accident more often than not, and a wrong route costs more than a refusal, which names the nearest two
// so that the caller can ask for one by its name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/cognitive/embedder.hpp"
#include "runtime/orchestration/graph.hpp"

namespace aios::broker {

inline constexpr std::size_t kMaxOffers = 1024;
inline constexpr std::size_t kMaxOffersEach = 64; // of one agent
inline constexpr std::size_t kMaxDescriptionBytes = 512;
inline constexpr double kMinShare = 0.25; // of a request's words that an offer has to share

struct SlotType {
    std::string name;
    ipc::ValueType type;
    bool operator==(const SlotType&) const = default;
};

struct Offer {
    std::uint64_t agent = 0; // kernel's agent id: cannot be forged
    std::string agent_name;
    std::string intent;
    std::string description;
    std::vector<SlotType> inputs; // slots that a request must have
    orchestration::Action action; // what the planner sees; no effects = not for plans
    std::uint64_t capacity = 1;   // requests that it works on at once
    ipc::ByteString identity;     // what the kernel measured
};

struct Wanted {
    std::string intent = {};          // exact name, or empty
    std::string meaning = {};         // words, used when no name is given or nobody offers it
    std::vector<SlotType> slots = {}; // what the request will hold; empty = not said
    std::uint64_t not_agent = 0;      // whom to leave out (a retry), or 0
    std::string from = {};            // only an agent of this name, if given ...
    ipc::ByteString identity = {};    // ... and only one of this identity, if given
};

struct Candidate {
    const Offer* offer;
    double score;   // what is left of the agent: 1 / (1 + load)
    double meaning; // cosine, or 1 for an exact name
    double load;    // (waiting + working) / capacity
    std::uint64_t last_routed;
};

struct Choice {
    std::vector<Candidate> candidates; // offers of one intent, best first; valid until the registry changes
    std::string why;                   // a sentence about the first, or why none fits
};

class Registry {
public:
    explicit Registry(const cognitive::Embedder& embedder) : embedder_(embedder) {}

    // Adds or replaces the agent's offer of that intent. too_large above a limit, bad_format for an empty or overlong
    // name.
    Result<> offer(Offer offer);
    void withdraw(std::uint64_t agent, std::string_view intent);
    void agent_ended(std::uint64_t agent);
    // Requests waiting at the agent and being worked on, as it last said.
    void report_load(std::uint64_t agent, std::uint64_t requests);
    // A request was routed to it: counted until the next report of its load, so that a burst spreads.
    void routed(std::uint64_t agent);

    [[nodiscard]] Choice choose(const Wanted& wanted) const;
    [[nodiscard]] std::vector<const Offer*> all() const;

private:
    struct Entry {
        Offer offer;
        cognitive::Vector vector;
        std::vector<std::string> words; // stems of name and description, sorted
    };
    struct Load {
        std::uint64_t agent;
        std::uint64_t requests;
        std::uint64_t last_routed; // a counter: among equals the agent that has rested longest goes first
    };
    // The intent that means what is wanted, and how near it is; and if none does, the sentence for `why`.
    struct Meant {
        const Entry* entry = nullptr; // its nearest offer
        double fit = 0;
    };
    [[nodiscard]] Meant find_meant(const Wanted& wanted, std::string& why) const;
    [[nodiscard]] bool is_asked_for(const Offer& offer, const Wanted& wanted) const;
    [[nodiscard]] const Load* load_entry(std::uint64_t agent) const;
    Load* make_load(std::uint64_t agent);
    const cognitive::Embedder& embedder_;
    std::vector<Entry> entries_;
    std::vector<Load> loads_; // at most one for each agent with an offer
    std::uint64_t routings_ = 0;
};

} // namespace aios::broker
