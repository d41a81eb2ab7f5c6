// Opening and closing of a terminal's sides, its settings and window. See terminal.hpp.
#include "personality/linux/process.hpp"
#include "personality/linux/terminal.hpp"
#include "personality/linux/terminal_jobs.hpp"

namespace aios::linux_abi {

// Only the last of what was said about stopping counts.
void Terminal::note_packet_locked(std::uint8_t what) {
    lock_.assert_held();
    if (!has_packets_) return;
    if ((what & kPacketStopped) != 0) packet_ &= static_cast<std::uint8_t>(~kPacketStarted);
    if ((what & kPacketStarted) != 0) packet_ &= static_cast<std::uint8_t>(~kPacketStopped);
    packet_ |= what;
}

Errno Terminal::open_slave() {
    Change change;
    {
        Lock::Guard guard(lock_);
        if (is_hung_up_ || is_locked_) return kIo;
        ++slaves_;
        change = update_locked(0, 0);
    }
    tell(change);
    return Errno{};
}

void Terminal::close_slave() {
    Change change;
    {
        Lock::Guard guard(lock_);
        if (--slaves_ == 0) {
            was_slave_closed_ = true;
            has_packets_ = false;
        }
        change = update_locked(0, 0);
    }
    tell(change);
}

void Terminal::close_master() {
    {
        ProcessTable::Lock::Guard guard(family_->lock);
        family_->terminals.remove(name_);
    }
    Change change;
    {
        Lock::Guard guard(lock_);
        is_hung_up_ = true;
        change = update_locked(0, kSignalClosed);
    }
    hang_up(*this); // the signals first, so that whoever reads an end has been told why
    tell(change);
}

bool Terminal::is_hung_up() {
    Lock::Guard guard(lock_);
    return is_hung_up_;
}

void Terminal::set_opening(Opening opening) {
    Lock::Guard guard(lock_);
    is_locked_ = opening == Opening::refused;
}

Terminal::Opening Terminal::opening() {
    Lock::Guard guard(lock_);
    return is_locked_ ? Opening::refused : Opening::allowed;
}

void Terminal::set_packets(Packets packets) {
    Lock::Guard guard(lock_);
    has_packets_ = packets == Packets::told;
    packet_ = 0;
}

Terminal::Packets Terminal::packets() {
    Lock::Guard guard(lock_);
    return has_packets_ ? Packets::told : Packets::none;
}

TerminalSettings Terminal::settings() {
    Lock::Guard guard(lock_);
    return discipline_.settings();
}

void Terminal::set(const TerminalSettings& settings, WithInput input) {
    Change change;
    {
        Lock::Guard guard(lock_);
        if (input == WithInput::flushed) discipline_.flush_input();
        discipline_.set(settings);
        change = update_locked(0, 0);
    }
    tell(change);
    readers_.wake_all(); // what they wait for may be another now
}

WindowSize Terminal::window() {
    Lock::Guard guard(lock_);
    return window_;
}

void Terminal::set_window(const WindowSize& window) {
    {
        Lock::Guard guard(lock_);
        if (window_ == window) return;
        window_ = window;
    }
    signal_foreground(*this, kSigWindow);
}

std::uint32_t Terminal::input_waiting() {
    Lock::Guard guard(lock_);
    return discipline_.input_waiting();
}

std::uint32_t Terminal::output_waiting() {
    Lock::Guard guard(lock_);
    return discipline_.output_waiting();
}

void Terminal::flush(Flushed what) {
    Change change;
    {
        Lock::Guard guard(lock_);
        if (what != Flushed::output) {
            discipline_.flush_input();
            note_packet_locked(kPacketFlushedInput);
        }
        if (what != Flushed::input) {
            discipline_.flush_output();
            note_packet_locked(kPacketFlushedOutput);
        }
        change = update_locked(0, 0);
    }
    tell(change);
}

void Terminal::set_flow(LineDiscipline::Flow flow) {
    const bool is_stopped = flow == LineDiscipline::Flow::stopped;
    Change change;
    {
        Lock::Guard guard(lock_);
        if (discipline_.is_stopped() != is_stopped) note_packet_locked(is_stopped ? kPacketStopped : kPacketStarted);
        discipline_.set_flow(flow);
        change = update_locked(0, 0);
    }
    tell(change);
}

void Terminal::send_flow_character(unsigned place) {
    Change change;
    {
        Lock::Guard guard(lock_);
        discipline_.put_flow_character(place);
        change = update_locked(kSignalReadable, 0);
    }
    tell(change);
}

} // namespace aios::linux_abi
