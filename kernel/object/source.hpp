// Source: the part of an object that others wait for. Channels, timers, operations, agents, threads and event queues
// embed one; queues register with it, and other code of the kernel listens to it. Stands here so that every object can
// embed it; what it wakes stands in kernel/event, which it asks by upcalls.
//
// A source has levels, what is so until it is taken back, in one atomic word: whether something is ready is read there
// and never asked of the object. And it has pulses, what happened and is over. Both are told to the listeners that want
// them. Who changes a level holds the object's lock, so that the level agrees with the object; the listeners are told
// when that lock is dropped:
//     News news;
//     {
//         Lock::Guard guard(lock_);
//         ...
//         news = source_.raise(kSignalReadable);
//     }
//     source_.tell(news);
//
// Holds always: telling never allocates, never fails and loses nothing. At most 64 listen to one source (fewer to a
// timer or a queue), so that a post is bounded. The protocol with its proofs is told in kernel/event/event.hpp.
// Locks: Rank::event_source (from a fixed set, chosen by the source's address, so that the lock outlives the source),
// then what Listener::notify takes. post(), set() and tell() hold at most one lock of that rank at a time, and may be
// called in any context that holds no lock above Rank::timer_queue (so signals of a Linux thread are posted after
// Rank::thread_list is dropped); code that can drops its own lock first, so that interrupts are on between two holds.
#pragma once

#include <atomic>

#include "abi/call_types.hpp"
#include "base/assert.hpp"
#include "base/intrusive_list.hpp"
#include "base/result.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::event {

class EventQueue;
class QueueNames;
class Registration;
class Source;

using SourceLock = sync::SpinLock<sync::Rank::event_source>;
[[nodiscard, gnu::const]] SourceLock& lock_of(const Source* source); // needs the address alone

inline constexpr unsigned kMaxRegistrations = 64; // listeners of one source
inline constexpr unsigned kMaxOfTimer = 4;        // of a timer, which tells them in its interrupt
inline constexpr unsigned kMaxOfQueue = 4;        // of a queue; only one of them is another queue

inline constexpr std::uint64_t kAllSignals = kSignalReadable | kSignalWritable | kSignalClosed | kSignalFired |
                                             kSignalDone | kSignalEnded | kSignalFault | kSignalReadClosed |
                                             kSignalError;
// What tells a state that may have changed since. All others stay true once they were told.
inline constexpr std::uint64_t kStates =
    kSignalReadable | kSignalWritable | kSignalReadClosed | kSignalClosed | kSignalError;

// The name of a queue that became readable, for those who wait for the queue. Whoever has a name has no reference: the
// queue may end meanwhile, and is not found then.
class QueueName {
public:
    constexpr QueueName() = default; // QueueName() names none; arrays of names are not written
    constexpr QueueName(std::uint64_t id, unsigned place) : word_(id << kPlaceBits | place) {}
    explicit constexpr operator bool() const { return word_ != 0; }
    [[nodiscard]] constexpr std::uint64_t id() const { return word_ >> kPlaceBits; } // Object::id(), never 0
    [[nodiscard]] constexpr unsigned place() const { return word_ & (kPlaces - 1); } // which lock its source has
    static constexpr unsigned kPlaceBits = 6, kPlaces = 1u << kPlaceBits;

private:
    std::uint64_t word_;
};

class Listener : Pinned {
public:
    Listener(const Listener&) = delete;
    // `signals`, of those that it wants, were told `count` times. Called under the source's lock: takes no lock before
    // Rank::event_queue, calls no source and drops no reference. Answers the queue that became readable by it and has
    // listeners, if there is one.
    virtual QueueName notify(std::uint64_t signals, std::uint64_t count) = 0;

protected:
    // Which signals it wants when they become set, and which when they are posted.
    Listener(std::uint64_t levels, std::uint64_t pulses) : wanted_levels_(levels), wanted_pulses_(pulses) {}
    ~Listener() = default;
    void want(std::uint64_t levels, std::uint64_t pulses) { // from here on; under the source's lock
        wanted_levels_ = levels;
        wanted_pulses_ = pulses;
    }

private:
    friend class EventQueue;
    friend class Source;
    // A registration ends with the source. Other listeners have left before that.
    [[nodiscard]] virtual Registration* registration() { return nullptr; }
    ListNode source_node_;
    std::uint64_t wanted_levels_, wanted_pulses_; // under the source's lock
};

// What has happened, for the listeners.
enum class NewsKind : bool { level, pulse };
struct [[nodiscard]] News {
    std::uint64_t signals = 0;
    NewsKind kind = NewsKind::level;
};

// Answered by kernel/event/source.cpp (docs/design/upcalls.md).
namespace upcall {
void tell_listeners(Source& source, News news, std::uint64_t count);
void drop_ended(Source& source); // the registrations whose capability is closed or dead
void end_all(Source& source);    // every registration
} // namespace upcall

class Source : Pinned {
public:
    explicit Source(std::uint64_t levels = 0, std::uint32_t most_listeners = kMaxRegistrations)
        : levels_(levels), most_(most_listeners) {}
    ~Source() {
        end_all();
        AIOS_ASSERT(!has_listeners()); // those that are no registration have left
    }

    // Something happened, `count` times: timers, faults, room in a channel after a refusal.
    void post(std::uint64_t signals, std::uint64_t count = 1) { tell({signals, NewsKind::pulse}, count); }
    // Something is so until clear(), and is told once for each call. A later registration finds it.
    void set(std::uint64_t signals) { tell(raise(signals)); }

    // set() in two parts: the level under the object's lock, the telling under none. Each writes nothing where nothing
    // changes, as the object's lock keeps other writers of the level away.
    News raise(std::uint64_t signals) {
        // seq_cst: step (2) of kernel/event/event.hpp. What is set already was set by such a step.
        if ((levels_.load(std::memory_order_relaxed) & signals) != signals)
            levels_.fetch_or(signals, std::memory_order_seq_cst);
        return {signals, NewsKind::level};
    }
    void clear(std::uint64_t signals) {
        if ((levels_.load(std::memory_order_relaxed) & signals) != 0)
            levels_.fetch_and(~signals, std::memory_order_acq_rel); // release: pairs with levels()
    }
    void tell(News news, std::uint64_t count = 1) {
        // seq_cst: step (2) again; its partner is the count of step (1).
        if (news.signals != 0 && count_.load(std::memory_order_seq_cst) != 0) [[unlikely]]
            upcall::tell_listeners(*this, news, count);
    }
    [[nodiscard]] std::uint64_t levels() const { return levels_.load(std::memory_order_acquire); }
    [[nodiscard]] bool has_listeners() const { return count_.load(std::memory_order_seq_cst) != 0; }

    // For listeners that are no registration. The source's object outlives them. What is set is told at once.
    // no_space: as many as it takes listen already.
    Result<> attach(Listener& listener);
    void detach(Listener& listener); // it is not called any more when this returns

    // Ends the registrations whose capability is closed or dead. From Object::handle_removed and revoked_for.
    void drop_ended() {
        if (has_listeners()) upcall::drop_ended(*this);
    }
    void end_all() { upcall::end_all(*this); } // every registration

private:
    friend class EventQueue;
    friend class QueueNames;
    friend void upcall::tell_listeners(Source&, News, std::uint64_t);
    friend void upcall::drop_ended(Source&);
    friend void upcall::end_all(Source&);
    void notify_locked(News news, std::uint64_t count, QueueNames& next) AIOS_REQUIRES(lock_of(this));
    Result<> link_locked(Listener& listener) AIOS_REQUIRES(lock_of(this));
    void unlink_locked(Listener& listener) AIOS_REQUIRES(lock_of(this));
    template <typename F>
    void end_where(F&& which);
    void end_unheld();
    IntrusiveList<Listener, &Listener::source_node_> listeners_ AIOS_GUARDED_BY(lock_of(this));
    std::atomic<std::uint64_t> levels_;
    std::atomic<std::uint32_t> count_{0}; // of listeners; 0: nobody needs the lock. Changes under it
    const std::uint32_t most_;
};

} // namespace aios::event
