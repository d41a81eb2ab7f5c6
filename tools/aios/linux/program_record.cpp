#include "tools/aios/linux/program_record.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <format>

#include <poll.h>
#include <unistd.h>

#include "abi/input.hpp"
#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "messages/view.hpp"
#include "tools/aios/host/stop.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/record/audit_record.hpp"

namespace aios::host {

namespace {

constexpr int kSignalBase = 128;

int signal_of_fault(std::uint64_t vector) {
    switch (vector) { // Intel's manual, volume 3, table 6-1
    case 0:           // division
    case 16:          // x87
    case 19:          // SIMD
        return SIGFPE;
    case 1:
    case 3:
        return SIGTRAP;
    case 6:
        return SIGILL;
    case 12:
    case 17:
        return SIGBUS;
    default:
        return SIGSEGV;
    }
}

} // namespace

int shell_status(EndReason reason, std::uint64_t status) {
    switch (reason) {
    case EndReason::exited:
        return static_cast<int>(status & 0xff);
    case EndReason::fault:
        return kSignalBase + signal_of_fault(status);
    case EndReason::integrity:
        return kSignalBase + SIGBUS;
    case EndReason::quota: // its status is the fault's
        return kSignalBase + SIGKILL;
    default:
        return kSignalBase + ((status & 0x7f) != 0 ? static_cast<int>(status & 0x7f) : SIGKILL);
    }
}

std::unexpected<Failure> ProgramRecord::out_of_time() const {
    return failure(kLinuxOutOfTime, std::format("'{}' did not end within {} s and was ended.", printable(program_),
                                                timeout_seconds_.value_or(0)));
}

// Nobody may read the output, for however long: it is written in pieces that fit, and time and signals count meanwhile. When
// the run is to end by one of them the rest is dropped, so that what the program changed is heard.
Outcome<> ProgramRecord::write_all(int file, Bytes bytes) {
    while (!bytes.empty() && !drops_output_) {
        pollfd ready{file, POLLOUT, 0};
        if (::poll(&ready, 1, 100) == 0) {
            const bool is_late =
                timeout_seconds_ && std::chrono::steady_clock::now() - begin_ > std::chrono::seconds(*timeout_seconds_);
            drops_output_ = stop_signal() != 0 || is_late;
            continue;
        }
        const ssize_t count = ::write(file, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count < 0)
            return failure(errno == EPIPE ? Exit{kSignalBase + SIGPIPE} : kLinuxFailed,
                           std::format("the program's output could not be written: {}.", std::strerror(errno)));
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

Outcome<> ProgramRecord::take_output(Bytes message) {
    using messages::decode, messages::type_word;
    namespace view = messages::view;
    namespace owned = messages::owned;
    const auto type = messages::type_of(message);
    if (type && *type == type_word<view::ProgramText>) {
        if (const auto text = decode<view::ProgramText>(message))
            return write_all(text->stream == 2 ? STDERR_FILENO : STDOUT_FILENO, text->text);
    } else if (type && *type == type_word<view::ProgramChange>) { // without --out nobody wants them
        if (const auto change = decode<view::ProgramChange>(message))
            return changes_ ? changes_->take(*change) : Outcome<>();
    } else if (type && *type == type_word<view::ProgramData>) {
        if (const auto data = decode<view::ProgramData>(message)) return changes_ ? changes_->take(*data) : Outcome<>();
    } else if (type && *type == type_word<view::ProgramInput>) {
        if (const auto taken = decode<view::ProgramInput>(message)) {
            input_taken_ += taken->bytes;
            return {};
        }
    } else if (type && *type == type_word<owned::ProgramEnd>) {
        if (auto end = decode<owned::ProgramEnd>(message)) {
            end_ = std::move(*end);
            return {};
        }
    }
    return failure(kLinuxFailed, "the runner said something that cannot be read.");
}

Outcome<> ProgramRecord::take(const Frame& frame) {
    if (frame.kind != FrameKind::job_output) return take_frame(frame, 0, record_, {});
    cbor::Decoder in(frame.body);
    const auto message = in.bytes();
    if (!message) return failure(kLinuxFailed, "the runner said something that cannot be read.");
    return take_output(*message);
}

Outcome<Exit> ProgramRecord::judge(const MachineResult& result) {
    if (!end_) {
        std::string why = result.status == kStatusPanic ? "the kernel of AIOS stopped"
                          : result.message.empty()      ? std::format("QEMU's status is {}", result.status)
                                                   : printable(result.message.substr(0, result.message.find('\n')));
        for (const Remark& note : record_.notes)
            why += std::format("; {}: {}", printable(note.agent), printable(note.text));
        return failure(kLinuxFailed, std::format("AIOS ended before the program did: {}.", why));
    }
    if (end_->error != 0)
        return failure(kLinuxCannotRun, std::format("'{}' cannot run: {}.", printable(program_),
                                                    error_info(static_cast<Error>(end_->error)).sentence));
    if (changes_) HOST_TRY(changes_->finish(end_->lost != 0));
    if (end_->lost != 0)
        return failure(kLinuxFailed,
                       std::format("what '{}' changed could not be told to the end: {}. What came is in --out.",
                                   printable(program_), error_info(static_cast<Error>(end_->lost)).sentence));
    switch (static_cast<ProgramCut>(end_->cut)) {
    case ProgramCut::out_of_time:
        return out_of_time();
    case ProgramCut::stopped:
        return failure(kLinuxFailed, "the run was interrupted.");
    case ProgramCut::none:
        break;
    }
    const auto reason = static_cast<EndReason>(end_->reason);
    const Exit exit{shell_status(reason, end_->status)};
    if (reason == EndReason::quota)
        return failure(
            exit, std::format("'{}' was ended: it used up its memory; give it more by --memory.", printable(program_)));
    if (reason == EndReason::integrity)
        return failure(exit, std::format("'{}' was ended: its files are not what was packed.", printable(program_)));
    if (exit != Exit::well && was_refused_jit())
        return failure(
            exit, std::format("'{}' ended with status {}. It had been refused memory that is writable and executable "
                              "at once; --cap jit grants it.",
                              printable(program_), static_cast<int>(exit)));
    return exit;
}

bool ProgramRecord::was_refused_jit() const {
    return std::ranges::any_of(record_.audit, [](const std::string& item) {
        const auto record = decode_audit_record(item);
        return record && audit_kind_of(record->kind) == AuditKind::refusal &&
               record->detail[0] == static_cast<std::uint64_t>(ObjectType::agent) &&
               (record->detail[1] & rights::jit.bits()) != 0;
    });
}

} // namespace aios::host
