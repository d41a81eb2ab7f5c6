// EventQueue: one wait for messages, timers, ends of children, finished operations and other queues. A registration
// (source, signals, mode, key) preallocates its one packet, charged to the registrant; posts coalesce into it with a
// count.
//
// Who owns what. A source owns its levels, which change under its object's lock, and the list of its listeners, which
// changes under the source's lock. A queue owns, under its lock, the tree of its registrations by key, the list of those
// that are ready, and its own level `readable`, which is set exactly while that list is not empty. A registration stands
// in source and queue or in neither: it is linked and unlinked under both locks. Neither side keeps the other alive.
//
// Why no wake-up is lost. Between a source that raises a level and one who registers:
//  (1) The registrar counts itself at the source (Source::count_), and then reads the levels. What is set it tells
//      itself at once.
//  (2) Whoever raises a level writes the levels, and then reads the count. If that is not 0 it takes the source's lock
//      and tells every listener. All four accesses are sequentially consistent: each side writes before it reads, so
//      not both can miss. A level that is set already is not written again: the write that set it stands for (2), so
//      a registrar that the second one misses has seen it.
//  Between a source that tells and a thread that waits:
//  (3) The source notes the signals in the registration and puts that in the ready list under the queue's lock
//      (deliver), and then wakes one thread of the queue.
//  (4) A thread puts itself in the wait queue, looks at the ready list under the queue's lock, and sleeps only then
//      (sched/wait_queue.hpp): it finds the registration, or (3) finds the thread.
//  (5) A wake-up is spent on one thread. A thread that leaves, for whatever reason, looks again and wakes the next one
//      if something is still ready.
//  Between a level and the thread that takes a packet:
//  (6) A state that was noted may be over. Under the queue's lock the registration leaves the ready list first, and the
//      levels are read afterwards, once; a state that is not set is not told. If it is set again later, (2) comes again,
//      and (3) waits for our lock and puts the registration back. So dropping it loses nothing.
//  (7) A registration that repeats is put at the end of the ready list again under the same hold of the lock. One of
//      mode once is disarmed under it, so that of two CPUs one alone finds it armed.
//  Between a registration and the end of its handle:
//  (8) The registrar counts itself, as in (1), and then looks whether the handle is held. Whoever ends the handle
//      writes that first (mm::Authority) and then reads the count (Source::drop_ended): as in (2), not both can miss.
//
// Queues in queues.
//  (9) A queue that becomes readable by (3) while it has listeners of its own is not told under the source's lock: its
//      name goes on the poster's list (QueueNames), by number and without a reference. When the source's lock is
//      dropped the poster takes the lock of the queue's own source. A queue that ended has taken itself out of what
//      stands under that lock, and is not found; one that is found cannot go before the lock is dropped. Its listeners
//      are told as in (2) and (3), which may put one more name on the list. So nobody holds two locks of sources, and a
//      poster never drops the last reference of anything.
// (10) The queue's level is raised under its lock, before the count of its listeners is read (deliver): that is (2), so
//      the list needs only those queues that had listeners. The level goes when the ready list becomes empty, in
//      whatever way (taken, cancelled, ended): the outer registration is then not told, by (6).
// (11) Only the step from empty to not empty is told to those who wait for the queue, so an inner queue that is flooded
//      and not read wakes nobody. A queue stands in one other, chains have at most 5, and none is a circle: this is
//      checked under both locks, where the registration is linked (nesting.hpp).
// Bounds. One hold of a source's lock tells at most 64 listeners, and one post makes at most 1 + 64 * 5 holds, the
// others of at most 4 listeners each: 64 + 1,280 calls, and interrupts are on between the holds where the poster has no
// lock. A timer tells 4 + 16 in its interrupt, some 800 instructions each if a thread waits there. Delivery takes from the front of the ready list and what repeats goes
// to the back, so no source starves another.
//
// A registration goes with its queue, its source, the handle it was made through or the agent that made it. Locks:
// Rank::event_source, then Rank::event_queue, then Rank::registrant, Rank::nesting or Rank::wait_queue.
#pragma once

#include <span>

#include "kernel/event/nesting.hpp"
#include "kernel/event/registration.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::event {

struct SourcePlace; // source_lock.hpp

class EventQueue final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::queue;
    static constexpr std::size_t kMaxPacketsPerWait = 64; // of a native call

    static Result<Ref<EventQueue>> create(Payer& payer);

    // Registers for `signals` (kSignal..., with at most one kMode...) of `object`, which the caller reached through the
    // derivation `node` (rights::wait). The registration ends with the handle that has it, and with `registrant`, the
    // caller's agent. Signals that are set already are delivered at once. One registration a key; one of mode once is
    // armed again by a second call with the same object, node and mode. wrong_type (no events, or the queue itself),
    // bad_argument (no or unknown signals, two modes), already_exists (key), no_space (the source has all the listeners
    // that it takes), busy (`object` is a queue that stands in one already), too_deep (queues in a circle, or more than
    // Nesting::kMaxDepth), quota_exceeded, out_of_memory, revoked; bad_handle: the handle was closed meanwhile.
    Result<> add(Payer& payer, Object& object, std::uint64_t signals, std::uint64_t key, Ref<cap::DerivationNode> node,
                 Registrant* registrant = nullptr);
    // The same for code of the kernel that has no handle: a source that it keeps alive for the time of the call, and the
    // queue whose own source that is, or nullptr. A mode once is not armed again by it.
    Result<> listen(Payer& payer, Source& source, EventQueue* inner, Interest interest, std::uint64_t key);
    // Other signals, another mode, and armed again; what is set is told. not_found.
    Result<> change(std::uint64_t key, Interest interest);
    Result<> cancel(std::uint64_t key); // not_found; its undelivered packet goes too
    // Whether a wait would find something now. What is ready because of a state that is over is dropped, so the queue's
    // own level is true afterwards.
    bool settle();

    // Takes up to packets.size() packets, waiting for the first. Answers how many, at
    // least 1. `through`: how the caller reached the queue; empty in the kernel. timed_out, interrupted, revoked.
    Result<std::size_t> wait(std::span<EventPacket> packets, sched::Deadline deadline, sched::Through through);

    Source* event_source() override { return &source_; } // kSignalReadable: a registration is ready
    void handle_removed(Rights) override { source_.drop_ended(); }
    void revoked_for(std::uint64_t holder) override {
        source_.drop_ended();
        waiters_.wake_revoked(holder);
    }

    EventQueue(mm::OnHeap, Reservation charge) : Object(kType, std::move(charge)) {}
    ~EventQueue() override = default;

private:
    friend class Source;
    friend class QueueNames;
    friend class Registrant;
    friend class Registration;
    friend struct SourcePlace;
    using Lock = QueueLock;
    friend QueueLock& lock_of(const EventQueue& queue) { return queue.lock_; }
    static constexpr unsigned kLookedAt = 32; // registrations looked at under one hold of the lock
    void last_reference_gone() override;
    [[nodiscard]] SourcePlace& place() const;

    Result<> insert(Payer& payer, Source& source, EventQueue* inner, Interest interest, std::uint64_t key,
                    Ref<cap::DerivationNode> node, Registrant* registrant);
    Result<QueueName> link(Registration& registration, Source* source);
    Ref<Registration> find(std::uint64_t key);
    Result<bool> arm_again(Source* source, Interest interest, std::uint64_t key, const cap::DerivationNode* node);
    std::size_t take(std::span<EventPacket> packets);
    QueueName deliver_locked(Registration& registration, const Source& source, std::uint64_t signals,
                             std::uint64_t count) AIOS_REQUIRES(lock_of(&source));
    void unlink_locked(Registration& registration, Source& source) AIOS_REQUIRES(lock_of(&source));
    // Ends a registration that is found through the queue. False if it was over already.
    static bool end(Registration& registration);
    void push_ready_locked(Registration& registration) AIOS_REQUIRES(lock_, lock_of(registration.queue_));
    void lower_level_locked() AIOS_REQUIRES(lock_);

    static constexpr auto kKeyOf = [](const Registration& r) { return r.key_; };
    mutable Lock lock_;
    IntrusiveTree<Registration, &Registration::key_node_, kKeyOf> by_key_ AIOS_GUARDED_BY(lock_);
    IntrusiveList<Registration, &Registration::ready_node_> ready_ AIOS_GUARDED_BY(lock_);
    std::uint64_t last_ready_number_ AIOS_GUARDED_BY(lock_) = 0;
    sched::WaitQueue waiters_;
    Source source_{0, kMaxOfQueue}; // its level changes under lock_
    Nesting nesting_;
    TreeNode place_node_; // in SourcePlace, from its creation to its end
};

} // namespace aios::event

namespace aios {
using event::EventQueue;
}
