// Copies between a program and contents: through a buffer, at most a page at a time, so that no lock of a file's pages is
// held while user memory faults. A thread that is being killed stops between two pieces.
#pragma once

#include <algorithm>
#include <optional>

#include "personality/linux/process.hpp"

namespace aios::linux_abi {

inline constexpr std::uint64_t kMaxFileBytes = kMaxMemoryBytes; // a file is one memory object
inline constexpr std::uint64_t kConsolePiece = 1024;

// Small transfers stay on the stack, others take a page.
class Buffer {
public:
    Errno prepare(LinuxProcess& process, std::uint64_t bytes) {
        if (bytes <= sizeof(small_)) return Errno{};
        auto page = Bounce::make(process);
        if (!page) return page.error();
        page_.emplace(std::move(*page));
        return Errno{};
    }
    [[nodiscard]] std::byte* data() { return page_ ? page_->data() : small_; }
    // How much of `left` goes next; file pieces end at page borders.
    [[nodiscard]] std::size_t piece(std::uint64_t left, std::uint64_t offset = 0) const {
        const std::uint64_t room = page_ ? Bounce::kBytes - offset % Bounce::kBytes : sizeof(small_);
        return std::min(left, room);
    }

private:
    std::byte small_[256];
    std::optional<Bounce> page_;
};

[[nodiscard]] inline Outcome partly(std::uint64_t done, Errno error) {
    return done != 0 ? Outcome(done) : refuse(error);
}

} // namespace aios::linux_abi
