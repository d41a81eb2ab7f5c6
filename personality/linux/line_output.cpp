// What goes to the screen: what programs write, and echo. See line_discipline.hpp.
#include <algorithm>

#include "personality/linux/line_discipline.hpp"

namespace aios::linux_abi {
namespace {

bool is_control(std::uint8_t c) { return c < 0x20 || c == 0x7f; }
std::uint8_t shown(std::uint8_t control) { return control ^ 0x40; } // ^C, ^?

} // namespace

// As the output flags have it. False: there is no room for all that it becomes.
bool LineDiscipline::put_output(std::uint8_t c, std::uint32_t limit) {
    if (!has_room(1, limit)) return false;
    if (!has_output_flag(kOutputProcess)) {
        push_output(c);
        return true;
    }
    switch (c) {
    case '\n':
        if (has_output_flag(kOutputNewlineReturns)) column_ = 0;
        if (has_output_flag(kOutputNewlineToBoth)) {
            if (!has_room(2, limit)) return false;
            column_ = 0;
            push_output('\r');
        }
        line_column_ = column_;
        break;
    case '\r':
        if (has_output_flag(kOutputNoReturnAtStart) && column_ == 0) return true;
        if (has_output_flag(kOutputReturnToNewline)) {
            c = '\n';
            if (!has_output_flag(kOutputNewlineReturns)) break;
        }
        line_column_ = column_ = 0;
        break;
    case '\t': {
        const std::uint32_t spaces = 8 - (column_ & 7);
        const bool is_shown = (settings_.output & kOutputTabs) == kOutputSpaces;
        if (is_shown && !has_room(spaces, limit)) return false;
        column_ += spaces;
        if (!is_shown) break;
        for (std::uint32_t i = 0; i < spaces; ++i)
            push_output(' ');
        return true;
    }
    case '\b':
        if (column_ != 0) --column_;
        break;
    default:
        if (is_control(c)) break;
        if (has_output_flag(kOutputToUpper) && c >= 'a' && c <= 'z') c -= 0x20;
        if (!is_continuation(c)) ++column_;
    }
    push_output(c);
    return true;
}

std::size_t LineDiscipline::write(Bytes written) {
    std::size_t done = 0;
    while (done < written.size() && put_output(static_cast<std::uint8_t>(written[done]), kProgramLimit))
        ++done;
    return done;
}

// Room for the longest that one character can become.
bool LineDiscipline::takes_output() const { return !is_stopped_ && has_room(8, kProgramLimit); }

std::size_t LineDiscipline::take_output(MutableBytes to) {
    const std::size_t count = std::min<std::size_t>(to.size(), output_waiting());
    for (std::size_t i = 0; i < count; ++i)
        to[i] = std::byte{output_[output_tail_++ & kMask]};
    return count;
}

void LineDiscipline::put_flow_character(unsigned place) {
    const std::uint8_t c = settings_.characters[place];
    if (c != 0 && has_room(1, kBytes)) push_output(c);
}

void LineDiscipline::echo_raw(std::string_view text) {
    if (!has_room(static_cast<std::uint32_t>(2 * text.size()), kBytes)) return; // a newline may become two
    for (const char c : text)
        (void)put_output(static_cast<std::uint8_t>(c), kBytes);
}

void LineDiscipline::echo(std::uint8_t c) {
    if (!has_local(kLocalEchoControl) || !is_control(c) || c == '\t') {
        (void)put_output(c, kBytes);
        return;
    }
    if (!has_room(2, kBytes)) return;
    push_output('^');
    push_output(shown(c));
    column_ += 2;
}

void LineDiscipline::echo_typed(std::uint8_t c) {
    if (c == '\n') return echo_raw("\n");
    if (line_end_ == head_) line_column_ = column_; // the line begins here
    echo(c);
}

void LineDiscipline::erase_echo(std::uint8_t erased) {
    if (erased == '\t') return erase_tab();
    const bool is_hidden = is_control(erased) && !has_local(kLocalEchoControl);
    if (is_hidden) return;
    if (is_control(erased)) echo_raw("\b \b");
    echo_raw("\b \b");
}

// Back to where the tab began: behind what is left of the line since its start or the last tab.
void LineDiscipline::erase_tab() {
    std::uint32_t before = 0;
    bool is_behind_tab = false;
    for (std::uint32_t at = head_; at != line_end_ && !is_behind_tab;) {
        const std::uint8_t c = input_at(--at);
        if (c == '\t') {
            is_behind_tab = true;
        } else if (is_control(c)) {
            before += has_local(kLocalEchoControl) ? 2 : 0;
        } else if (!is_continuation(c)) {
            ++before;
        }
    }
    if (!is_behind_tab) before += line_column_;
    const std::uint32_t back = 8 - (before & 7);
    if (!has_room(back, kBytes)) return;
    for (std::uint32_t i = 0; i < back; ++i) {
        push_output('\b');
        if (column_ != 0) --column_;
    }
}

void LineDiscipline::reprint(std::uint8_t c) {
    echo(c);
    echo_raw("\n");
    for (std::uint32_t at = line_end_; at != head_; ++at)
        echo(input_at(at));
}

} // namespace aios::linux_abi
