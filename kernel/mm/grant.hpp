// Grant: pages on their way from one address space to another, in a message (docs/design/ipc.md). It holds a reference on
// each frame, and is charged to whoever granted: itself, and every page of the range, until somebody has taken them. No
// page table has a writable entry for any of these frames: nobody changes what is under way.
//
// GrantPlace: where a grant lies in a queued message or a call; the room is its owner's. GrantRoll: the grants of one space
// that lie in places. When the space ends it ends them too, so a message that nobody takes keeps neither memory nor quota of
// a dead agent. Who gets a grant that lies in a place, its taker or the end of its space, is decided by one exchange:
//   (1) put() takes the roll's lock. While the roll is open it links the grant, tells it its place, and fills the place.
//   (2) close() takes the same lock, for one grant at a time: unlinks it and exchanges the place. If it got the grant, the
//       grant forgets the place, and ends under no lock. If it got nothing a taker was faster, and the grant is his.
//   (3) take() exchanges first. If it got the grant, it takes the roll's lock and makes the grant forget the place; only
//       then may the place go. If it got nothing there was nothing, or close() was faster and is done with the place.
// The exchanges are acquire and release: what put() wrote to the grant is seen by whoever gets it. A grant in the hands of a
// thread lies nowhere: it is delivered, put back (not into a closed roll) or dropped soon. Lock: Rank::grants, under which
// nothing is taken; put() and take() may be called under a channel's lock, where no grant may end.
#pragma once

#include <atomic>

#include "abi/call_types.hpp"
#include "base/intrusive_list.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::mm {

class Grant;
class GrantPlace;
class GrantRoll;

class GrantRoll : Pinned {
public:
    static Result<Ref<GrantRoll>> create(Payer& payer); // charged to it. quota_exceeded, out_of_memory
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) destroy(this);
    }
    // Ends what lies in places; no grant of this roll is put into one any more. Under no lock; waits for none.
    void close();

    GrantRoll(OnHeap, Reservation charge) : charge_(std::move(charge)) {}
    ~GrantRoll();

private:
    friend class Grant;
    friend class GrantPlace;
    bool take_one(Owned<Grant>& ended); // a step of close(); false: none is left

    RefCount references_;
    Reservation charge_;
    using Lock = sync::SpinLock<sync::Rank::grants>;
    Lock lock_;
    Grant* first_ AIOS_GUARDED_BY(lock_) = nullptr; // linked through Grant::next_
    bool is_closed_ AIOS_GUARDED_BY(lock_) = false;
};

class Grant : Pinned {
public:
    static constexpr std::size_t kMostPages = kMaxGrantPages;

    // Of `pages` pages, none of them there yet. quota_exceeded, out_of_memory.
    static Result<Owned<Grant>> create(Payer& payer, std::uint32_t pages);
    [[nodiscard]] std::uint32_t pages() const { return pages_; }
    // By page of the range. No value: never touched by who granted it, so it reads as zeros.
    static constexpr arch::PhysAddr kUntouched{0};
    arch::PhysAddr frames[kMostPages]; // each with a reference, which is the grant's

    void enroll(Ref<GrantRoll> roll) { roll_ = std::move(roll); } // before it is put anywhere

    Grant(OnHeap, Reservation charge, std::uint32_t pages) : charge_(std::move(charge)), pages_(pages) {}
    ~Grant();

private:
    friend class GrantPlace;
    friend class GrantRoll;
    void unlink_locked() AIOS_REQUIRES(roll_->lock_);

    Reservation charge_;
    Ref<GrantRoll> roll_;
    const std::uint32_t pages_;
    GrantPlace* place_ AIOS_GUARDED_BY(roll_->lock_) = nullptr; // where it lies; it is linked exactly then
    Grant* next_ AIOS_GUARDED_BY(roll_->lock_) = nullptr;
    Grant* previous_ AIOS_GUARDED_BY(roll_->lock_) = nullptr;
};

class GrantPlace : Pinned {
public:
    GrantPlace() = default;
    ~GrantPlace() { (void)take(); } // what is still here ends
    // Into the empty place. Answers it if its space has ended: then it is for the caller to drop, under no lock.
    [[nodiscard]] Owned<Grant> put(Owned<Grant> grant);
    // Out again; nothing if there was nothing, or its space has ended. The caller holds no lock when he drops it.
    Owned<Grant> take();
    // Pages of the one that was put here last, also if it has ended meanwhile; 0: none ever. For the owner of the place.
    [[nodiscard]] std::uint32_t pages() const { return pages_; }
    [[nodiscard]] bool is_empty() const { return grant_.load(std::memory_order_relaxed) == nullptr; }

private:
    friend class GrantRoll;
    std::atomic<Grant*> grant_{nullptr}; // owns it
    std::uint32_t pages_ = 0;
};

} // namespace aios::mm
