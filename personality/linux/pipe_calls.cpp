// Pipes: two open files over the ends of one Stream (pipe_file.hpp).
#include "personality/linux/anonymous_file.hpp"
#include "personality/linux/pipe_file.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

Outcome create(Call& call, UserOut<std::int32_t> out, std::uint64_t flags) {
    LinuxProcess& process = call.process;
    ipc::StreamEnd::Pair ends = LINUX_TRY(ipc::StreamEnd::create(process.quota()));
    const std::uint64_t inode = process.family().new_inode();
    auto reader = LINUX_TRY(open_stream_end(process.quota(), std::move(ends.reader), {}, inode));
    auto writer = LINUX_TRY(open_stream_end(process.quota(), std::move(ends.writer), {}, inode));
    return install_pair(call, std::move(reader), std::move(writer), out, flags);
}

} // namespace

Outcome call_pipe(Call& call, UserOut<std::int32_t> out) { return create(call, out, 0); }

// O_DIRECT, pipes of packets, is refused: a Stream is bytes.
Outcome call_pipe2(Call& call, UserOut<std::int32_t> out, Flags<kFileFlags> flags) {
    return create(call, out, flags.bits);
}

// F_GETPIPE_SZ, F_SETPIPE_SZ.
Outcome pipe_capacity(Call& call, OpenFile& file, std::uint32_t command, std::uint64_t argument) {
    ipc::Stream* const stream = file.pipe();
    if (stream == nullptr) return refuse(kBadFd);
    if (command == kFcntlGetPipeBytes) return stream->capacity();
    if (file.has_authority()) return refuse(kPerm); // whoever made it would pay
    const auto bytes = static_cast<std::uint32_t>(argument);
    if (bytes > 1u << 31) return refuse(kInvalid); // 0 is the least there is
    const auto done = stream->resize(bytes);
    if (!done && done.error() == Error::too_large) return refuse(kPerm);
    if (!done && done.error() == Error::interrupted) return interrupted_call(call, AfterHandler::restarts);
    return done ? Outcome(*done) : refuse(done.error());
}

} // namespace aios::linux_abi
