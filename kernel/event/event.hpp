// EventQueue: one wait for messages, timers, ends of children and finished operations. A registration (source, signals,
// key) preallocates its one packet, charged to the registrant; posts coalesce into it with a count.
//
// Holds always: a registration with undelivered signals stands in the ready list, oldest first; delivery takes from the
// front and repeated signals go to the back, so no source starves another. It goes with its queue, its source, the
// handle it was made through or the agent that made it. A thread that leaves a wait, for whatever reason, wakes another one if packets
// are left. Locks: Rank::event_source, then Rank::event_queue, then Rank::registrant or Rank::wait_queue.
#pragma once

#include <span>

#include "kernel/cap/table.hpp"
#include "kernel/object/object.hpp"
#include "kernel/object/source.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::event {

class EventQueue;
class Registration;

// All registrations of one agent, in whatever queue: they end with it, so that no foreign queue keeps what a dead agent
// has paid for.
class Registrant : Pinned {
public:
    ~Registrant();
    // None is left when it returns. The agent has no thread any more that could make one. May wait for locks only.
    void end_all();

private:
    friend class EventQueue;
    void add(Registration& registration); // under the locks of source and queue, as remove
    void remove(Registration& registration);
    sync::SpinLock<sync::Rank::registrant> lock_;
    Registration* first_ = nullptr;
};

class Registration final : public Listener {
public:
    void retain() { references_.retain(); }
    void release();

private:
    friend class EventQueue;
    friend class Registrant;
    friend class Source;
    Registration(Reservation charge, EventQueue& queue, std::uint64_t key, std::uint64_t signals,
                 Ref<cap::DerivationNode> node, Registrant* registrant);
    ~Registration() = default;

    RefCount references_; // one of the two lists together, and those of calls in progress
    Reservation charge_;
    EventQueue& queue_;
    const std::uint64_t key_, signals_;
    Ref<cap::DerivationNode> node_;
    Registrant* const registrant_;                                             // nullptr: the kernel's
    Registration *registrant_next_ = nullptr, *registrant_previous_ = nullptr; // under the registrant's lock
    // Changes under the source's and the queue's lock, so either is enough to read it. nullptr: over.
    std::atomic<Source*> source_{nullptr};
    TreeNode key_node_;
    ListNode ready_node_;
    std::uint64_t ready_number_ = 0; // ascends along the ready list
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

    // Registers for `signals` of `object`, which the caller reached through the derivation `node` (rights::wait). The
    // registration ends with the handle that has it, and with `registrant`, the caller's agent.
    // Signals that are set already are delivered at once. One registration a key. wrong_type (no events), bad_argument
    // (no or unknown signals), already_exists (key), no_space (kMaxRegistrations), quota_exceeded, out_of_memory,
    // revoked; bad_handle: the handle was closed meanwhile.
    Result<> add(Payer& payer, Object& object, std::uint64_t signals, std::uint64_t key, Ref<cap::DerivationNode> node,
                 Registrant* registrant = nullptr);
    Result<> cancel(std::uint64_t key); // not_found; its undelivered packet goes too

    // Takes up to packets.size() (at most kMaxPacketsPerWait) packets, waiting for the first. Answers how many, at
    // least 1. `through`: how the caller reached the queue; empty in the kernel. timed_out, interrupted, revoked.
    Result<std::size_t> wait(std::span<EventPacket> packets, sched::Deadline deadline, sched::Through through);

    void revoked_for(std::uint64_t holder) override { waiters_.wake_revoked(holder); }

private:
    friend class Source;
    friend class Registrant;
    static constexpr unsigned kLookedAt = 32; // registrations looked at under one hold of the lock
    explicit EventQueue(Reservation charge) : Object(kType, std::move(charge)) {}
    ~EventQueue() override = default;
    void last_reference_gone() override;
    std::size_t take(std::span<EventPacket> packets);
    void push_ready_locked(Registration& registration);
    void deliver(Registration& registration, std::uint64_t signals, std::uint64_t count);
    void unlink(Registration& registration, Source& source);
    // Ends a registration that is found through the queue. False if it was over already.
    static bool end(Registration& registration);

    static constexpr auto kKeyOf = [](const Registration& r) { return r.key_; };
    sync::SpinLock<sync::Rank::event_queue> lock_;
    IntrusiveTree<Registration, &Registration::key_node_, kKeyOf> by_key_;
    IntrusiveList<Registration, &Registration::ready_node_> ready_;
    std::uint64_t last_ready_number_ = 0;
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
