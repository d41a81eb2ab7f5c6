// Supervisor: starts the units of a description in the order of their needs, in parallel where it can; gives each only
// its grants; lets identityd name it; waits for ready messages; restarts by policy; and at the end stops them in
// reverse order. initd supervises the services with it and agentsupervisor the crew. No C library is needed; one
// thread.
//
// It never waits in anybody else: everything comes through one event queue, and event_wait is the only call that
// blocks. The way of a unit, each step taken when the event of the step before has come:
//  (1) start_unit: a channel for its messages to us, and the spawn.
//  (2) spawned: the agent is there, and its end is watched from now on.
//  (3) ask_for_identity: identityd gets a handle on the agent and one on a channel for its answer. When identityd ends
//      with the question in its hands, the channel closes, and the next identityd is asked. There has to be a next one:
//      an identityd that ends has failed, whatever its status, because nobody could start after it.
//  (4) identified, then its message "ready". There is a time for that, from when the unit may run; who is late is
//      killed, and its start has failed.
// A unit may have to stop at any of these steps. `stop_wanted` says so: a unit that has an agent is killed at once, one
// whose spawn is under way as soon as the spawn is over. Either way let_go() is reached, and only there is the unit's
// place free again.
//
// The run is over when a unit says "done" or "failed", when a unit has failed for good that is essential, or when no
// unit is left.
#pragma once

#include "crypto/sha2.hpp"
#include "runtime/kernel/console.hpp"
#include "runtime/orchestration/unit_states.hpp"

namespace aios::orchestration {

inline constexpr std::uint64_t kStopPatience = 2'000'000'000;      // ns until a killed unit is left behind
inline constexpr std::uint64_t kIdentityPatience = 30'000'000'000; // ns until identityd has answered

constexpr std::uint32_t number_of(StartupRole role) { return static_cast<std::uint32_t>(role); }

struct UnitHandles {
    OwnedHandle operation; // spawn under way
    OwnedHandle agent;
    OwnedHandle parent;                        // receive side of the unit's channel to us
    OwnedHandle answer;                        // receive side of the channel for identityd's answer
    std::uint64_t answer_due_ns = kNoDeadline; // without a channel: when identityd is asked again, its queue was full
    std::uint64_t asked_since_ns = kNoDeadline;
    std::uint64_t ready_due_ns = kNoDeadline; // when it must have said "ready"; without a time: not waited for
    bool is_late = false;                     // that time has passed, and it is being ended for it
    bool stop_wanted = false;
    std::optional<Error> start_error; // it is being ended because its start did not work out
};

// Events carry which unit and what.
enum class EventKind : std::uint64_t { spawned = 1, message = 2, ended = 3, identified = 4 };
constexpr std::uint64_t event_key(EventKind kind, std::size_t unit) {
    return static_cast<std::uint64_t>(kind) << 32 | unit;
}

// Where the handles come from that units are granted.
class HandleSource {
public:
    // The handle from which a grant of that role derives; not_found if there is none.
    virtual Result<Handle> handle_for(std::uint32_t role) = 0;
    // The description was read; what it asks for beyond units (a region) can be made.
    virtual Result<> prepare(const SystemDescription& description) = 0;

protected:
    ~HandleSource() = default;
};

class Supervisor {
public:
    // `name` is for messages, `path` the description in the bundle. All must outlive the supervisor.
    Supervisor(const StartupBlock& startup, std::string_view name, std::string_view path, HandleSource& source)
        : startup_(startup), name_(name), path_(path), source_(source) {}

    struct End {
        bool is_ok;
        std::string_view text; // a sentence, valid as long as the supervisor
    };
    End run();

private:
    using Words = char[256];

    // supervisor_prepare.cpp
    Result<> prepare(); // queue, description, tables, region
    Result<> read_description(Bytes bytes);
    // supervisor_start.cpp
    void start_what_can();
    Result<> start_unit(std::size_t unit);
    Result<> spawned(std::size_t unit); // the operation is done
    [[nodiscard]] static bool serves_identity(const Unit& unit);
    [[nodiscard]] bool awaits_identity(const Unit& unit);
    void may_run(std::size_t unit);                    // its time to become ready begins
    void end_late_units();                             // whose time to become ready is over
    void not_started(std::size_t unit, Error error);   // at any step; its agent, if any, is ended first
    void never_started(std::size_t unit, Error error); // and now nothing is left of it
    [[nodiscard]] std::string_view why_not_started(Words& words, std::size_t unit, Error error) const;
    // supervisor_identity.cpp
    Result<> ask_for_identity(std::size_t unit);
    Result<> identified(std::size_t unit); // the answer is there, or the channel for it is closed
    void close_answer(std::size_t unit);
    [[nodiscard]] std::uint64_t next_due() const; // of an answer of identityd, or of a message "ready"
    void give_up_late_answers();
    // supervisor.cpp
    void wait_and_handle(std::uint64_t deadline);
    void handle(const EventPacket& packet);
    void read_messages(std::size_t unit);
    void read_message(std::size_t unit, Bytes bytes);
    void ended(std::size_t unit);
    void stop(std::size_t unit);
    void stop_all();
    // supervisor_end.cpp
    void over(std::size_t unit, Ending ending, std::string_view why);
    void let_go(std::size_t unit);
    void fail_doomed();
    void finish_without_word();
    static void keep_unspent(QuotaGrant& quota, const AgentInfo& info);
    [[nodiscard]] std::string_view why_unready(Words& words, std::size_t unit) const;
    [[nodiscard]] std::string_view why_ended(Words& words, std::size_t unit, const AgentInfo& info) const;
    void fail_with(std::string_view what, std::string_view unit, Error error);

    template <typename... Args>
    void finish(bool is_ok, FormatString<std::type_identity_t<Args>...> format, const Args&... args) {
        if (!finished_) sentence_ = aios::format_to(text_, format, args...); // the first reason counts
        is_ok_ = is_ok_ && is_ok;
        finished_ = true;
    }

    [[nodiscard]] Handle self() const { return find_handle(startup_, StartupRole::self); }
    [[nodiscard]] std::string_view name_of(std::size_t unit) const { return description_.units[unit].name; }
    [[nodiscard]] static std::uint64_t now_ns();

    const StartupBlock& startup_;
    std::string_view name_, path_;
    HandleSource& source_;
    SystemDescription description_;
    UnitStates states_;
    std::span<UnitHandles> units_;
    std::span<std::uint32_t> starts_;   // of each unit so far; the program is told (--start=N)
    crypto::Sha256::Digest manifest_{}; // of the system description
    OwnedHandle queue_;
    OwnedHandle description_file_; // its mapping lasts as long as it does
    bool finished_ = false;
    bool is_ok_ = true;
    char text_[512];
    std::string_view sentence_;
    std::byte message_[kMaxMessageBytes];
};

} // namespace aios::orchestration
