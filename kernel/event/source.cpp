// Telling listeners, and the end of registrations from the source's side. The lock of a source comes from a fixed set
// by its address: so a queue that ends can take the lock of a source that may be ending at the same moment, and then see
// whether it still is there. Numbers in brackets are the steps of event.hpp.
#include "kernel/event/event.hpp"
#include "kernel/event/source_lock.hpp"

namespace aios::event {

namespace {
constinit SourcePlace g_places[QueueName::kPlaces];
}

unsigned place_number(const Source* source) {
    const auto address = reinterpret_cast<std::uintptr_t>(source); // SAFETY: only hashed
    return (address >> 4 ^ address >> 12) % QueueName::kPlaces;
}
SourcePlace& source_place(unsigned number) { return g_places[number]; }
SourceLock& lock_of(const Source* source) { return g_places[place_number(source)].lock; }

void Source::notify_locked(News news, std::uint64_t count, QueueNames& next) AIOS_REQUIRES(lock_of(this)) {
    lock_of(this).assert_held();
    for (Listener& listener : listeners_) {
        const std::uint64_t wanted = news.kind == NewsKind::level ? listener.wanted_levels_ : listener.wanted_pulses_;
        if (const std::uint64_t signals = news.signals & wanted; signals != 0)
            next.add(listener.notify(signals, count));
    }
}

// (9): the source's lock is dropped by now. The lock that finds a queue is that of its own source.
void QueueNames::tell_each() {
    while (count_ != 0) {
        const QueueName name = names_[--count_];
        SourcePlace& place = source_place(name.place());
        SourceLock::Guard guard(place.lock);
        EventQueue* queue = place.queues.find(name.id());
        if (queue == nullptr) continue; // it has ended
        Source* const source = &queue->source_;
        lock_of(source).assert_held(); // it is the place's
        source->notify_locked({kSignalReadable, NewsKind::level}, 1, *this);
    }
}

Result<> Source::link_locked(Listener& listener) AIOS_REQUIRES(lock_of(this)) {
    lock_of(this).assert_held();
    if (count_.load(std::memory_order_relaxed) >= most_) return fail(Error::no_space);
    // seq_cst: (1) and (8). The caller reads the levels and the handle's state afterwards; whoever changes those reads
    // the count afterwards.
    count_.fetch_add(1, std::memory_order_seq_cst);
    listeners_.push_back(listener);
    return {};
}

void Source::unlink_locked(Listener& listener) AIOS_REQUIRES(lock_of(this)) {
    lock_of(this).assert_held();
    listeners_.remove(listener);
    count_.fetch_sub(1, std::memory_order_relaxed); // who still sees the old count takes the lock and finds nothing
}

Result<> Source::attach(Listener& listener) {
    QueueNames next;
    {
        SourceLock::Guard guard(lock_of(this));
        TRY(link_locked(listener));
        // seq_cst: the second half of (1).
        const std::uint64_t now = levels_.load(std::memory_order_seq_cst) & listener.wanted_levels_;
        if (now != 0) next.add(listener.notify(now, 1));
    }
    next.tell_all();
    return {};
}

void Source::detach(Listener& listener) {
    SourceLock::Guard guard(lock_of(this));
    unlink_locked(listener);
}

template <typename F>
void Source::end_where(F&& which) {
    for (;;) {
        Registration* found = nullptr;
        {
            SourceLock::Guard guard(lock_of(this));
            for (Listener& listener : listeners_) {
                Registration* const registration = listener.registration();
                if (registration == nullptr || !which(*registration)) continue;
                found = registration;
                break;
            }
            if (found != nullptr) found->queue_.unlink_locked(*found, *this);
        }
        if (found == nullptr) return;
        found->release();
    }
}

// (8), from the side of whoever ended a handle.
void Source::end_unheld() {
    end_where([](const Registration& registration) { return !registration.is_held(); });
}

namespace upcall {

// (2): the levels are written, and somebody is counted. One piece of code, as each message to a queue goes through it.
[[gnu::flatten]] void tell_listeners(Source& source, News news, std::uint64_t count) {
    QueueNames next;
    {
        SourceLock::Guard guard(lock_of(&source));
        source.notify_locked(news, count, next);
    }
    next.tell_all();
}

void drop_ended(Source& source) { source.end_unheld(); }
void end_all(Source& source) {
    source.end_where([](const Registration&) { return true; });
}

} // namespace upcall

} // namespace aios::event
