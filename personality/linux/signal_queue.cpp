// See signal_queue.hpp.
#include "personality/linux/signal_queue.hpp"

#include "kernel/mm/size_classes.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

constexpr unsigned kNumberShift = 56, kAtOnce = 16;
constexpr std::uint64_t bit(int signal) { return 1ull << (signal - 1); }
constexpr std::uint64_t first_place(int signal) { return static_cast<std::uint64_t>(signal) << kNumberShift; }

struct Gone {
    mm::Owned<QueuedSignal> of[kAtOnce]; // end under no lock
};

// Takes the first few out, of one number or (0) of all. True: there are more.
bool drop_some_locked(LinuxProcess& process, SignalQueue& queue, int signal, Gone& gone)
    AIOS_REQUIRES(process.thread_lock) {
    process.thread_lock.assert_held();
    for (mm::Owned<QueuedSignal>& place : gone.of) {
        QueuedSignal* const first = signal == 0 ? queue.first() : queue.first_of(signal);
        if (first == nullptr) return false;
        queue.remove(*first);
        if (first->owner != QueuedSignal::Owner::queue) continue;
        --process.queued_count;
        place = mm::Owned<QueuedSignal>(first);
    }
    return true;
}

} // namespace

void SignalQueue::add(QueuedSignal& signal, std::uint64_t order) {
    signal.place = first_place(signal.sent.signal) | order;
    signal.queue = this;
    tree_.insert(signal);
    pending_.fetch_or(bit(signal.sent.signal));
}

void SignalQueue::remove(QueuedSignal& signal) {
    const int number = signal.sent.signal;
    tree_.erase(signal);
    signal.queue = nullptr;
    if (first_of(number) == nullptr) pending_.fetch_and(~bit(number));
}

QueuedSignal* SignalQueue::first_of(int signal) const {
    QueuedSignal* const found = tree_.lower_bound(first_place(signal));
    return found != nullptr && found->sent.signal == signal ? found : nullptr;
}

void SignalQueue::add_bit(int signal) { pending_.fetch_or(bit(signal)); }

bool SignalQueue::take_bit(int signal) { return (pending_.fetch_and(~bit(signal)) & bit(signal)) != 0; }

std::optional<SentSignal> take_queued(LinuxProcess& process, SignalQueue& queue, int signal) {
    mm::Owned<QueuedSignal> gone; // ends under no lock
    LinuxProcess::ThreadLock::Guard guard(process.thread_lock);
    QueuedSignal* const found = queue.first_of(signal);
    if (found == nullptr) {
        if (!queue.take_bit(signal)) return std::nullopt;
        return process.sent[signal - 1];
    }
    const SentSignal sent = found->sent;
    queue.remove(*found);
    if (found->owner == QueuedSignal::Owner::queue) {
        --process.queued_count;
        gone = mm::Owned<QueuedSignal>(found);
    }
    return sent;
}

void drop_queued(LinuxProcess& process, SignalQueue& queue) {
    for (bool more = true; more;) {
        Gone gone;
        LinuxProcess::ThreadLock::Guard guard(process.thread_lock);
        more = drop_some_locked(process, queue, 0, gone);
    }
}

void drop_queued_everywhere(LinuxProcess& process, int signal) {
    for (std::int32_t next = 0;;) { // the process's queue, and then each thread's
        Gone gone;
        LinuxProcess::ThreadLock::Guard guard(process.thread_lock);
        LinuxThread* const thread = next == 0 ? nullptr : process.threads.lower_bound(next);
        if (next != 0 && thread == nullptr) return;
        SignalQueue& queue = thread == nullptr ? process.queued : thread->queued;
        if (drop_some_locked(process, queue, signal, gone)) continue;
        (void)queue.take_bit(signal);
        next = thread == nullptr ? ProcessTable::kFirst : thread->tid + 1;
    }
}

void move_queued(LinuxProcess& from_process, SignalQueue& from, LinuxProcess& to_process, SignalQueue& to) {
    for (unsigned count = kAtOnce; count == kAtOnce;) {
        QueuedSignal* moved[kAtOnce];
        std::uint64_t orders[kAtOnce];
        {
            LinuxProcess::ThreadLock::Guard guard(from_process.thread_lock);
            for (count = 0; count < kAtOnce && from.first() != nullptr;) {
                QueuedSignal* const signal = from.first();
                from.remove(*signal);
                if (signal->owner == QueuedSignal::Owner::timer) continue; // the timer ends, too
                orders[count] = signal->place & (first_place(1) - 1);
                moved[count++] = signal;
            }
            from_process.queued_count -= count;
        }
        LinuxProcess::ThreadLock::Guard guard(to_process.thread_lock);
        for (unsigned i = 0; i < count; ++i)
            to.add(*moved[i], orders[i]);
        to_process.queued_count += count;
    }
}

void withdraw_queued(ProcessTable& family, std::int32_t pid, QueuedSignal& signal) {
    ProcessTable::Lock::Guard guard(family.lock);
    ProcessEntry* const entry = family.find_locked(pid);
    if (entry == nullptr || entry->process == nullptr) return;
    LinuxProcess::ThreadLock::Guard threads(entry->process->thread_lock);
    if (signal.queue != nullptr) signal.queue->remove(signal);
}

mm::Owned<QueuedSignal> make_queued(Payer& payer, int signal) {
    if (!is_queued(signal)) return {};
    auto charge = Reservation::make(payer, Resource::memory, mm::cost_of<QueuedSignal>);
    if (!charge) return {};
    auto made = mm::own<QueuedSignal>(std::move(*charge));
    return made ? std::move(*made) : mm::Owned<QueuedSignal>();
}

} // namespace aios::linux_abi
