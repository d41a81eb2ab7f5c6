// The hash H of FIPS 204 (section 3.7), and what it makes of a message.
#pragma once

#include <cstddef>
#include <span>

#include "base/types.hpp"
#include "crypto/signed_message.hpp"

namespace aios::crypto::detail::ml_dsa {

using Mu = std::span<std::byte, SignedMessage::kMuSize>;

// H(first || second || third): SHAKE256 with out.size() bytes of output.
void hash(MutableBytes out, Bytes first, Bytes second = {}, Bytes third = {});

// The message representative mu = H(tr || M', 64) (algorithm 7 line 6, algorithm 8 line 7), or the one that the caller
// brought; then tr is not asked.
void message_representative(Bytes tr, const SignedMessage& message, Mu mu);

} // namespace aios::crypto::detail::ml_dsa
