// A signed message in static memory, for operations whose stack is measured. See operation.hpp.
#pragma once

#include <memory>

#include "crypto/signed_message.hpp"
#include "tests/crypto_limits/operation.hpp"

namespace aios::test {

// SignedMessage has no default constructor, so it is made in here by the operation `pure`.
alignas(crypto::SignedMessage) inline constinit std::array<std::byte, sizeof(crypto::SignedMessage)> message_memory{};

inline crypto::SignedMessage& message_object() {
    // SAFETY: make_message() has put an object there before an operation that signs or verifies is run.
    return *std::launder(reinterpret_cast<crypto::SignedMessage*>(message_memory.data()));
}

inline bool make_message() {
    const auto made = crypto::SignedMessage::pure(operation_message, Bytes(operation_message).first(10));
    if (made) std::construct_at(&message_object(), *made);
    return made.has_value();
}

} // namespace aios::test
