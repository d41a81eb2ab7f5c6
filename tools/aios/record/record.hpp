// What a run has told: the bodies of the guest's frames, checked and gathered. Quotations are compared with the
// documents as they come. Decoding is strict (abi/messages.cddl)
// and every collection has a limit, because the guest is not trusted with the host's memory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/owned.hpp"
#include "tools/aios/host/outcome.hpp"
#include "tools/aios/input/quotations.hpp"
#include "tools/aios/record/frames.hpp"

namespace aios::host {

using messages::Hash;

inline constexpr std::size_t kMaxRoutes = 100'000;
inline constexpr std::size_t kMaxAgents = 100'000;
inline constexpr std::size_t kMaxPassages = 10;
inline constexpr std::uint64_t kMaxAuditBytes = 1ull << 30;
inline constexpr std::size_t kConsoleKept = 16 << 10; // of each agent, the last bytes
inline constexpr std::size_t kMaxTroubles = 1000;
inline constexpr std::size_t kMaxMisquotes = 1000;

struct Passage {
    std::string file; // name of the document on the host, raw bytes
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    double score = 0;
    std::string text; // raw bytes
    Quotation found = Quotation::no_document;
};

struct Answer {
    bool answered = false;
    std::string text; // raw bytes
    std::string agent;
    std::vector<Passage> passages;
};

// A quotation that is not in the documents.
struct Misquote {
    std::uint64_t question = 0;
    std::string agent; // who quoted it; and who told it to the host, if that is another one: "visitor, told by desk"
    std::string text;  // "not in README.md lines 1-1: what was quoted", printable
};

struct Candidate {
    std::string agent;
    double score = 0;
};

struct Route {
    std::string intent;
    std::string agent; // empty: none fitted
    std::string why;
    std::vector<Candidate> candidates;
};

struct Remark { // who, and what was said
    std::string agent;
    std::string text;
};

// A refusal that the crew or a service met or made. What the kernel refused is in the audit log.
struct Refusal {
    std::string agent; // who was refused
    std::string text;
    std::string call;    // "intent.offer"; empty where it was told in words alone, as is
    std::string object;  // what it was about: "question.answer"
    std::string told_by; // the agent that told the host, as the kernel names it
};

// Something that went wrong with an agent, in the order in which it was told: a fault, or an end that nobody asked for.
struct Trouble {
    std::string agent;
    std::string text;
    std::size_t count = 1; // how often the same was told
};

struct Account : messages::owned::Account {
    bool after_done = false; // this account came when the job was done: the run itself was ending
};

struct BootFacts : messages::owned::BootFacts {
    // Time from the boot path's first instruction to the first user instruction.
    [[nodiscard]] double milliseconds() const;
};

using CheckCount = messages::owned::CheckCount;
using AuditHead = messages::owned::AuditHead;
using Done = messages::owned::Done;

struct RunRecord {
    std::map<std::uint64_t, Answer> answers; // by question
    std::vector<Route> routes;
    std::vector<Refusal> refusals;
    std::vector<Remark> notes; // faults, panics
    std::vector<Trouble> troubles;
    std::string progress; // what was under way last: "taking in documents: 12 of 25"
    std::string plan;
    std::map<std::uint64_t, Account> agents; // by id: the last account of each
    std::optional<BootFacts> boot;
    std::vector<CheckCount> checks;
    std::vector<std::string> audit; // encoded records in log order
    std::uint64_t audit_bytes = 0;
    std::optional<AuditHead> head;
    std::map<std::string, std::string> consoles; // by agent name: the last kConsoleKept bytes
    std::optional<Done> done;
    PackedDocuments documents;       // given beforehand: what answers are compared with
    std::uint64_t quotations = 0;    // that were compared
    std::uint64_t misquotations = 0; // of them
    std::vector<Misquote> misquotes; // the first kMaxMisquotes of these
};

// What is shown while the run goes on. Any may be empty.
struct RunEvents {
    std::function<void(std::string_view text, std::uint64_t done, std::uint64_t total)> progress;
    std::function<void(std::uint64_t question, const Answer&)> answer;
    std::function<void(std::string_view agent, std::string_view text)> console;
    std::function<void(const Remark&)> note;
    std::function<void()> booted;
};

// Takes one frame into `record`. `question_count` bounds the indices of answers.
[[nodiscard]] Outcome<> take_frame(const Frame& frame, std::size_t question_count, RunRecord& record,
                                   const RunEvents& events);

} // namespace aios::host
