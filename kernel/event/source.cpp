// Posting, and the end of registrations from the source's side. The lock of a source comes from a fixed set by its
// address: so a queue that ends can take the lock of a source that may be ending at the same moment, and then see
// whether it still is there.
#include "kernel/event/event.hpp"
#include "kernel/event/source_lock.hpp"

namespace aios::event {

namespace {
constinit SourceLock g_locks[64];
}

SourceLock& lock_of(const Source* source) {
    const auto address = reinterpret_cast<std::uintptr_t>(source); // SAFETY: only hashed
    return g_locks[(address >> 4 ^ address >> 12) % 64];
}

void Source::post(std::uint64_t signals, std::uint64_t count) {
    // A registration that comes later reads levels_ after it is counted, so one of the two sees the other.
    if (count_.load(std::memory_order_seq_cst) == 0) return;
    SourceLock::Guard guard(lock_of(this));
    for (Listener& listener : listeners_) {
        auto& registration = static_cast<Registration&>(listener);
        if ((registration.signals_ & signals) != 0) registration.queue_.deliver(registration, signals, count);
    }
}

void Source::set(std::uint64_t signals) {
    levels_.fetch_or(signals, std::memory_order_seq_cst);
    post(signals);
}

Source::~Source() {
    end_where([](const Registration&) { return true; });
}

// A handle ends while somebody registers through it, who counts the registration before it looks at the handle; the
// handle was ended before we look at the count. So one of the two sees the other (EventQueue::add).
void Source::drop_ended() {
    if (count_.load(std::memory_order_seq_cst) == 0) return;
    end_where([](const Registration& registration) { return registration.node_ && !registration.node_->is_held(); });
}

template <typename F>
void Source::end_where(F&& which) {
    for (;;) {
        Registration* found = nullptr;
        {
            SourceLock::Guard guard(lock_of(this));
            for (Listener& listener : listeners_) {
                auto& registration = static_cast<Registration&>(listener);
                if (!which(registration)) continue;
                found = &registration;
                break;
            }
            if (found != nullptr) found->queue_.unlink(*found, *this);
        }
        if (found == nullptr) return;
        found->release();
    }
}

} // namespace aios::event
