// The last few KiB of kernel text, for the panic report.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace aios::arch::x86 {

class LogRing {
public:
    void add(std::string_view text) {
        for (const char c : text)
            bytes_[written_++ % kBytes] = c;
    }
    // The newest `most` bytes as two pieces, older first, from the start of a line.
    struct Tail {
        std::string_view first, second;
    };
    [[nodiscard]] Tail tail(std::size_t most) const {
        std::size_t count = most < kBytes ? most : kBytes;
        count = written_ < count ? written_ : count;
        std::size_t from = written_ - count;
        while (from != 0 && from < written_ && bytes_[(from - 1) % kBytes] != '\n')
            ++from;
        const std::size_t begin = from % kBytes, length = written_ - from;
        const std::size_t head = length < kBytes - begin ? length : kBytes - begin;
        return {{bytes_.data() + begin, head}, {bytes_.data(), length - head}};
    }

private:
    static constexpr std::size_t kBytes = 8192;
    std::array<char, kBytes> bytes_{};
    std::size_t written_ = 0;
};

void log_break_lock(); // panic: a CPU that was stopped may hold it
const LogRing& log_ring();

} // namespace aios::arch::x86
