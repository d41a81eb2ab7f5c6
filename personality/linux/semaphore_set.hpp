// One set of System V semaphores; see system_v.hpp.
#pragma once

#include "base/intrusive_list.hpp"
#include "kernel/sched/wait_queue.hpp"
#include "personality/linux/system_v.hpp"

namespace aios::linux_abi {

struct Semaphore {
    std::int32_t value = 0;
    std::int32_t last = 0; // process that changed it last
};

// What is added to the semaphores of a set when a process ends (SEM_UNDO).
struct SemaphoreUndo {
    explicit SemaphoreUndo(mm::OwnedBytes numbers) : text(std::move(numbers)) {}
    ~SemaphoreUndo() = default;
    Reservation charge;
    ListNode node;
    std::int32_t pid = 0;
    mm::OwnedBytes text;
    // SAFETY: made with one number a semaphore; the heap aligns to 16.
    [[nodiscard]] std::int32_t* changes() const { return reinterpret_cast<std::int32_t*>(text.data()); }
};

// A thread that waits, on its stack: for semaphore `number` to become 0, or more.
struct SemaphoreWaiter {
    ListNode node;
    std::uint16_t number = 0;
    bool for_zero = false;
};

struct SemaphoreState { // struct semid64_ds
    IpcPermission permission;
    std::int64_t operated;
    std::uint64_t reserved0;
    std::int64_t changed;
    std::uint64_t reserved1, count, reserved2[2];
};
static_assert(sizeof(SemaphoreState) == 104);

struct SemaphoreSet final : IpcThing {
    static constexpr std::uint32_t kMost = 250, kMostOperations = 100; // SEMMSL, SEMOPM
    static constexpr std::int32_t kMostValue = 32767;                  // SEMVMX
    SemaphoreSet(mm::OnHeap, Reservation reservation, mm::OwnedBytes contents, std::uint32_t how_many)
        : IpcThing(std::move(reservation)), count(how_many), text(std::move(contents)) {
        for (std::uint32_t i = 0; i < count; ++i)
            of()[i] = {};
    }
    ~SemaphoreSet();
    void retain() { references.retain(); }
    void release() {
        if (references.release()) mm::destroy(this);
    }
    // SAFETY: made with room for `count` of them; the heap aligns to 16.
    [[nodiscard]] Semaphore* of() const { return reinterpret_cast<Semaphore*>(text.data()); }
    [[nodiscard]] SemaphoreUndo* undo_of(std::int32_t pid) {
        for (SemaphoreUndo& undo : undos)
            if (undo.pid == pid) return &undo;
        return nullptr;
    }
    const std::uint32_t count;
    const mm::OwnedBytes text;
    std::int64_t operated = 0; // seconds
    IntrusiveList<SemaphoreUndo, &SemaphoreUndo::node> undos;
    IntrusiveList<SemaphoreWaiter, &SemaphoreWaiter::node> waiters;
    sched::WaitQueue queue;
};

} // namespace aios::linux_abi
