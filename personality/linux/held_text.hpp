// A piece of text on the heap, charged to whoever holds it.
#pragma once

#include <string_view>
#include <utility>

#include "kernel/mm/payer.hpp"

namespace aios::linux_abi {

class HeldText {
public:
    HeldText() = default;
    static Result<HeldText> copy(Payer& payer, std::string_view text);
    HeldText(HeldText&& other) noexcept
        : charge_(std::move(other.charge_)), text_(std::exchange(other.text_, nullptr)),
          bytes_(std::exchange(other.bytes_, 0)) {}
    HeldText& operator=(HeldText&& other) noexcept {
        std::swap(charge_, other.charge_);
        std::swap(text_, other.text_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~HeldText();
    [[nodiscard]] std::string_view view() const { return {text_, bytes_}; }

private:
    Reservation charge_;
    char* text_ = nullptr;
    std::size_t bytes_ = 0;
};

} // namespace aios::linux_abi
