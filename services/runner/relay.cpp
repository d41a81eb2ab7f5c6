// See relay.hpp.
#include "services/runner/relay.hpp"

#include "base/bytes.hpp"
#include "messages/view.hpp"

namespace aios::runner {
namespace {

constexpr std::size_t kPiece = 32 << 10; // of output; a frame takes 120 KiB
constexpr std::size_t kHead = 64;        // of a message around it
constexpr std::size_t kRoom = kInputHead + kMaxInputPiece;
struct Stack {
    alignas(16) std::byte bytes[16 << 10];
};
Stack g_listener_stack, g_passer_stack;
std::byte g_output[kPiece];
std::byte g_message[kPiece + kHead];
std::byte g_heard[kRoom], g_passed[kRoom]; // head and piece, of each thread

// SAFETY: addresses cross the border as words.
template <typename T>
std::uint64_t word(T* place) {
    return reinterpret_cast<std::uint64_t>(place);
}

// All of it; false: the host has gone, or sends what it should not.
bool receive_all(Handle host, MutableBytes to) {
    while (!to.empty()) {
        const auto bytes = sys::host_receive(host, to.data(), to.size());
        if (!bytes) return false;
        to = to.subspan(*bytes);
    }
    return true;
}

bool read_all(Handle reader, MutableBytes to) {
    while (!to.empty()) {
        const auto bytes = sys::stream_read(reader, to.data(), to.size(), 0);
        if (!bytes || *bytes == 0) return false;
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

InputHead head_of(const std::byte* piece) { return decode_input_head(load_le<std::uint32_t>(piece)); }

void listen(std::uint64_t argument) {
    auto& input = *reinterpret_cast<Input*>(argument); // SAFETY: start_input gave it, and it stays
    while (receive_all(input.host, MutableBytes(g_heard).first(kInputHead))) {
        const InputHead head = head_of(g_heard);
        if (head.bytes > kMaxInputPiece) break;
        const MutableBytes piece = MutableBytes(g_heard).first(kInputHead + head.bytes);
        if (!receive_all(input.host, piece.subspan(kInputHead))) break;
        if (head.kind == InputKind::stop) {
            input.cut->cut(input.child, ProgramCut::stopped);
        } else if (!write_all(input.between.writer.get(), piece)) {
            break;
        }
    }
    input.between.writer.reset(); // what came is passed on, and then the input is at its end
    (void)sys::thread_exit();
}

void tell_passed(Handle host, std::uint64_t bytes) {
    std::byte room[kHead];
    const auto message = messages::encode(room, messages::view::ProgramInput{.bytes = bytes});
    if (message) (void)sys::host_send(host, message->data(), message->size());
}

void pass(std::uint64_t argument) {
    auto& input = *reinterpret_cast<Input*>(argument); // SAFETY: start_input gave it, and it stays
    const Handle from = input.between.reader.get();
    while (read_all(from, MutableBytes(g_passed).first(kInputHead))) {
        const InputHead head = head_of(g_passed);
        const MutableBytes piece = MutableBytes(g_passed).first(kInputHead + head.bytes);
        if (!read_all(from, piece.subspan(kInputHead))) break;
        const MutableBytes passed = input.heads == Heads::passed_on ? piece : piece.subspan(kInputHead);
        if (input.writer && !write_all(input.writer.get(), passed)) input.writer.reset();
        if (head.kind == InputKind::data && head.bytes == 0) input.writer.reset(); // the program reads to the end
        tell_passed(input.host, piece.size());
    }
    input.writer.reset();
    (void)sys::thread_exit();
}

Result<> start(Handle self, void (*entry)(std::uint64_t), Stack& stack, Input& input) {
    const std::uint64_t top = word(stack.bytes + sizeof(stack.bytes)) - 8; // as after a call
    TRY(sys::thread_create(self, word(entry), top, word(&input)));
    return {};
}

} // namespace

Result<Ends> make_stream(Handle self) {
    StreamHandles made{};
    TRY(sys::stream_create(self, &made));
    return Ends{OwnedHandle(made.reader), OwnedHandle(made.writer)};
}

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
    input.between = TRY(make_stream(self));
    TRY(start(self, pass, g_passer_stack, input));
    return start(self, listen, g_listener_stack, input);
}

} // namespace aios::runner
