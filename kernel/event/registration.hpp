// Registration: that a queue listens to a source, and the one packet that it will ever need. Registrant: all
// registrations of one agent. What they promise is told in event.hpp.
#pragma once

#include "kernel/cap/table.hpp"
#include "kernel/object/object.hpp"
#include "kernel/object/source.hpp"

namespace aios::event {

// The lock of a queue, and that of the queue that is named: what a registration keeps for its queue is under it.
using QueueLock = sync::SpinLock<sync::Rank::event_queue>;
[[nodiscard]] QueueLock& lock_of(const EventQueue& queue);

// How a registration tells; what each means is told at kModeLevel (abi/call_types.hpp). `changed` is epoll's EPOLLET,
// for code of the kernel alone: once a post, as `edge`, but then everything that is set.
enum class Mode : std::uint8_t { plain, level, edge, once, changed };

// What event_register asks for.
struct Interest {
    std::uint64_t signals;
    Mode mode;
    // bad_argument: no signal, an unknown one, or two modes.
    static Result<Interest> from(std::uint64_t signals_and_mode) {
        const std::uint64_t signals = signals_and_mode & kAllSignals;
        if (signals == 0) return fail(Error::bad_argument);
        switch (signals_and_mode & ~kAllSignals) {
        case 0:
            return Interest{signals, Mode::plain};
        case kModeLevel:
            return Interest{signals, Mode::level};
        case kModeEdge:
            return Interest{signals, Mode::edge};
        case kModeOnce:
            return Interest{signals, Mode::once};
        default:
            return fail(Error::bad_argument);
        }
    }
    // What it wants of a source's levels. Without a mode `writable` is a pulse alone, as a sender that was refused
    // expects it.
    [[nodiscard]] std::uint64_t levels() const { return mode == Mode::plain ? signals & ~kSignalWritable : signals; }
};

// All registrations of one agent, in whatever queue: they end with it, so that no foreign queue keeps what a dead agent
// has paid for.
class Registrant : Pinned {
public:
    ~Registrant();
    // None is left when it returns. The agent has no thread any more that could make one. May wait for locks only.
    void end_all();

private:
    friend class EventQueue;
    friend class Registration;
    void add(Registration& registration); // under the locks of source and queue, as remove
    void remove(Registration& registration);
    sync::SpinLock<sync::Rank::registrant> lock_;
    Registration* first_ AIOS_GUARDED_BY(lock_) = nullptr;
};

class Registration final : public Listener {
public:
    void retain() { references_.retain(); }
    void release();
    QueueName notify(std::uint64_t signals, std::uint64_t count) override;

    Registration(mm::OnHeap, Reservation charge, EventQueue& queue, std::uint64_t key, Interest interest,
                 Ref<cap::DerivationNode> node, EventQueue* inner, Registrant* registrant);
    ~Registration() = default;

private:
    friend class EventQueue;
    friend class Registrant;
    friend class Source;
    Registration* registration() override { return this; }

    [[nodiscard]] bool is_held() const { return !node_ || node_->is_held(); }
    // False: it tells nothing at present.
    bool note_locked(std::uint64_t signals, std::uint64_t count) AIOS_REQUIRES(lock_of(queue_));
    EventPacket tell_locked() AIOS_REQUIRES(lock_of(queue_));                    // signals 0: nothing to tell
    [[nodiscard]] bool would_tell_locked() const AIOS_REQUIRES(lock_of(queue_)); // what tell_locked() would: something
    void forget_locked() AIOS_REQUIRES(lock_of(queue_));                         // what was noted is over
    [[nodiscard]] bool has_more_locked() const AIOS_REQUIRES(lock_of(queue_)) {
        lock_of(queue_).assert_held();
        return pending_ != 0;
    }
    void arm_locked(Interest interest) AIOS_REQUIRES(lock_of(queue_)); // and under the source's; the mode too

    RefCount references_; // one of the two lists together, and those of calls in progress
    Reservation charge_;
    EventQueue& queue_;
    const std::uint64_t key_;
    const Ref<cap::DerivationNode> node_;
    EventQueue* const inner_;      // whose source it is, if it is a queue's
    Registrant* const registrant_; // nullptr: the kernel's
    Registration* registrant_next_ AIOS_GUARDED_BY(registrant_->lock_) = nullptr;
    Registration* registrant_previous_ AIOS_GUARDED_BY(registrant_->lock_) = nullptr;
    // Changes under the source's and the queue's lock, so either is enough to read it. nullptr: over.
    std::atomic<Source*> source_{nullptr};
    TreeNode key_node_; // in the queue's tree and list, as these are under its lock
    Mode mode_ AIOS_GUARDED_BY(lock_of(queue_));
    ListNode ready_node_;
    bool is_armed_ AIOS_GUARDED_BY(lock_of(queue_)) = true;           // false: of mode once, and it has told
    std::uint64_t ready_number_ AIOS_GUARDED_BY(lock_of(queue_)) = 0; // ascends along the ready list
    std::uint64_t signals_ AIOS_GUARDED_BY(lock_of(queue_));          // that it asks for
    std::uint64_t pending_ AIOS_GUARDED_BY(lock_of(queue_)) = 0;
    std::uint64_t count_ AIOS_GUARDED_BY(lock_of(queue_)) = 0;
};

} // namespace aios::event
