// How a signal gets to a process or a thread. It becomes pending first, and then a thread that lets it through is woken; one
// that unblocks it later looks itself (set_mask). A thread that starts meanwhile has the mask of its maker, who was asked or
// has looked.
#include "personality/linux/process_walk.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kStopping =
    bit_of(kSigStop) | bit_of(kSigTerminalStop) | bit_of(kSigTerminalIn) | bit_of(kSigTerminalOut);

// A real-time signal takes its place in the queue. False: there is no room for it, and it has a value that would be lost.
bool enqueue_locked(LinuxProcess& process, SignalQueue& queue, const SentSignal& sent, SignalStep& step)
    AIOS_REQUIRES(process.thread_lock) {
    process.thread_lock.assert_held();
    if (step.of_timer != nullptr) {
        step.of_timer->sent = sent;
        if (step.of_timer->queue == nullptr) queue.add(*step.of_timer, ++process.queue_order);
        return true;
    }
    if (step.room && process.queued_count < process.signals_limit.load(std::memory_order_relaxed)) {
        step.room->sent = sent;
        queue.add(*step.room.release(), ++process.queue_order);
        ++process.queued_count;
        return true;
    }
    if (sent.code < 0) return false;
    process.sent[sent.signal - 1] = sent;
    queue.add_bit(sent.signal);
    return true;
}

// A stop undoes a continue that was not taken, and the other way round. Of what is one deep the first is told, of a timer the
// last. kAgain.
Errno note_pending(LinuxProcess& process, std::atomic<std::uint64_t>& set, SignalQueue& queue, const SentSignal& sent,
                   SignalStep& step) {
    const std::uint64_t bit = bit_of(sent.signal);
    if ((bit & kStopping) != 0) process.process_pending.fetch_and(~bit_of(kSigContinue));
    if (sent.signal == kSigContinue) process.process_pending.fetch_and(~kStopping);
    {
        LinuxProcess::ThreadLock::Guard guard(process.thread_lock);
        if (is_queued(sent.signal)) {
            if (!enqueue_locked(process, queue, sent, step)) return kAgain;
        } else if ((set.load() & bit) == 0 || sent.code == kCodeTimer) {
            process.sent[sent.signal - 1] = sent;
        }
        if (sent.signal == kSigContinue) {
            ++process.continues;
            if (process.is_stopped.exchange(false)) process.has_continued = true;
        }
    }
    if (!is_queued(sent.signal)) set.fetch_or(bit);
    // What is stopped takes these alone.
    if (sent.signal == kSigContinue || sent.signal == kSigKill) process.stopped.wake_one();
    return Errno{};
}

// Those who watch a process's signals through a descriptor: told when no lock is held any more, the process may be gone
// by then.
class Watchers {
public:
    explicit Watchers(const SentSignal& sent) : sent_(sent) {}
    Watchers(const Watchers&) = delete;
    ~Watchers() {
        if (files_) files_->tell(bit_of(sent_.signal));
    }
    // Its signal is pending. The process is alive: the table's lock is held.
    void find(LinuxProcess& process) {
        SignalFiles* const files = process.signal_files.load(std::memory_order_acquire);
        if (files != nullptr) files_ = Ref<SignalFiles>::share(*files);
    }

private:
    const SentSignal& sent_;
    Ref<SignalFiles> files_;
};

} // namespace

SentSignal child_signal(int signal, std::int32_t child, ChildNews news, std::uint32_t status) {
    SentSignal sent{.signal = signal, .code = kCodeContinued, .sender = child, .value = kSigContinue};
    if (news == ChildNews::stopped) {
        sent.code = kCodeStopped;
        sent.value = status >> 8 & 0xff;
    } else if (news == ChildNews::ended) {
        const bool by_signal = (status & 0x7f) != 0;
        sent.code = by_signal ? kCodeKilled : kCodeExited;
        sent.value = by_signal ? status & 0x7f : status >> 8 & 0xff;
    }
    return sent;
}

namespace {

// Makes it pending at the first step, and wakes a thread that lets it through, of the next 16. True: done. The table's lock
// is held.
bool step_locked(ProcessTable& family, std::int32_t pid, const SentSignal& sent, SignalStep& step, Watchers* watchers,
                 LinuxThread* preferred) AIOS_REQUIRES(family.lock) {
    family.lock.assert_held();
    const bool is_first = std::exchange(step.is_first, false);
    ProcessEntry* const entry = family.find_locked(pid);
    if (entry == nullptr) {
        if (is_first) step.error = kNoProcess;
        return true;
    }
    LinuxProcess* const process = entry->process;
    if (process == nullptr || sent.signal == 0) return true; // a zombie takes none
    const std::uint64_t bit = bit_of(sent.signal);
    if (is_first) {
        step.next = ProcessTable::kFirst;
        step.error = note_pending(*process, process->process_pending, process->queued, sent, step);
        if (step.error != Errno{}) return true;
        if (watchers != nullptr) watchers->find(*process);
        if (preferred != nullptr && preferred->process == process &&
            (preferred->blocked.load() & bit & ~kUnblockable) == 0) {
            preferred->thread.interrupt();
            return true;
        }
    }
    LinuxProcess::ThreadLock::Guard threads(process->thread_lock);
    LinuxThread* thread = process->threads.lower_bound(step.next);
    for (unsigned i = 0; i < ProcessTable::kAtOnce && thread != nullptr; ++i) {
        if ((thread->blocked.load() & bit & ~kUnblockable) == 0) {
            thread->thread.interrupt();
            return true;
        }
        step.next = thread->tid + 1;
        thread = process->threads.next(*thread);
    }
    return thread == nullptr;
}

} // namespace

std::int32_t process_number(ProcessTable& family, std::int32_t number) {
    ProcessTable::Lock::Guard guard(family.lock);
    if (family.find_locked(number) != nullptr) return number;
    const LinuxThread* const thread = family.find_thread_locked(number);
    return thread == nullptr ? number : thread->process->pid();
}

Errno send_to_process(ProcessTable& family, std::int32_t pid, const SentSignal& sent, LinuxThread* preferred,
                      mm::Owned<QueuedSignal> room) {
    Watchers watchers(sent);
    SignalStep step;
    step.room = std::move(room);
    for (bool is_done = false; !is_done;) {
        ProcessTable::Lock::Guard guard(family.lock);
        is_done = step_locked(family, pid, sent, step, &watchers, preferred);
    }
    return step.error;
}

namespace {

template <typename Look>
Errno send_to_many(ProcessTable& family, const SentSignal& sent, LinuxThread* preferred, Look&& look) {
    bool any = false;
    for_processes(family, look, [&](std::int32_t pid) {
        any = send_to_process(family, pid, sent, preferred) == Errno{} || any;
        return true;
    });
    return any ? Errno{} : kNoProcess;
}

} // namespace

Errno send_to_group(ProcessTable& family, std::int32_t group, const SentSignal& sent, LinuxThread* preferred) {
    return send_to_many(family, sent, preferred,
                        [&](const ProcessEntry& entry) { return entry.group->number == group; });
}

bool is_orphaned(ProcessTable& family, std::int32_t group) {
    bool is_orphaned = true;
    for_processes(
        family,
        [&](const ProcessEntry& entry) {
            return entry.process != nullptr && entry.group->number == group && entry.parent != nullptr &&
                   entry.parent->group != entry.group && entry.parent->group->session == entry.group->session;
        },
        [&](std::int32_t) { return is_orphaned = false; });
    return is_orphaned;
}

bool step_from_interrupt(ProcessTable& family, std::int32_t pid, std::int32_t tid, const SentSignal& sent,
                         SignalStep& step) {
    Ref<SignalFiles> files;
    {
        ProcessTable::Lock::Guard guard(family.lock);
        if (!step.are_threads_done && tid == 0) {
            step.are_threads_done = step_locked(family, pid, sent, step, nullptr, nullptr);
            if (!step.are_threads_done) return false;
        } else if (!step.are_threads_done) {
            step.are_threads_done = true;
            LinuxThread* const thread = family.find_thread_locked(tid);
            if (thread == nullptr || thread->process->pid() != pid) return true; // it has ended
            (void)note_pending(*thread->process, thread->pending, thread->queued, sent, step);
            thread->thread.interrupt();
        }
        const ProcessEntry* const entry = family.find_locked(pid);
        SignalFiles* const there = entry == nullptr || entry->process == nullptr
                                       ? nullptr
                                       : entry->process->signal_files.load(std::memory_order_acquire);
        if (there == nullptr) return true;
        files = Ref<SignalFiles>::share(*there); // not the last one: the process outlives its timers
    }
    files->tell_one(step.next_file, bit_of(sent.signal));
    return ++step.next_file == SignalFiles::kMost;
}

bool is_pending(ProcessTable& family, std::int32_t pid, std::int32_t tid, int signal, const QueuedSignal* queued) {
    if (signal == 0) return false;
    ProcessTable::Lock::Guard guard(family.lock);
    if (is_queued(signal)) {
        const ProcessEntry* const own = family.find_locked(pid);
        if (own == nullptr || own->process == nullptr) return false;
        LinuxProcess::ThreadLock::Guard threads(own->process->thread_lock);
        return queued->queue != nullptr;
    }
    if (tid != 0) {
        const LinuxThread* const thread = family.find_thread_locked(tid);
        return thread != nullptr && (thread->pending.load() & bit_of(signal)) != 0;
    }
    const ProcessEntry* const entry = family.find_locked(pid);
    return entry != nullptr && entry->process != nullptr &&
           (entry->process->process_pending.load() & bit_of(signal)) != 0;
}

Errno send_to_thread(ProcessTable& family, std::int32_t group, std::int32_t tid, const SentSignal& sent,
                     mm::Owned<QueuedSignal> room) {
    Watchers watchers(sent);
    SignalStep step;
    step.room = std::move(room);
    ProcessTable::Lock::Guard guard(family.lock);
    LinuxThread* const thread = family.find_thread_locked(tid);
    if (thread == nullptr || (group != 0 && thread->process->pid() != group)) return kNoProcess;
    if (sent.signal == 0) return Errno{};
    const Errno error = note_pending(*thread->process, thread->pending, thread->queued, sent, step);
    if (error != Errno{}) return error;
    watchers.find(*thread->process);
    thread->thread.interrupt(); // if it is the caller, the signal comes on its way back to user mode
    return Errno{};
}

void interrupt_all(LinuxProcess& process) {
    std::int32_t next = ProcessTable::kFirst;
    for (bool is_at_end = false; !is_at_end;) {
        LinuxProcess::ThreadLock::Guard guard(process.thread_lock);
        LinuxThread* thread = process.threads.lower_bound(next);
        for (unsigned i = 0; i < ProcessTable::kAtOnce && thread != nullptr; ++i) {
            thread->thread.interrupt();
            next = thread->tid + 1;
            thread = process.threads.next(*thread);
        }
        is_at_end = thread == nullptr;
    }
}

} // namespace aios::linux_abi
