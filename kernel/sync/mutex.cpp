// The sleeping lock: a waiter is put at the end and the lock is handed to the first one at unlock, so nobody overtakes.
// Blocks uninterruptibly: mutexes are held for bounded work of the kernel. Lock: its own spinlock, Rank::mutex_waiters.
//
// The word says who owns it, and whether somebody waits. A mutex that nobody contends costs two exchanges:
//   (1) Nobody's and unmarked: lock() makes it ours, unlock() makes it nobody's, each in one step.
//   (2) Who finds it owned marks it under the spinlock, and joins the list under the same hold. Was it let go meanwhile,
//       the mark finds the word empty, and (1) is tried again.
//   (3) The owner of a marked word fails in (1) and takes the spinlock. It finds the waiter there, because mark and list
//       change under one hold, and writes the next owner, marked if others are left: the word is never empty while
//       somebody waits, so nobody overtakes by (1).
//   (4) It notes in the waiter that the mutex is its own, and wakes it, still under the spinlock. The waiter sleeps until it
//       finds that note under the same spinlock. So an early wake-up is no harm, the last one is not lost (the note comes
//       before unpark(), whose token park() finds), and the waiter, which is on a stack, stays until its waker has let the
//       spinlock go.
// What the owner wrote is seen by the next one: in (1) the release by unlock() pairs with the acquire by lock(); in (4) the
// spinlock's own release and acquire do it.
#include "kernel/arch/arch.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::sync {

namespace {
alignas(2) char g_boot_owner; // before there are threads, the boot code owns mutexes; nobody contends

// SAFETY: owners are aligned, so the lowest bit is free; a marked word is compared and never followed.
void* marked(void* owner) { return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(owner) | 1); }
void* owner_in(void* word) {
    return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(word) & ~std::uintptr_t{1});
}

void* caller() {
    void* const thread = arch::current_thread();
    return thread != nullptr ? thread : &g_boot_owner;
}
} // namespace

void MutexCore::lock() {
    void* const me = arch::current_thread();
    if (me == nullptr) {
        AIOS_ASSERT(owner_.load(std::memory_order_relaxed) == nullptr);
        owner_.store(&g_boot_owner, std::memory_order_relaxed);
        return;
    }
    assert_may_block();
    void* word = nullptr;
    // (1) acquire, here and below: pairs with the release in unlock(). A failure reads nothing that it goes by.
    if (!owner_.compare_exchange_strong(word, me, std::memory_order_acquire, std::memory_order_relaxed)) [[unlikely]]
        wait_for(me);
}

void MutexCore::wait_for(void* me) {
    MutexWaiter waiter;
    waiter.thread = me;
    {
        SpinLock<Rank::mutex_waiters>::Guard guard(lock_); // (2)
        for (void* word = owner_.load(std::memory_order_relaxed);;) {
            AIOS_ASSERT(owner_in(word) != me); // not recursive
            void* const wanted = word == nullptr ? me : marked(word);
            if (!owner_.compare_exchange_weak(word, wanted, std::memory_order_acquire, std::memory_order_relaxed))
                continue;
            if (wanted == me) return;
            break;
        }
        waiters_.push_back(waiter);
    }
    for (;;) {
        upcall::park();                                    // (4)
        SpinLock<Rank::mutex_waiters>::Guard guard(lock_); // also keeps `waiter` until the waker is done with it
        if (waiter.woken) return;
    }
}

// seq_cst here and in unlock(): who finds it taken leaves the work to the owner, who looks for work once more when he has
// let it go (mm/address_space_notice.cpp). One of the two sees what the other wrote before.
bool MutexCore::try_lock() {
    void* const me = caller();
    void* word = nullptr;
    return owner_.compare_exchange_strong(word, me, std::memory_order_seq_cst, std::memory_order_seq_cst);
}

void MutexCore::unlock() {
    void* word = caller();
    if (owner_.compare_exchange_strong(word, nullptr, std::memory_order_seq_cst, std::memory_order_relaxed)) [[likely]]
        return;
    hand_on(word); // (3)
}

// The word is marked, or the boot code took the mutex before there were threads.
void MutexCore::hand_on(void* word) {
    SpinLock<Rank::mutex_waiters>::Guard guard(lock_);
    MutexWaiter* next = waiters_.pop_front();
    if (next == nullptr) {
        AIOS_ASSERT(word == &g_boot_owner);
        owner_.store(nullptr, std::memory_order_release);
        return;
    }
    owner_.store(waiters_.is_empty() ? next->thread : marked(next->thread), std::memory_order_seq_cst);
    next->woken = true; // (4) before the wake-up
    upcall::unpark(next->thread);
}

} // namespace aios::sync
