// The sleeping lock: a waiter is put at the end and the lock is handed to the first one at unlock, so nobody overtakes.
// Blocks uninterruptibly: mutexes are held for bounded work of the kernel. Lock: its own spinlock, Rank::wait_queue.
#include "kernel/sched/thread.hpp"

namespace aios::sync {

namespace {
char g_boot_owner; // before there are threads, the boot code owns mutexes; nobody contends
}

HeldLocks* current_thread_locks() { return Thread::has_current() ? &Thread::current().held_mutexes : nullptr; }

void MutexCore::lock() {
    if (!Thread::has_current()) {
        AIOS_ASSERT(owner_.load(std::memory_order_relaxed) == nullptr);
        owner_.store(&g_boot_owner, std::memory_order_relaxed);
        return;
    }
    assert_may_block();
    Thread& me = Thread::current();
    MutexWaiter waiter;
    waiter.thread = &me;
    {
        SpinLock<Rank::wait_queue>::Guard guard(lock_);
        if (owner_.load(std::memory_order_relaxed) == nullptr) {
            owner_.store(&me, std::memory_order_relaxed);
            return;
        }
        AIOS_ASSERT(owner_.load(std::memory_order_relaxed) != &me); // not recursive
        waiters_.push_back(waiter);
    }
    for (;;) {
        sched::park(sched::kNever);
        SpinLock<Rank::wait_queue>::Guard guard(lock_); // also keeps `waiter` until the waker is done with it
        if (waiter.woken) return;
    }
}

bool MutexCore::try_lock() {
    void* me = Thread::has_current() ? static_cast<void*>(&Thread::current()) : &g_boot_owner;
    SpinLock<Rank::wait_queue>::Guard guard(lock_);
    if (owner_.load(std::memory_order_relaxed) != nullptr) return false;
    owner_.store(me, std::memory_order_relaxed);
    return true;
}

void MutexCore::unlock() {
    SpinLock<Rank::wait_queue>::Guard guard(lock_);
    MutexWaiter* next = waiters_.pop_front();
    owner_.store(next != nullptr ? next->thread : nullptr, std::memory_order_relaxed);
    if (next == nullptr) return;
    next->woken = true;
    sched::unpark(*static_cast<Thread*>(next->thread));
}

} // namespace aios::sync
