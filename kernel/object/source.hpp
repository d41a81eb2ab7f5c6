// Source: the part of an object that others wait for. Channels, timers, operations, agents and threads embed one; event
// queues register with it. Stands here so that every object can embed it; implemented by kernel/event, as what it wakes
// stands there.
//
// Holds always: posting never allocates, never fails and loses nothing: each registration owns its one packet, and
// posts to it coalesce. A registration goes when its source, its queue or the handle it was made through goes. At most
// kMaxRegistrations listen to one source, so that a post is bounded.
// Locks: Rank::event_source (from a fixed set, chosen by the source's address, so that the lock outlives the source),
// then Rank::event_queue, Rank::wait_queue. Any context with no lock above Rank::timer_queue held; also under the lock
// of the object.
#pragma once

#include <atomic>

#include "abi/call_types.hpp"
#include "base/intrusive_list.hpp"

namespace aios::event {

class Registration; // kernel/event/event.hpp
struct Listener {   // what a source knows of a registration
    ListNode source_node;
};

inline constexpr unsigned kMaxRegistrations = 64;

// `readable` is repeated in every wait for as long as it is set. All other signals are told once a post.
inline constexpr std::uint64_t kRepeatedSignals = kSignalReadable;
inline constexpr std::uint64_t kAllSignals =
    kSignalReadable | kSignalWritable | kSignalClosed | kSignalFired | kSignalDone | kSignalEnded | kSignalFault;

class Source : Pinned {
public:
    Source() = default;
    ~Source(); // ends all registrations

    // Something happened, `count` times: for timers, faults, room in a channel.
    void post(std::uint64_t signals, std::uint64_t count = 1);
    // Something is so until clear(): posts, and a later registration gets it at once. For done, ended, closed,
    // readable.
    void set(std::uint64_t signals);
    void clear(std::uint64_t signals) { levels_.fetch_and(~signals, std::memory_order_acq_rel); }
    [[nodiscard]] std::uint64_t levels() const { return levels_.load(std::memory_order_acquire); }
    // Ends the registrations whose capability is closed or dead. From Object::handle_removed and revoked_for.
    void drop_ended();

private:
    friend class EventQueue;
    friend class Registration;
    template <typename F>
    void end_where(F&& which);
    IntrusiveList<Listener, &Listener::source_node> listeners_;
    std::atomic<std::uint64_t> levels_{0};
    std::atomic<std::uint32_t> count_{0}; // 0: neither post nor drop_ended needs the lock
};

} // namespace aios::event
