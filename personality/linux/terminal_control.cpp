// The ioctl requests of terminals. See terminal_file.hpp. Both sides speak of the same settings, window, group and session;
// "input" and "output" are those of the side that is asked.
#include "personality/linux/signals.hpp"
#include "personality/linux/terminal_file.hpp"
#include "personality/linux/terminal_jobs.hpp"

namespace aios::linux_abi {
namespace {

using UserNumber = UserOut<std::int32_t>;

Outcome outcome_of(Errno error) { return error == Errno{} ? Outcome(0) : refuse(error); }

Outcome tell_number(std::uint64_t argument, std::expected<std::int32_t, Errno> number) {
    return answer(UserNumber(argument), LINUX_TRY(std::move(number)));
}

std::expected<TerminalSettings, Errno> fetch_settings(std::uint32_t request, std::uint64_t argument) {
    switch (request) {
    case kTerminalSet2:
    case kTerminalSetDrained2:
    case kTerminalSetFlushed2: {
        const TerminalSettings2 given = LINUX_TRY(UserIn<TerminalSettings2>(argument).read());
        return given.base;
    }
    default:
        return LINUX_TRY(UserIn<TerminalSettings>(argument).read());
    }
}

Outcome set_settings(Terminal& terminal, std::uint32_t request, std::uint64_t argument) {
    const TerminalSettings given = LINUX_TRY(fetch_settings(request, argument));
    const bool is_flushed = request == kTerminalSetFlushed || request == kTerminalSetFlushed2;
    terminal.set(given, is_flushed ? Terminal::WithInput::flushed : Terminal::WithInput::kept);
    return 0;
}

// TCXONC: 0 and 1 hold programs' output and let it go on, 2 and 3 ask the other end for the same.
Outcome control_flow(Terminal& terminal, std::uint64_t what) {
    switch (what) {
    case 0:
    case 1:
        terminal.set_flow(what == 0 ? LineDiscipline::Flow::stopped : LineDiscipline::Flow::goes_on);
        return 0;
    case 2:
        terminal.send_flow_character(kPlaceStop);
        return 0;
    case 3:
        terminal.send_flow_character(kPlaceStart);
        return 0;
    default:
        return refuse(kInvalid);
    }
}

// TCFLSH: what came in, what goes out, both.
Outcome flush(Terminal& terminal, std::uint64_t what, AskedFrom from) {
    if (what > 2) return refuse(kInvalid);
    if (what == 2) {
        terminal.flush(Terminal::Flushed::both);
    } else {
        terminal.flush((what == 0) == (from == AskedFrom::slave) ? Terminal::Flushed::input
                                                                 : Terminal::Flushed::output);
    }
    return 0;
}

Outcome set_foreground(Call& call, Terminal& terminal, std::uint64_t argument, AskedFrom from) {
    if (from == AskedFrom::slave) {
        const Errno error = check_foreground(call, terminal, kSigTerminalOut);
        if (error != Errno{}) return refuse(error == kIo ? kNotTerminal : error);
    }
    const auto group = LINUX_TRY(UserIn<std::int32_t>(argument).read());
    return outcome_of(linux_abi::set_foreground(call.process, terminal, group));
}

// What changes the terminal, which a program in the background does not do unasked.
bool is_change(std::uint32_t request) {
    switch (request) {
    case kTerminalSet:
    case kTerminalSetDrained:
    case kTerminalSetFlushed:
    case kTerminalSet2:
    case kTerminalSetDrained2:
    case kTerminalSetFlushed2:
    case kTerminalBreak:
    case kTerminalBreakPosix:
    case kTerminalFlow:
    case kTerminalFlush:
        return true;
    default:
        return false;
    }
}

Outcome control_both(Call& call, Terminal& terminal, std::uint32_t request, std::uint64_t argument, AskedFrom from) {
    switch (request) {
    case kTerminalGet:
        return answer(UserOut<TerminalSettings>(argument), terminal.settings());
    case kTerminalGet2:
        return answer(UserOut<TerminalSettings2>(argument), {terminal.settings(), 38400, 38400});
    case kTerminalSet:
    case kTerminalSetDrained: // a pseudo-terminal's output is where it goes at once
    case kTerminalSetFlushed:
    case kTerminalSet2:
    case kTerminalSetDrained2:
    case kTerminalSetFlushed2:
        return set_settings(terminal, request, argument);
    case kTerminalBreak: // nothing to send it on, or to wait for
    case kTerminalBreakPosix:
    case kTerminalSetLine:
        return request == kTerminalSetLine && LINUX_TRY(UserIn<std::int32_t>(argument).read()) != 0 ? refuse(kInvalid)
                                                                                                    : Outcome(0);
    case kTerminalGetLine:
    case kTerminalOutputWaiting:
        return answer(UserNumber(argument), 0);
    case kTerminalFlow:
        return control_flow(terminal, argument);
    case kTerminalFlush:
        return flush(terminal, argument, from);
    case kTerminalExclude:
    case kTerminalInclude:
        terminal.set_users(request == kTerminalExclude ? Terminal::Users::one : Terminal::Users::all);
        return 0;
    case kTerminalGetExclusion:
        return answer(UserNumber(argument), terminal.is_exclusive() ? 1 : 0);
    case kTerminalGetWindow:
        return answer(UserOut<WindowSize>(argument), terminal.window());
    case kTerminalSetWindow:
        terminal.set_window(LINUX_TRY(UserIn<WindowSize>(argument).read()));
        return 0;
    case kTerminalTake:
        return outcome_of(take_terminal(call.process, terminal, argument == 1 ? Steal::yes : Steal::no));
    case kTerminalGiveUp:
        return outcome_of(give_terminal_up(call.process, terminal));
    case kTerminalGetGroup:
        return tell_number(argument, foreground_of(call.process, terminal, from));
    case kTerminalGetSession:
        return tell_number(argument, session_of(call.process, terminal, from));
    case kTerminalSetGroup:
        return set_foreground(call, terminal, argument, from);
    default:
        return refuse(kNotTerminal);
    }
}

std::uint64_t access_of(std::uint64_t flags) { return flags & kOpenAccessMask; }

Outcome open_peer(Call& call, const Ref<Terminal>& terminal, std::uint64_t flags) {
    Ref<OpenFile> file = LINUX_TRY(open_slave_of(call.process.quota(), terminal));
    file->readable = access_of(flags) != kOpenWriteOnly;
    file->writable = access_of(flags) != kOpenReadOnly;
    file->opened(call, flags);
    return install(call, std::move(file), flags);
}

Outcome send_typed(Terminal& terminal, std::uint64_t signal) {
    if (signal != kSigInterrupt && signal != kSigQuit && signal != kSigTerminalStop) return refuse(kInvalid);
    signal_foreground(terminal, static_cast<int>(signal));
    return 0;
}

} // namespace

Outcome control_slave(Call& call, Terminal& terminal, std::uint32_t request, std::uint64_t argument) {
    if (terminal.is_hung_up()) return refuse(request == kTerminalSetGroup ? kNotTerminal : kIo);
    if (request == kTerminalInputWaiting)
        return answer(UserNumber(argument), static_cast<std::int32_t>(terminal.input_waiting()));
    if (request == kTerminalGetDevice)
        return answer(UserNumber(argument), static_cast<std::int32_t>(136u << 8 | terminal.number()));
    if (is_change(request)) {
        if (const Errno error = check_foreground(call, terminal, kSigTerminalOut); error != Errno{})
            return refuse(error);
    }
    return control_both(call, terminal, request, argument, AskedFrom::slave);
}

Outcome control_master(Call& call, const Ref<Terminal>& terminal, std::uint32_t request, std::uint64_t argument) {
    switch (request) {
    case kTerminalInputWaiting:
        return answer(UserNumber(argument), static_cast<std::int32_t>(terminal->output_waiting()));
    case kTerminalGetNumber:
        return answer(UserNumber(argument), static_cast<std::int32_t>(terminal->number()));
    case kTerminalSetLock:
        terminal->set_opening(LINUX_TRY(UserIn<std::int32_t>(argument).read()) != 0 ? Terminal::Opening::refused
                                                                                    : Terminal::Opening::allowed);
        return 0;
    case kTerminalGetLock:
        return answer(UserNumber(argument), terminal->opening() == Terminal::Opening::refused ? 1 : 0);
    case kTerminalPackets:
        terminal->set_packets(LINUX_TRY(UserIn<std::int32_t>(argument).read()) != 0 ? Terminal::Packets::told
                                                                                    : Terminal::Packets::none);
        return 0;
    case kTerminalGetPackets:
        return answer(UserNumber(argument), terminal->packets() == Terminal::Packets::told ? 1 : 0);
    case kTerminalOpenPeer:
        return open_peer(call, terminal, argument);
    case kTerminalSignal:
        return send_typed(*terminal, argument);
    default:
        return control_both(call, *terminal, request, argument, AskedFrom::master);
    }
}

} // namespace aios::linux_abi
