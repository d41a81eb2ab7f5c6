// The locks of the sources, a fixed set: a lock outlives the sources that it serves. Beside each stand the queues whose
// own source it serves, by their number, so that who has the name of a queue finds it, or sees that it is gone. Only
// kernel/event.
#pragma once

#include "kernel/event/event.hpp"

namespace aios::event {

struct SourcePlace {
    SourceLock lock;
    static constexpr auto kIdOf = [](const EventQueue& queue) { return queue.id(); };
    IntrusiveTree<EventQueue, &EventQueue::place_node_, kIdOf> queues AIOS_GUARDED_BY(lock);
};
[[nodiscard]] SourcePlace& source_place(unsigned number); // below QueueName::kPlaces
[[nodiscard]] unsigned place_number(const Source* source);

// The queues that became readable by one post and have listeners. Those are told one queue after the other, each under
// the lock of its own source alone. Bounded: the post itself reaches at most kMaxRegistrations listeners, so adds as
// many at most; telling one queue's listeners adds one at most, because a queue stands in one other (nesting.hpp).
class QueueNames {
public:
    void add(QueueName name) {
        if (!name) return;
        AIOS_ASSERT(count_ < kMaxRegistrations);
        names_[count_++] = name;
    }
    void tell_all() { // under no lock of a source; leaves it empty
        if (count_ != 0) tell_each();
    }

private:
    void tell_each();
    unsigned count_ = 0;
    QueueName names_[kMaxRegistrations]; // the first count_ of them
};

} // namespace aios::event
