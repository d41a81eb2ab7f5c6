#include "tools/aios/machine/host_input.hpp"

#include <cerrno>
#include <string_view>

#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

int HostInput::file(std::uint64_t taken) const { return waiting_.empty() && has_room(taken) ? file_ : -1; }

void HostInput::add(InputHead head, std::string_view bytes) {
    std::byte word[kInputHead];
    store_le(word, encode_input_head(head));
    waiting_ += as_text(word);
    waiting_ += bytes;
    if (head.kind != InputKind::stop) given_ += kInputHead + bytes.size();
}

void HostInput::add_window(TerminalWindow window) {
    std::byte bytes[2 * sizeof(std::uint16_t)];
    store_le(bytes, window.rows);
    store_le(bytes + sizeof(std::uint16_t), window.columns);
    add({InputKind::window, sizeof(bytes)}, as_text(bytes));
}

void HostInput::read() {
    char bytes[kMaxInputPiece];
    const ssize_t count = ::read(file_, bytes, sizeof bytes);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    const std::size_t size = count > 0 ? static_cast<std::size_t>(count) : 0; // none: the end, as is an error
    add({InputKind::data, static_cast<std::uint32_t>(size)}, {bytes, size});
    if (size == 0) file_ = -1;
}

void HostInput::send(int guest) {
    const ssize_t count = ::send(guest, waiting_.data(), waiting_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) waiting_.erase(0, static_cast<std::size_t>(count));
    if (count < 0 && errno != EINTR && errno != EAGAIN) { // the machine is gone
        waiting_.clear();
        file_ = -1;
    }
}

} // namespace aios::host
