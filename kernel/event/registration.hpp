// Registration: that a queue listens to a source, and the one packet that it will ever need. Registrant: all
// registrations of one agent. What they promise is told in event.hpp.
#pragma once

#include "kernel/cap/table.hpp"
#include "kernel/object/object.hpp"
#include "kernel/object/source.hpp"

namespace aios::event {

// How a registration tells; what each means is told at kModeLevel (abi/call_types.hpp).
enum class Mode : std::uint8_t { plain, level, edge, once };

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

private:
    friend class EventQueue;
    friend class Registrant;
    friend class Source;
    Registration(Reservation charge, EventQueue& queue, std::uint64_t key, Interest interest,
                 Ref<cap::DerivationNode> node, EventQueue* inner, Registrant* registrant);
    ~Registration() = default;
    Registration* registration() override { return this; }

    [[nodiscard]] bool is_held() const { return !node_ || node_->is_held(); }
    // The four under the queue's lock.
    bool note_locked(std::uint64_t signals, std::uint64_t count); // false: it tells nothing at present
    EventPacket tell_locked();                                    // signals 0: nothing to tell
    [[nodiscard]] bool has_more_locked() const { return pending_ != 0; }
    void arm_locked(Interest interest); // and under the source's

    RefCount references_; // one of the two lists together, and those of calls in progress
    Reservation charge_;
    EventQueue& queue_;
    const std::uint64_t key_;
    const Mode mode_;
    const Ref<cap::DerivationNode> node_;
    EventQueue* const inner_;                                                  // whose source it is, if it is a queue's
    Registrant* const registrant_;                                             // nullptr: the kernel's
    Registration *registrant_next_ = nullptr, *registrant_previous_ = nullptr; // under the registrant's lock
    // Changes under the source's and the queue's lock, so either is enough to read it. nullptr: over.
    std::atomic<Source*> source_{nullptr};
    // From here on under the queue's lock.
    bool is_armed_ = true; // false: of mode once, and it has told
    TreeNode key_node_;
    ListNode ready_node_;
    std::uint64_t ready_number_ = 0; // ascends along the ready list
    std::uint64_t signals_;          // that it asks for
    std::uint64_t pending_ = 0, count_ = 0;
    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
    template <typename T>
    friend void mm::destroy(T*);
};

} // namespace aios::event
