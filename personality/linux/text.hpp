// Text that grows as it is written, charged to whoever asked for it, with a bound: what generated files and links are made
// of. Once something did not fit or could not be paid, the rest is dropped and error() says why.
#pragma once

#include "base/format.hpp"
#include "kernel/mm/owned.hpp"
#include "personality/linux/outcome.hpp"

namespace aios::linux_abi {

class Text {
public:
    static constexpr std::size_t kMostBytes = 2u << 20;

    explicit Text(Payer& payer) : payer_(&payer) {}
    void write(std::string_view text);
    template <typename... Args>
    void print(FormatString<std::type_identity_t<Args>...> format, const Args&... args) {
        aios::format(*this, format, args...);
    }
    // Room for `bytes` more, which the caller fills and then counts by added(); nullptr: there is none.
    [[nodiscard]] char* room_for(std::size_t bytes);
    void added(std::size_t bytes) { length_ += bytes; }

    [[nodiscard]] Errno error() const { return error_; }
    [[nodiscard]] std::string_view view() const { return {characters(), length_}; }
    void swap(Text& other) {
        std::swap(payer_, other.payer_);
        std::swap(bytes_, other.bytes_);
        std::swap(length_, other.length_);
        std::swap(room_, other.room_);
        std::swap(error_, other.error_);
    }

private:
    // SAFETY: bytes as characters
    [[nodiscard]] char* characters() const { return reinterpret_cast<char*>(bytes_.data()); }
    Payer* payer_; // the caller's, or of the file that keeps the text
    mm::OwnedBytes bytes_;
    std::size_t length_ = 0, room_ = 0;
    Errno error_{};
};

} // namespace aios::linux_abi
