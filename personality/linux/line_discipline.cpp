// Typing: lines, signals, flow. See line_discipline.hpp; echo and output are in line_output.cpp.
#include "personality/linux/line_discipline.hpp"

#include <utility>

namespace aios::linux_abi {
namespace {

constexpr std::uint8_t kNewline = '\n', kReturn = '\r';

bool is_word(std::uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

} // namespace

bool LineDiscipline::is_marked(std::uint32_t position) const {
    return (marks_[(position & kMask) / 64] >> (position & 63) & 1) != 0;
}

void LineDiscipline::set_mark(std::uint32_t position) { marks_[(position & kMask) / 64] |= 1ull << (position & 63); }
void LineDiscipline::clear_mark(std::uint32_t position) {
    marks_[(position & kMask) / 64] &= ~(1ull << (position & 63));
}

// What waits when lines begin to count becomes one line, when they cease to count just bytes.
void LineDiscipline::set(const TerminalSettings& settings) {
    const bool was_canonical = is_canonical();
    settings_ = settings;
    if (is_stopped_ && !has_input_flag(kInputFlow)) is_stopped_ = false; // nobody could type START
    if (was_canonical == is_canonical()) return;
    marks_.fill(0);
    is_next_plain_ = false;
    line_end_ = tail_;
    if (!is_canonical() || head_ == tail_) return;
    set_mark(head_ - 1);
    line_end_ = head_;
}

// A line that is not ended goes on for ever, though nothing is added to it: whoever types can end it.
bool LineDiscipline::takes_input() const {
    return head_ - tail_ < kBytes - 1 || (is_canonical() && line_end_ == tail_);
}

LineDiscipline::Received LineDiscipline::receive(Bytes typed) {
    Received received;
    while (received.taken < typed.size() && takes_input()) {
        received.signal = receive_one(static_cast<std::uint8_t>(typed[received.taken++]));
        if (received.signal == Signal::none) continue;
        received.has_flushed = !has_local(kLocalNoFlush);
        break;
    }
    return received;
}

LineDiscipline::Signal LineDiscipline::signal_of(std::uint8_t c) const {
    if (!has_local(kLocalSignals)) return Signal::none;
    if (is_special(c, kPlaceInterrupt)) return Signal::interrupt;
    if (is_special(c, kPlaceQuit)) return Signal::quit;
    return is_special(c, kPlaceSuspend) ? Signal::suspend : Signal::none;
}

bool LineDiscipline::take_flow(std::uint8_t c) {
    if (!has_input_flag(kInputFlow)) return false;
    const bool starts = is_special(c, kPlaceStart);
    if (!starts && !is_special(c, kPlaceStop)) return false;
    is_stopped_ = !starts;
    return true;
}

LineDiscipline::Signal LineDiscipline::receive_one(std::uint8_t c) {
    if (has_input_flag(kInputStrip)) c &= 0x7f;
    if (has_input_flag(kInputToLower) && has_local(kLocalExtended) && c >= 'A' && c <= 'Z') c |= 0x20;
    if (std::exchange(is_next_plain_, false)) {
        put_plain(c);
        return Signal::none;
    }
    if (take_flow(c)) return Signal::none;
    if (const Signal signal = signal_of(c); signal != Signal::none) {
        if (!has_local(kLocalNoFlush)) {
            flush_input();
            flush_output();
        }
        if (has_input_flag(kInputFlow)) is_stopped_ = false;
        if (has_local(kLocalEcho)) echo(c);
        return signal;
    }
    if (has_input_flag(kInputFlow) && has_input_flag(kInputAnyStarts)) is_stopped_ = false;
    if (c == kReturn) {
        if (has_input_flag(kInputIgnoreReturn)) return Signal::none;
        if (has_input_flag(kInputReturnToNewline)) c = kNewline;
    } else if (c == kNewline && has_input_flag(kInputNewlineToReturn)) {
        c = kReturn;
    }
    if (!is_canonical() || !take_canonical(c)) put_plain(c);
    return Signal::none;
}

bool LineDiscipline::take_canonical(std::uint8_t c) {
    const bool is_extended = has_local(kLocalExtended);
    if (is_special(c, kPlaceErase) || is_special(c, kPlaceKill) || (is_extended && is_special(c, kPlaceEraseWord))) {
        erase(c);
        return true;
    }
    if (is_extended && is_special(c, kPlaceNext)) {
        is_next_plain_ = true;
        if (has_local(kLocalEcho) && has_local(kLocalEchoControl)) echo_raw("^\b");
        return true;
    }
    if (is_extended && has_local(kLocalEcho) && is_special(c, kPlaceReprint)) {
        reprint(c);
        return true;
    }
    if (c == kNewline) {
        if (has_local(kLocalEcho) || has_local(kLocalEchoNewline)) echo_raw("\n");
        end_line(c);
        return true;
    }
    if (is_special(c, kPlaceEndOfFile)) {
        end_line(kEndOfFileMark);
        return true;
    }
    if (is_special(c, kPlaceEndOfLine) || (is_extended && is_special(c, kPlaceEndOfLine2))) {
        if (has_local(kLocalEcho)) echo_typed(c);
        end_line(c);
        return true;
    }
    return false;
}

void LineDiscipline::put_plain(std::uint8_t c) {
    if (has_local(kLocalEcho)) echo_typed(c);
    if (c == 0xff && has_input_flag(kInputMarkParity)) put_input(c); // so that it is no mark
    put_input(c);
}

// The last place of the ring is for the end of a line.
void LineDiscipline::put_input(std::uint8_t c) {
    if (head_ - tail_ < kBytes - 1) input_[head_++ & kMask] = c;
}

void LineDiscipline::end_line(std::uint8_t c) {
    if (head_ - tail_ >= kBytes) return; // takes_input() has seen to it
    set_mark(head_);
    input_[head_++ & kMask] = c;
    line_end_ = head_;
}

void LineDiscipline::drop_line(std::uint8_t kill) {
    head_ = line_end_;
    if (!has_local(kLocalEcho)) return;
    echo(kill);
    if (has_local(kLocalEchoKill)) echo_raw("\n");
}

// ERASE takes the last character, WERASE the last word, KILL the line.
void LineDiscipline::erase(std::uint8_t c) {
    const bool is_one = is_special(c, kPlaceErase), is_word_erased = !is_one && is_special(c, kPlaceEraseWord);
    if (head_ == line_end_) return;
    constexpr std::uint32_t kShown = kLocalEcho | kLocalEchoKill | kLocalEchoKillErase | kLocalEchoErase;
    if (!is_one && !is_word_erased && (settings_.local & kShown) != kShown) return drop_line(c);
    bool has_word = false;
    while (head_ != line_end_) {
        std::uint32_t start = head_ - 1;
        while (is_continuation(input_at(start)) && start != line_end_)
            --start;
        const std::uint8_t erased = input_at(start);
        if (is_continuation(erased)) return; // the rest of a character whose start is gone stays
        if (is_word_erased) {
            if (is_word(erased)) {
                has_word = true;
            } else if (has_word) {
                return;
            }
        }
        head_ = start;
        if (has_local(kLocalEcho)) {
            if (is_one && !has_local(kLocalEchoErase)) {
                echo(c);
            } else {
                erase_echo(erased);
            }
        }
        if (is_one) return;
    }
}

std::size_t LineDiscipline::read(MutableBytes to) {
    std::size_t done = 0;
    if (!is_canonical()) {
        for (; done < to.size() && tail_ != head_; ++tail_)
            to[done++] = std::byte{input_at(tail_)};
        return done;
    }
    while (tail_ != line_end_) {
        const bool is_end = is_marked(tail_);
        const std::uint8_t c = input_at(tail_);
        const bool is_end_of_file = is_end && c == kEndOfFileMark;
        if (!is_end_of_file) {
            if (done == to.size()) break;
            to[done++] = std::byte{c};
        }
        clear_mark(tail_++);
        if (is_end) break;
    }
    return done;
}

bool LineDiscipline::is_readable() const {
    if (is_canonical()) return line_end_ != tail_;
    const std::uint8_t minimum = settings_.characters[kPlaceMinimum];
    const bool counts = settings_.characters[kPlaceTime] == 0 && minimum != 0;
    return head_ - tail_ >= (counts ? minimum : 1u);
}

std::uint32_t LineDiscipline::input_waiting() const {
    if (!is_canonical()) return head_ - tail_;
    std::uint32_t count = 0;
    for (std::uint32_t at = tail_; at != line_end_; ++at)
        count += is_marked(at) && input_at(at) == kEndOfFileMark ? 0 : 1;
    return count;
}

void LineDiscipline::flush_input() {
    head_ = line_end_ = tail_;
    marks_.fill(0);
    is_next_plain_ = false;
}

} // namespace aios::linux_abi
