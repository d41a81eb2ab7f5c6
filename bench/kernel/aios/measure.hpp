// What the native programs of the benchmark share: the counter, the lines that the host reads, and the other agents.
//
// A line "BENCH name total count" gives a row's figure, total divided by count; "BENCH name fail why" says why there is
// none. Under -icount shift=0 the time stamp counter advances by one with each instruction, so ticks are instructions
// as long as the processor does not sleep.
#pragma once

#include "bench/kernel/window.h"
#include "tests/guest/spawn.hpp"

namespace bench {

using namespace aios;
using namespace guest;

inline constexpr std::uint64_t kReadWrite = kProtectRead | kProtectWrite;

inline std::uint64_t ticks() {
    std::uint32_t low, high;
    asm volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (std::uint64_t{high} << 32) | low;
}

inline void figure(std::string_view row, std::uint64_t total, std::uint64_t count) {
    console_print("BENCH {} {} {}\n", row, total, count);
}

// A call that has no business failing: says what failed and ends the program.
template <typename T>
T must(Result<T> result, std::string_view what) {
    if (!result) {
        console_print("BENCH {} fail {}: {}\n", program, what, error_info(result.error()).name);
        for (;;)
            (void)sys::agent_exit(1);
    }
    return std::move(*result);
}
// The length is given: what would count it runs in each turn of a loop that is measured.
#define MUST(call) ::bench::must((call), std::string_view(#call, sizeof(#call) - 1))

// `count` times `body`, after a tenth of that to warm up, and `rest`: what the operations leave behind for others.
template <BenchRow kRow, typename F, typename R>
std::uint64_t repeat(std::uint64_t count, F&& body, R&& rest) {
    for (std::uint64_t i = 0; i < count / 10 + 1; ++i)
        body();
    OPEN_WINDOW(kRow);
    const std::uint64_t begin = ticks();
    for (std::uint64_t i = 0; i < count; ++i)
        body();
    rest();
    const std::uint64_t took = ticks() - begin;
    CLOSE_WINDOW(kRow);
    return took;
}
template <BenchRow kRow, typename F>
std::uint64_t repeat(std::uint64_t count, F&& body) {
    return repeat<kRow>(count, body, [] {});
}

inline Message message_of(const void* bytes, std::uint64_t size) {
    Message message{};
    message.bytes = address_of(bytes);
    message.size = size;
    return message;
}

// Another agent of the benchmark, which is ended with its object.
class Peer {
public:
    // `arguments` are strings ended by NUL.
    static Peer start(std::string_view path, std::string_view arguments, std::initializer_list<HandleGrant> grants,
                      PersonalityKind personality = PersonalityKind::native, std::uint64_t memory = 8 << 20) {
        SpawnOptions options;
        options.arguments = arguments;
        options.quota = {memory, 256, 16, 0};
        options.handles = grants.begin();
        options.handle_count = static_cast<std::uint32_t>(grants.size());
        SpawnRequest request = make_request(path, options);
        request.personality = static_cast<std::uint32_t>(personality);
        return Peer(MUST(finish_spawn(sys::agent_spawn(self, &request))));
    }
    Peer() = default;
    Peer(Peer&&) = default;
    Peer& operator=(Peer&&) = default;
    ~Peer() {
        if (!agent_) return;
        (void)sys::agent_kill(agent_.get(), 9);
        (void)wait_dead(agent_.get());
    }
    [[nodiscard]] Handle agent() const { return agent_.get(); }

private:
    explicit Peer(OwnedHandle agent) : agent_(std::move(agent)) {}
    OwnedHandle agent_;
};

inline HandleGrant receive_side(Handle channel) {
    return grant(channel, rights::receive | rights::wait, StartupRole::broker_server);
}
inline HandleGrant send_side(Handle channel) { return grant(channel, rights::send, StartupRole::broker); }

// A page that agents share.
class Shared {
public:
    Shared() : memory_(MUST(sys::agent_pool_alloc(self, kPageBytes))), words_(map(memory_.get())) {}
    ~Shared() { (void)sys::agent_mem_free(self, address_of(words_), kPageBytes); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    static volatile std::uint64_t* map(Handle memory) {
        const MapRequest request{0, kPageBytes, 0, kReadWrite};
        // SAFETY: just mapped, for as long as the program lives or unmaps it
        return reinterpret_cast<volatile std::uint64_t*>(MUST(sys::memory_map(memory, &request)));
    }
    [[nodiscard]] HandleGrant granted() const {
        return grant(memory_.get(), rights::read | rights::write | rights::map, StartupRole::region);
    }
    volatile std::uint64_t& operator[](std::size_t index) const { return words_[index]; }

private:
    OwnedHandle memory_;
    volatile std::uint64_t* words_;
};

// In the variant `handles`: a handle goes in every tenth message.
inline bool gives_handles = false;
inline constexpr std::uint64_t kMessagesAHandle = 10;

// Words of the shared page: counters of the others lie a cache line apart, and one tells all to begin.
inline constexpr std::size_t kWordsApart = 8, kBegin = 508;

// Until all records so far are in the log's tree, the account is again what it was, and the agents below are reaped.
inline void settle(const AgentInfo& before) {
    LogInfo log{};
    (void)sys::log_info(handle(StartupRole::log), &log);
    for (unsigned i = 0; i < 100'000; ++i) {
        const AgentInfo held = info_of(self);
        if (held.memory_bytes <= before.memory_bytes && held.quota.memory_bytes >= before.quota.memory_bytes &&
            held.quota.handles >= before.quota.handles && held.quota.threads >= before.quota.threads &&
            held.quota.agents >= before.quota.agents)
            return;
        (void)sys::thread_yield();
    }
    console_print("BENCH {} fail what the operations used did not come back\n", program);
}

// The functions of the rows, by the files that hold them.
void null_call();       // calls.cpp
void derive_close();    //
void ipc_64();          // messages.cpp
void ipc_4k();          //
void ipc_64k();         //
void ipc_grant_64k();   //
void ipc_move_64k();    //
void one_way();         //
void switch_agents();   // agents.cpp
void spawn_first();     //
void spawn_reaped();    //
void anonymous_fault(); // memory.cpp
void idle_agent();      //
void timer_p99();       // timers.cpp
void near_deadline();   //
void interactive();     //
void cow_fault();       // programs.cpp
void thread_join();     //
void pairs();           // pairs.cpp

// The peer's.
std::uint64_t wait_of_bursts(); // bursts.cpp

} // namespace bench
