// A kernel for the supervisor's tests: it answers the native calls that a supervisor makes, in virtual time, for one
// caller. Agents are scripts: how long they load, when they say "ready", when and how they end. One of them may be
// identityd, which serves the identity channel, one request after the other, and may end in the middle of one.
//
// It watches what must never happen: two living agents of one name, and an agent that is spawned before what it needs
// is there (on_spawn). When nothing can happen any more event_wait throws Quiet, which ends the supervisor's run.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "abi/call_types.hpp"
#include "base/types.hpp"
#include "runtime/kernel/handle.hpp"

namespace aios::test {

inline constexpr std::uint64_t kMs = 1'000'000;

struct Quiet {};

struct Channel;
struct Queue;

struct Object {
    virtual ~Object() = default;
    std::uint64_t level = 0; // signals that hold
};

// What an agent does, in the order of its life.
struct Script {
    Error spawn_error{};                             // AgentSpawn itself is refused
    Error load_error{};                              // the operation fails
    std::uint64_t load_ns = 1 * kMs;                 // from the spawn to the end of the operation
    std::optional<std::uint64_t> ready_ns = 2 * kMs; // from its first instruction to "ready"
    std::optional<std::uint64_t> end_ns;             // from its first instruction to its end
    EndReason end_reason = EndReason::exited;
    std::uint64_t end_status = 0;
    std::string last_words;   // a message of this kind before the end
    std::uint64_t tokens = 0; // that it spends
};

enum class CrashPhase { before_registering, before_answering, after_answering };

struct FakeAgent : Object {
    std::string name;
    std::uint32_t start = 0; // of this name so far
    Script script;
    std::uint64_t memory = 0, tokens = 0;
    std::uint64_t hint = 0; // that the supervisor gave
    bool may_hint = true;   // itself
    AgentState state = AgentState::created;
    bool is_loaded = false, awaits_identity = false, has_identity = false;
    bool said_ready = false;
    bool is_identityd = false;
    bool kill_called = false; // by the supervisor, before or after its end
    EndReason reason{};
    std::uint64_t status = 0, end_ns = 0;
    std::shared_ptr<Channel> parent;
    std::vector<std::shared_ptr<Channel>> answers_in_hand;
    [[nodiscard]] bool is_alive() const { return state != AgentState::dead; }
};

class FakeKernel {
public:
    explicit FakeKernel(std::vector<std::byte> description);
    ~FakeKernel();
    FakeKernel(const FakeKernel&) = delete;
    FakeKernel& operator=(const FakeKernel&) = delete;

    // What the next agent of that name does. Called at each spawn.
    std::function<Script(const std::string& name, std::uint32_t start)> script;
    // Called before an agent comes to be.
    std::function<void(const std::string& name)> on_spawn;
    // identityd: time for a request, and the requests (counted over all its lives, from 1) in which it ends.
    std::uint64_t register_ns = 1 * kMs;
    std::map<std::uint64_t, CrashPhase> identityd_crashes;
    bool identityd_answers = true;
    std::size_t identity_room = 256; // messages that wait for it at most
    bool identityd_refuses = false;
    std::uint64_t memory_limit = ~0ull, token_limit = 1000;
    std::uint64_t return_ns = 0; // from an agent's end until its memory is back
    std::uint64_t program_bytes = 100 << 10;
    std::uint64_t horizon_ns = ~0ull; // event_wait throws Quiet when it would go beyond

    void at(std::uint64_t time_ns, std::function<void()> what);
    void end(const std::shared_ptr<FakeAgent>& agent, EndReason reason, std::uint64_t status);
    void say(const std::shared_ptr<FakeAgent>& agent, const char* kind, bool is_ok = true);
    [[nodiscard]] std::shared_ptr<FakeAgent> newest(const std::string& name) const;
    [[nodiscard]] std::size_t living() const;
    [[nodiscard]] std::uint64_t now() const { return now_; }
    [[nodiscard]] std::size_t open_handles() const { return handles_.size(); }
    [[nodiscard]] const std::vector<std::shared_ptr<FakeAgent>>& agents() const { return agents_; }
    [[nodiscard]] std::uint64_t refused_starts(const std::string& name) const;
    [[nodiscard]] const std::string& console() const { return console_; }
    // "start a, end a, kill b, ready b": what happened, in order.
    [[nodiscard]] const std::string& trace() const { return trace_; }

    [[nodiscard]] StartupBlock startup() const;
    [[nodiscard]] Handle identity_channel() const { return kIdentity; }

    std::int64_t call(std::uint64_t number, const std::uint64_t (&arguments)[6]);

private:
    static constexpr Handle kSelf = 1, kBundle = 2, kConsole = 3, kIdentity = 4;
    struct Held {
        std::shared_ptr<Object> object;
        std::uint64_t rights;
    };
    struct Registration {
        std::shared_ptr<Object> object;
        std::uint64_t signals, key;
        std::uint64_t pending = 0;
        Handle through = kNoHandle; // ends with it
    };
    struct Later {
        std::uint64_t time, order;
        std::function<void()> what;
        bool operator<(const Later& other) const {
            return time != other.time ? time > other.time : order > other.order;
        }
    };

    Handle hold(std::shared_ptr<Object> object, std::uint64_t rights);
    void close(Handle handle);
    template <typename T>
    std::shared_ptr<T> find(Handle handle);
    void set_level(Object& object, std::uint64_t signals);
    void add_sender(const std::shared_ptr<Channel>& channel, int change);

    std::int64_t spawn(const SpawnRequest& request);
    void loaded(const std::shared_ptr<FakeAgent>& agent);
    void runs(const std::shared_ptr<FakeAgent>& agent);
    std::int64_t send(Channel& channel, const Message& message);
    std::int64_t receive(Channel& channel, Message& message);
    std::int64_t wait(EventPacket* packets, std::uint64_t capacity, std::uint64_t deadline);
    void info(Handle handle, AgentInfo& out);
    void serve_identities();
    void serve_identity(const std::shared_ptr<FakeAgent>& server, std::shared_ptr<FakeAgent> subject,
                        std::shared_ptr<Channel> answer);

    std::vector<std::byte> description_;
    FakeKernel* before_; // the one that answered calls before this one
    std::uint64_t now_ = 0, order_ = 0, memory_used_ = 0;
    Handle next_handle_ = 100;
    std::map<Handle, Held> handles_;
    std::map<std::uint64_t, Registration> registrations_; // by key: one queue
    std::vector<std::unique_ptr<std::byte[]>> memory_;
    std::priority_queue<Later> later_;
    std::vector<std::shared_ptr<FakeAgent>> agents_;
    std::map<std::string, std::uint32_t> starts_, refused_;
    std::uint64_t identity_requests_ = 0;
    bool is_serving_ = false;
    std::string console_, trace_;
};

} // namespace aios::test
