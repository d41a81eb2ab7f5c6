// What the director, the honest crew and the attacks share: the board on which they count, the roles of what an attack
// is handed, and small helpers. No allocation, no C library.
#pragma once

#include <atomic>

#include "tests/guest/spawn.hpp"

namespace hostile {

using namespace aios;
using namespace guest;

inline constexpr std::uint64_t kMillisecond = 1'000'000;

// Roles of startup handles, beside those of the kernel.
inline constexpr auto kBoardRole = static_cast<StartupRole>(100); // memory: the board
inline constexpr auto kSharedRole =
    static_cast<StartupRole>(101); // memory: a page that the director revokes in the middle
inline constexpr auto kQueueRole = static_cast<StartupRole>(102);  // queue: the director's, write
inline constexpr auto kSourceRole = static_cast<StartupRole>(103); // channel: the director's, wait
inline constexpr auto kVictimRole = static_cast<StartupRole>(104); // channel: send to the director, who never receives

// The board: one line an agent of the crew, one for the attack. Written by one agent each.
struct alignas(64) CrewLine {
    std::atomic<std::uint64_t> units;     // of work done
    std::atomic<std::uint64_t> worst_gap; // nanoseconds between two units; the director sets it to 0
};
struct alignas(64) AttackLine {
    std::atomic<std::uint64_t> seen;   // the last word that the attack read in the shared page
    std::atomic<std::uint64_t> figure; // how far it got: what the attack counts
};
inline constexpr unsigned kCrew = 3;
struct Board {
    CrewLine crew[kCrew];
    AttackLine attack;
};

template <typename T>
T* map_memory(Handle memory, std::uint64_t bytes, std::uint64_t protection = kProtectRead | kProtectWrite) {
    const MapRequest request{0, bytes, 0, protection};
    const auto place = sys::memory_map(memory, &request);
    return place ? reinterpret_cast<T*>(*place) : nullptr; // SAFETY: just mapped, and at least that large
}

inline void sleep_until(std::uint64_t deadline) {
    const auto queue = owned(sys::queue_create(self));
    EventPacket packet;
    if (queue) (void)sys::event_wait(queue->get(), &packet, 1, deadline);
}
[[noreturn]] inline void rest() {
    for (;;)
        sleep_until(kNoDeadline);
}
[[noreturn]] inline void spin() {
    for (volatile std::uint64_t i = 0;; i = i + 1) {
    }
}

// A thread of this agent in `function(argument)`, on a stack of its own. False if the quota pays no more.
inline bool start_thread(void (*function)(std::uint64_t), std::uint64_t argument, std::uint64_t stack_bytes = 16384) {
    const auto stack = sys::agent_mem_alloc(self, stack_bytes, kProtectRead | kProtectWrite);
    return stack && sys::thread_create(self, address_of(function), *stack + stack_bytes - 8, argument);
}

inline std::string_view argument(unsigned index) {
    const char* at = reinterpret_cast<const char*>(startup->arguments); // SAFETY: put there by the kernel
    for (unsigned i = 0; i < startup->argument_count; ++i) {
        const std::string_view text(at);
        if (i == index) return text;
        at += text.size() + 1;
    }
    return {};
}

// What an attack is started with. The line on the board is where it counts.
struct Attack {
    AttackLine* line = nullptr;

    explicit Attack(const StartupBlock& block, std::string_view name) {
        init(block, name);
        if (Board* board = map_memory<Board>(handle(kBoardRole), sizeof(Board))) line = &board->attack;
    }
    void count(std::uint64_t more = 1) const {
        if (line != nullptr) line->figure.fetch_add(more, std::memory_order_relaxed);
    }
};

} // namespace hostile
