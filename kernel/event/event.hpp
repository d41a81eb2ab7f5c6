// EventQueue: one wait for messages, timers, ends of children and finished operations. A registration (source, signals,
// key) preallocates its one packet, charged to the registrant; posts coalesce into it with a count.
//
// Holds always: a registration with undelivered signals stands in the ready list, oldest first; delivery takes from the
// front and repeated signals go to the back, so no source starves another. It goes with its queue, its source or its
// capability. Locks: Rank::event_source, then Rank::event_queue, then Rank::wait_queue.
#pragma once

#include <span>

#include "kernel/cap/table.hpp"
#include "kernel/object/object.hpp"
#include "kernel/object/source.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::event {

class EventQueue;

class Registration final : public Listener {
public:
    void retain() { references_.retain(); }
    void release();

private:
    friend class EventQueue;
    friend class Source;
    Registration(Reservation charge, EventQueue& queue, std::uint64_t key, std::uint64_t signals,
                 Ref<cap::DerivationNode> node);
    ~Registration() = default;

    RefCount references_; // one of the two lists together, and those of calls in progress
    Reservation charge_;
    EventQueue& queue_;
    const std::uint64_t key_, signals_;
    Ref<cap::DerivationNode> node_;
    // Changes under the source's and the queue's lock, so either is enough to read it. nullptr: over.
    std::atomic<Source*> source_{nullptr};
    TreeNode key_node_;
    ListNode ready_node_;
    std::uint64_t pending_ = 0, count_ = 0;
    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
    template <typename T>
    friend void mm::destroy(T*);
};

class EventQueue final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::queue;
    static constexpr std::size_t kMaxPacketsPerWait = 64;

    static Result<Ref<EventQueue>> create(Payer& payer);

    // Registers for `signals` of `object`, which the caller reached through the derivation `node` (rights::wait).
    // Signals that are set already are delivered at once. One registration a key. wrong_type (no events), bad_argument
    // (no or unknown signals), already_exists (key), no_space (kMaxRegistrations), quota_exceeded, out_of_memory,
    // revoked.
    Result<> add(Payer& payer, Object& object, std::uint64_t signals, std::uint64_t key, Ref<cap::DerivationNode> node);
    Result<> cancel(std::uint64_t key); // not_found; its undelivered packet goes too

    // Takes up to packets.size() (at most kMaxPacketsPerWait) packets, waiting for the first. Answers how many, at
    // least 1. `node`: through which the caller reached the queue; nullptr in the kernel. timed_out, interrupted,
    // revoked.
    Result<std::size_t> wait(std::span<EventPacket> packets, sched::Deadline deadline, const cap::DerivationNode* node);

    // Who waits through a handle that is gone looks whether its capability is dead.
    void handle_removed(Rights) override { waiters_.wake_all(); }
    void revoked_for(std::uint64_t) override { waiters_.wake_all(); }

private:
    friend class Source;
    explicit EventQueue(Reservation charge) : Object(kType, std::move(charge)) {}
    ~EventQueue() override = default;
    void last_reference_gone() override;
    std::size_t take(std::span<EventPacket> packets);
    void deliver(Registration& registration, std::uint64_t signals, std::uint64_t count);
    void unlink(Registration& registration, Source& source);
    // Ends a registration that is found through the queue. False if it was over already.
    static bool end(Registration& registration);

    static constexpr auto kKeyOf = [](const Registration& r) { return r.key_; };
    sync::SpinLock<sync::Rank::event_queue> lock_;
    IntrusiveTree<Registration, &Registration::key_node_, kKeyOf> by_key_;
    IntrusiveList<Registration, &Registration::ready_node_> ready_;
    sched::WaitQueue waiters_;
    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
    template <typename T>
    friend void mm::destroy(T*);
};

} // namespace aios::event

namespace aios {
using event::EventQueue;
}
