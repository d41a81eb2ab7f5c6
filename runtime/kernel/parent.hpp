// What a unit tells whoever started it: unit-message of abi/messages.def. For programs without a C library too.
#pragma once

#include "messages/view.hpp"
#include "runtime/kernel/calls.hpp"

namespace aios {

inline constexpr std::string_view kUnitReady = "ready", kUnitDone = "done", kUnitFailed = "failed";

// A text of more than kMaxUnitText bytes is cut, between two characters.
inline constexpr std::size_t kMaxUnitText = 768;

inline void tell_parent(Handle parent, messages::view::UnitMessage said) {
    if (said.text.size() > kMaxUnitText) {
        std::size_t end = kMaxUnitText;
        while (end != 0 && (static_cast<unsigned char>(said.text[end]) & 0xc0) == 0x80)
            --end;
        said.text = said.text.substr(0, end);
    }
    std::byte buffer[kMaxUnitText + 64];
    const auto encoded = messages::encode(buffer, said);
    if (!encoded) return; // no UTF-8
    Message message{};
    message.bytes = reinterpret_cast<std::uint64_t>(encoded->data()); // SAFETY: for the kernel
    message.size = encoded->size();
    (void)sys::ipc_send(parent, &message); // a parent that does not listen cannot be helped
}

} // namespace aios
