// How bytes go through a terminal, and who waits for them. See terminal.hpp; settings and state are in terminal_state.cpp.
#include "personality/linux/terminal.hpp"

#include "kernel/time/clock.hpp"
#include "personality/linux/process.hpp"
#include "personality/linux/terminal_jobs.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kTenthOfSecond = 100'000'000;

// SAFETY: bytes as characters, of the block that was made for both rings.
LineDiscipline::Ring ring_at(const mm::OwnedBytes& rings, std::size_t offset) {
    return LineDiscipline::Ring(reinterpret_cast<std::uint8_t*>(rings.data() + offset), LineDiscipline::kBytes);
}

} // namespace

Terminal::Terminal(mm::OnHeap, Reservation charge, ProcessTable& family, mm::OwnedBytes rings)
    : charge_(std::move(charge)), family_(Ref<ProcessTable>::share(family)), rings_(std::move(rings)), name_(*this),
      discipline_(ring_at(rings_, 0), ring_at(rings_, LineDiscipline::kBytes)), master_source_(kSignalWritable),
      slave_source_(kSignalWritable) {}

// The master has closed, so that neither name nor session are left.
Terminal::~Terminal() { AIOS_ASSERT(!name_.node.is_linked()); }

std::expected<Ref<Terminal>, Errno> Terminal::create(LinuxProcess& process) {
    ProcessTable& family = process.family();
    mm::OwnedBytes rings = LINUX_TRY(mm::OwnedBytes::make(process.quota(), 2 * std::uint64_t{LineDiscipline::kBytes}));
    Reservation charge = LINUX_TRY(Reservation::make(process.quota(), Resource::memory, mm::cost_of<Terminal>));
    auto made = Ref<Terminal>::adopt(LINUX_TRY(mm::make<Terminal>(std::move(charge), family, std::move(rings))));
    ProcessTable::Lock::Guard guard(family.lock);
    if (!family.terminals.add(made->name_)) return std::unexpected(kNoSpace);
    return made;
}

// One look for who does not wait.
template <typename Look>
sched::Outcome Terminal::wait(sched::WaitQueue& queue, WhenBlocked when, sched::Deadline deadline, Look&& look) {
    if (when == WhenBlocked::fail) return look() ? sched::Outcome::ready : sched::Outcome::timed_out;
    return queue.wait(deadline, look);
}

Terminal::Change Terminal::update_locked(std::uint64_t told_master, std::uint64_t told_slave) {
    lock_.assert_held();
    constexpr std::uint64_t kAll = kSignalReadable | kSignalWritable | kSignalClosed | kSignalError;
    const auto set = [](event::Source& source, std::uint64_t levels, std::uint64_t told) {
        const std::uint64_t before = source.levels();
        source.clear(kAll & ~levels);
        return source.raise(levels & (told | ~before));
    };
    std::uint64_t master = 0, slave = 0;
    if (discipline_.output_waiting() != 0 || (has_packets_ && packet_ != 0)) master |= kSignalReadable;
    if (discipline_.takes_input()) master |= kSignalWritable;
    if (was_slave_closed_ && slaves_ == 0) master |= kSignalClosed;
    if (is_hung_up_) {
        slave = kAll;
    } else {
        if (discipline_.is_readable()) slave |= kSignalReadable;
        if (discipline_.takes_output()) slave |= kSignalWritable;
    }
    return {set(master_source_, master, told_master), set(slave_source_, slave, told_slave)};
}

// Each of the waiters looks for itself: what they wait for differs.
void Terminal::tell(const Change& change) {
    master_source_.tell(change.master);
    slave_source_.tell(change.slave);
    if ((change.master.signals & (kSignalReadable | kSignalClosed)) != 0) watchers_.wake_all();
    if ((change.master.signals & kSignalWritable) != 0) typists_.wake_all();
    if ((change.slave.signals & (kSignalReadable | kSignalClosed)) != 0) readers_.wake_all();
    if ((change.slave.signals & (kSignalWritable | kSignalClosed)) != 0) writers_.wake_all();
}

void Terminal::send_signal(LineDiscipline::Signal signal) {
    switch (signal) {
    case LineDiscipline::Signal::none:
        return;
    case LineDiscipline::Signal::interrupt:
        return signal_foreground(*this, kSigInterrupt);
    case LineDiscipline::Signal::quit:
        return signal_foreground(*this, kSigQuit);
    case LineDiscipline::Signal::suspend:
        return signal_foreground(*this, kSigTerminalStop);
    }
    AIOS_UNREACHABLE();
}

std::expected<std::size_t, Errno> Terminal::type(Bytes typed, WhenBlocked when) {
    std::size_t done = 0;
    while (done < typed.size()) {
        Change change;
        LineDiscipline::Received received;
        const auto look = [&] {
            Lock::Guard guard(lock_);
            const bool was_stopped = discipline_.is_stopped();
            received = discipline_.receive(typed.subspan(done));
            if (received.taken == 0) return false;
            if (was_stopped != discipline_.is_stopped())
                note_packet_locked(was_stopped ? kPacketStarted : kPacketStopped);
            if (received.has_flushed) note_packet_locked(kPacketFlushedInput | kPacketFlushedOutput);
            change = update_locked(kSignalReadable, kSignalReadable);
            return true;
        };
        const sched::Outcome outcome = wait(typists_, when, sched::kNever, look);
        if (outcome != sched::Outcome::ready) {
            if (done != 0) return done;
            return std::unexpected(outcome == sched::Outcome::interrupted ? kInterrupted : kAgain);
        }
        done += received.taken;
        tell(change);
        readers_.wake_all(); // who collects VMIN bytes takes them as they come, below the level too
        send_signal(received.signal);
    }
    return done;
}

std::expected<std::size_t, Errno> Terminal::take(MutableBytes to, WhenBlocked when) {
    std::size_t done = 0;
    bool is_over = false;
    Change change;
    const auto look = [&] {
        Lock::Guard guard(lock_);
        is_over = false;
        if (has_packets_) {
            to[0] = std::byte{std::exchange(packet_, std::uint8_t{0})};
            if (to[0] != std::byte{kPacketData}) {
                done = 1;
            } else if (const std::size_t data = discipline_.take_output(to.subspan(1)); data != 0) {
                done = data + 1;
            }
        } else {
            done = discipline_.take_output(to);
        }
        is_over = done == 0 && was_slave_closed_ && slaves_ == 0;
        if (done != 0) change = update_locked(0, kSignalWritable);
        return done != 0 || is_over;
    };
    const sched::Outcome outcome = wait(watchers_, when, sched::kNever, look);
    tell(change);
    if (is_over) return std::unexpected(kIo);
    if (outcome == sched::Outcome::ready) return done;
    return std::unexpected(outcome == sched::Outcome::interrupted ? kInterrupted : kAgain);
}

Terminal::Pace Terminal::pace() {
    Lock::Guard guard(lock_);
    if (discipline_.is_canonical()) return {};
    const std::size_t least = discipline_.settings().characters[kPlaceMinimum];
    const std::uint64_t time = discipline_.settings().characters[kPlaceTime] * kTenthOfSecond;
    if (least == 0) return {1, time, sched::kNever};
    return {least, sched::kNever, time == 0 ? sched::kNever : time};
}

std::expected<std::size_t, Errno> Terminal::read(MutableBytes to, WhenBlocked when) {
    const Pace pace = this->pace();
    if (pace.first == 0) when = WhenBlocked::fail; // VMIN and VTIME 0: what there is
    sched::Deadline deadline = time::deadline_after(pace.first);
    for (std::size_t done = 0;;) {
        bool is_whole = false;
        Change change;
        const auto look = [&] {
            Lock::Guard guard(lock_);
            if (!is_hung_up_ && !discipline_.has_input()) return false;
            if (!is_hung_up_) done += discipline_.read(to.subspan(done));
            is_whole = is_hung_up_ || discipline_.is_canonical() || done >= pace.least || done == to.size();
            change = update_locked(kSignalWritable, 0);
            return true;
        };
        const sched::Outcome outcome = wait(readers_, when, deadline, look);
        tell(change);
        if (outcome == sched::Outcome::ready) {
            if (is_whole) return done;
            if (pace.between != sched::kNever) deadline = time::deadline_after(pace.between);
            continue;
        }
        if (done != 0 || pace.first == 0) return done;
        if (outcome == sched::Outcome::interrupted) return std::unexpected(kInterrupted);
        if (when == WhenBlocked::fail) return std::unexpected(kAgain);
        return 0; // VTIME is over
    }
}

std::expected<std::size_t, Errno> Terminal::write(Bytes from, WhenBlocked when) {
    std::size_t done = 0;
    bool is_over = false;
    while (done < from.size()) {
        std::size_t taken = 0;
        Change change;
        const auto look = [&] {
            Lock::Guard guard(lock_);
            is_over = is_hung_up_;
            if (is_over) return true;
            if (!discipline_.is_stopped()) taken = discipline_.write(from.subspan(done));
            if (taken != 0) change = update_locked(kSignalReadable, 0);
            return taken != 0;
        };
        const sched::Outcome outcome = wait(writers_, when, sched::kNever, look);
        done += taken;
        tell(change);
        if (outcome == sched::Outcome::ready && !is_over) continue;
        if (done != 0) return done;
        if (is_over) return std::unexpected(kIo);
        return std::unexpected(outcome == sched::Outcome::interrupted ? kInterrupted : kAgain);
    }
    return done;
}

} // namespace aios::linux_abi
