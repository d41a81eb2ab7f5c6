// See relay.hpp.
#include "services/runner/relay.hpp"

#include "base/bytes.hpp"
#include "messages/view.hpp"

namespace aios::runner {
namespace {

constexpr std::size_t kPiece = 32 << 10; // of output; a frame takes 120 KiB
constexpr std::size_t kHead = 64;        // of a message around it
alignas(16) std::byte g_stack[16 << 10];
std::byte g_output[kPiece];
std::byte g_message[kPiece + kHead];
std::byte g_input[kMaxInputPiece];

// All of it; false: the host has gone, or sends what it should not.
bool receive_all(Handle host, MutableBytes to) {
    while (!to.empty()) {
        const auto bytes = sys::host_receive(host, to.data(), to.size());
        if (!bytes) return false;
        to = to.subspan(*bytes);
    }
    return true;
}

// False: nobody reads it.
bool write_all(Handle writer, Bytes from) {
    while (!from.empty()) {
        const auto bytes = sys::stream_write(writer, from.data(), from.size(), 0);
        if (!bytes) return false;
        from = from.subspan(*bytes);
    }
    return true;
}

void relay_input(std::uint64_t argument) {
    auto& input = *reinterpret_cast<Input*>(argument); // SAFETY: start_input gave it, and it stays
    std::byte head[kInputHead];
    while (receive_all(input.host, head)) {
        const auto bytes = load_le<std::uint32_t>(head);
        if (bytes == 0 || bytes > kMaxInputPiece) break;
        const MutableBytes piece(g_input, bytes);
        if (!receive_all(input.host, piece)) break;
        if (input.writer && !write_all(input.writer.get(), piece)) input.writer.reset();
    }
    input.writer.reset(); // the program reads to the end
    (void)sys::thread_exit();
}

} // namespace

Relayed relay_output(Handle host, Handle reader, std::uint64_t stream) {
    const auto bytes = sys::stream_read(reader, g_output, sizeof(g_output), kStreamNoWait);
    if (!bytes) return bytes.error() == Error::would_block ? Relayed::nothing : Relayed::end;
    if (*bytes == 0) return Relayed::end;
    const messages::view::ProgramText text{.stream = stream, .text = Bytes(g_output, *bytes)};
    const auto message = messages::encode(g_message, text);
    if (message) (void)sys::host_send(host, message->data(), message->size()); // a host that is gone reads nothing
    return Relayed::piece;
}

Result<> start_input(Handle self, Input& input) {
    // SAFETY: addresses cross the border as words.
    const auto word = [](auto* place) { return reinterpret_cast<std::uint64_t>(place); };
    const std::uint64_t stack = word(g_stack + sizeof(g_stack)) - 8; // as after a call
    TRY(sys::thread_create(self, word(&relay_input), stack, word(&input)));
    return {};
}

} // namespace aios::runner
