// Terminal: a pseudo-terminal. What is written to its master is what somebody types, what programs write to its slave is
// what the master reads; between them stands a LineDiscipline. The two sides as open files are in terminal_file.hpp.
//
// There is one master, which ends with its last descriptor: then the terminal is hung up, its name is gone, and what is
// still open of the slave reads an end and writes EIO. The slave is opened as often as anybody likes; while it was open
// and is not, the master reads what is left and then EIO.
//
// A terminal is the controlling one of at most one session, and a session has at most one (terminal_jobs.hpp): while it
// is so the session holds a reference. `session` and `foreground` are guarded by the process table's lock.
//
// Locks: `lock_`, a mutex (Rank::terminal): discipline, window and what is open. User memory is not touched under it, and
// signals are sent when it is dropped. Levels change under it, are told after it, and then who waits is woken.
#pragma once

#include "kernel/mm/owned.hpp"
#include "kernel/object/source.hpp"
#include "kernel/sched/wait_queue.hpp"
#include "personality/linux/abi.hpp"
#include "personality/linux/line_discipline.hpp"
#include "personality/linux/terminal_names.hpp"

namespace aios::linux_abi {

class LinuxProcess;
class ProcessTable;

class Terminal final : Pinned {
public:
    enum class WhenBlocked : bool { fail, wait }; // kAgain, or sleep

    // With the lowest number that is free; its master is open. kNoSpace: the agent has as many as there can be; kNoMemory.
    static std::expected<Ref<Terminal>, Errno> create(LinuxProcess& process);
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }
    [[nodiscard]] std::uint32_t number() const { return name_.number; }
    [[nodiscard]] ProcessTable& family() const { return *family_; }
    [[nodiscard]] event::Source& master_source() { return master_source_; }
    [[nodiscard]] event::Source& slave_source() { return slave_source_; }

    // --- the master
    // Types, and sends the signals that are typed: all of it, or what there is room for. kAgain, kInterrupted.
    std::expected<std::size_t, Errno> type(Bytes typed, WhenBlocked when);
    // What the screen shows, waits for the first byte: kIo (the slave was closed and nothing is left), kAgain, kInterrupted.
    std::expected<std::size_t, Errno> take(MutableBytes to, WhenBlocked when);
    void close_master();
    enum class Opening : bool { allowed, refused }; // of the slave
    void set_opening(Opening opening);
    [[nodiscard]] Opening opening();
    enum class Packets : bool { none, told }; // each read tells in its first byte what it is
    void set_packets(Packets packets);
    [[nodiscard]] Packets packets();

    // --- the slave
    [[nodiscard]] Errno open_slave(); // kIo: hung up, or locked
    void close_slave();
    // A line, or what VMIN and VTIME say. 0: an end of file was typed, or the terminal is hung up. kAgain, kInterrupted.
    std::expected<std::size_t, Errno> read(MutableBytes to, WhenBlocked when);
    // All of it, or as much as went in before: kIo (hung up), kAgain, kInterrupted.
    std::expected<std::size_t, Errno> write(Bytes from, WhenBlocked when);

    // --- both
    [[nodiscard]] bool is_hung_up();
    [[nodiscard]] TerminalSettings settings();
    enum class WithInput : bool { kept, flushed };
    void set(const TerminalSettings& settings, WithInput input);
    [[nodiscard]] WindowSize window();
    void set_window(const WindowSize& window); // SIGWINCH, where it is another than before
    [[nodiscard]] std::uint32_t input_waiting();
    [[nodiscard]] std::uint32_t output_waiting();
    enum class Flushed : std::uint8_t { input = 1, output = 2, both = 3 };
    void flush(Flushed what);
    void set_flow(LineDiscipline::Flow flow); // stopped: programs wait with their output
    void send_flow_character(unsigned place);
    enum class Users : bool { all, one }; // kept and told: every user may open it here
    void set_users(Users users) { is_exclusive_ = users == Users::one; }
    [[nodiscard]] bool is_exclusive() const { return is_exclusive_; }

    // The numbers of the session that it controls and of the group that it sends its signals to; 0: none. A group that is
    // gone leaves minus its number. Under the process table's lock; terminal_jobs.cpp
    std::int32_t session = 0, foreground = 0;

    Terminal(mm::OnHeap, Reservation charge, ProcessTable& family, mm::OwnedBytes rings);
    ~Terminal();

private:
    using Lock = sync::Mutex<sync::Rank::terminal>;
    struct [[nodiscard]] Change {
        event::News master, slave;
    };
    // The levels as the state has them. `told` also if they were set before: what has just come.
    Change update_locked(std::uint64_t told_master, std::uint64_t told_slave) AIOS_REQUIRES(lock_);
    void tell(const Change& change);
    void note_packet_locked(std::uint8_t what) AIOS_REQUIRES(lock_);
    void send_signal(LineDiscipline::Signal signal);
    struct Pace { // of a read: what VMIN and VTIME ask for, in nanoseconds
        std::size_t least = 1;
        std::uint64_t first = sched::kNever, between = sched::kNever;
    };
    Pace pace();
    template <typename Look>
    sched::Outcome wait(sched::WaitQueue& queue, WhenBlocked when, sched::Deadline deadline, Look&& look);

    RefCount references_;
    Reservation charge_;
    const Ref<ProcessTable> family_;
    const mm::OwnedBytes rings_;
    TerminalName name_; // under the process table's lock
    Lock lock_;
    LineDiscipline discipline_ AIOS_GUARDED_BY(lock_);
    WindowSize window_ AIOS_GUARDED_BY(lock_){};
    std::uint32_t slaves_ AIOS_GUARDED_BY(lock_) = 0;
    bool was_slave_closed_ AIOS_GUARDED_BY(lock_) = false, is_hung_up_ AIOS_GUARDED_BY(lock_) = false,
                           is_locked_ AIOS_GUARDED_BY(lock_) = true, has_packets_ AIOS_GUARDED_BY(lock_) = false;
    std::uint8_t packet_ AIOS_GUARDED_BY(lock_) = 0; // what the next packet has to tell
    std::atomic<bool> is_exclusive_{false};
    event::Source master_source_, slave_source_;
    sched::WaitQueue typists_, watchers_, readers_, writers_; // the master's two, the slave's two
};

} // namespace aios::linux_abi
