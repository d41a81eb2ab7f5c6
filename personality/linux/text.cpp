#include "personality/linux/text.hpp"

#include <algorithm>
#include <cstring>

namespace aios::linux_abi {

char* Text::room_for(std::size_t bytes) {
    if (error_ != Errno{}) return nullptr;
    if (bytes > kMostBytes - length_) {
        error_ = kTooBig;
        return nullptr;
    }
    if (length_ + bytes > room_) {
        const std::size_t room = std::min(std::max({room_ * 2, length_ + bytes, std::size_t{256}}), kMostBytes);
        auto larger = mm::OwnedBytes::make(*payer_, room);
        if (!larger) {
            error_ = kNoMemory;
            return nullptr;
        }
        if (length_ != 0) std::memcpy(larger->data(), bytes_.data(), length_);
        bytes_ = std::move(*larger);
        room_ = room;
    }
    return characters() + length_;
}

void Text::write(std::string_view text) {
    if (text.empty()) return;
    char* const to = room_for(text.size());
    if (to == nullptr) return;
    std::memcpy(to, text.data(), text.size());
    added(text.size());
}

} // namespace aios::linux_abi
