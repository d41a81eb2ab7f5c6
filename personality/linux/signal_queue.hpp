// Real-time signals (32 to 64) that wait to be taken: each with what it was sent with, in the order of coming, the lowest
// number first. The others are one deep: a bit and the place LinuxProcess::sent.
//
// Holds always, under the process's thread_lock, which guards the queues of the process and of all its threads: a signal
// that stands in a queue has its bit in the pending set beside it. A bit without a signal in the queue is one whose record
// was lost (kill beyond the limit, an exit signal), and is told by LinuxProcess::sent.
// A signal is charged to the agent of who sends it; a process has at most RLIMIT_SIGPENDING of them. A timer brings its own,
// which stands there once at a time, and goes with it.
#pragma once

#include <atomic>
#include <optional>

#include "base/intrusive_tree.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/mm/payer.hpp"
#include "personality/linux/abi.hpp"

namespace aios::linux_abi {

class LinuxProcess;

// A signal as it was sent.
struct SentSignal {
    std::int32_t signal = 0;
    std::int32_t code = 0;    // si_code
    std::int32_t sender = 0;  // pid; of a timer its number
    std::int32_t overrun = 0; // of a timer; else the sender's user
    std::uint64_t value = 0;  // of SIGCHLD: exit code or signal; of a timer and of sigqueue: what was given with it
};

inline constexpr int kFirstQueued = 32;
[[nodiscard]] constexpr bool is_queued(int signal) { return signal >= kFirstQueued; }

class SignalQueue;

struct QueuedSignal {
    enum class Owner : std::uint8_t { queue, timer };
    QueuedSignal() : owner(Owner::timer) {}
    explicit QueuedSignal(Reservation reservation) : charge(std::move(reservation)), owner(Owner::queue) {}
    ~QueuedSignal() = default;
    Reservation charge;
    const Owner owner;
    SentSignal sent;
    TreeNode node;
    std::uint64_t place = 0; // the number, and then the order of coming
    SignalQueue* queue = nullptr;
};

// Under the thread_lock of its process.
class SignalQueue : Pinned {
public:
    explicit SignalQueue(std::atomic<std::uint64_t>& pending) : pending_(pending) {}
    // `order` grows with each signal of the process.
    void add(QueuedSignal& signal, std::uint64_t order);
    void remove(QueuedSignal& signal);
    [[nodiscard]] QueuedSignal* first_of(int signal) const;
    [[nodiscard]] QueuedSignal* first() const { return tree_.first(); }
    // One that has no record: only its bit. take_bit answers false if there is none.
    void add_bit(int signal);
    [[nodiscard]] bool take_bit(int signal);

private:
    std::atomic<std::uint64_t>& pending_;
    IntrusiveTree<QueuedSignal, &QueuedSignal::node, &QueuedSignal::place> tree_;
};

// What waits of a real-time signal, from one queue of the process: the first, or nothing. Takes thread_lock.
std::optional<SentSignal> take_queued(LinuxProcess& process, SignalQueue& queue, int signal);
// All that waits in the queue is dropped; or all of one number, in the queues of the process and its threads. Takes
// thread_lock for a few at a time.
void drop_queued(LinuxProcess& process, SignalQueue& queue);
void drop_queued_everywhere(LinuxProcess& process, int signal);
// execve: what waits in `from` waits in `to`, before all that comes there, but for timers' own signals.
void move_queued(LinuxProcess& from_process, SignalQueue& from, LinuxProcess& to_process, SignalQueue& to);
// A timer's signal leaves the queue that it stands in, if any. The process `pid` is there as long as its timers.
class ProcessTable;
void withdraw_queued(ProcessTable& family, std::int32_t pid, QueuedSignal& signal);
// Room for a signal that is to be sent: empty if it needs none, or cannot be paid.
[[nodiscard]] mm::Owned<QueuedSignal> make_queued(Payer& payer, int signal);

} // namespace aios::linux_abi
