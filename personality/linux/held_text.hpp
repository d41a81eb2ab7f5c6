// A piece of text on the heap, charged to whoever holds it.
#pragma once

#include <string_view>
#include <utility>

#include "kernel/mm/owned.hpp"

namespace aios::linux_abi {

class HeldText {
public:
    HeldText() = default;
    static Result<HeldText> copy(Payer& payer, std::string_view text);
    HeldText(HeldText&& other) noexcept : bytes_(std::move(other.bytes_)), length_(std::exchange(other.length_, 0)) {}
    HeldText& operator=(HeldText&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        std::swap(length_, other.length_);
        return *this;
    }
    [[nodiscard]] std::string_view view() const {
        return {reinterpret_cast<const char*>(bytes_.data()), length_}; // SAFETY: bytes as characters
    }

private:
    mm::OwnedBytes bytes_;
    std::size_t length_ = 0;
};

} // namespace aios::linux_abi
