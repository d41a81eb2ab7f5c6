// The numbers of COSE that are used here: header parameters (RFC 9052 section 3.1), key parameters (section 7.1 and
// RFC 9964), and the tag of COSE_Sign1 (section 2).
#pragma once

#include <cstdint>

namespace aios::crypto::detail::cose {

inline constexpr std::uint64_t kSign1Tag = 18;

// Header parameters.
inline constexpr std::uint64_t kAlg = 1;
inline constexpr std::uint64_t kCrit = 2;
inline constexpr std::uint64_t kContentType = 3;
inline constexpr std::uint64_t kKid = 4;

// Key parameters.
inline constexpr std::uint64_t kKeyType = 1;
inline constexpr std::uint64_t kKeyId = 2;
inline constexpr std::uint64_t kKeyAlg = 3;
inline constexpr std::uint64_t kKeyOps = 4;
inline constexpr std::int64_t kPub = -1;
inline constexpr std::int64_t kPriv = -2;

inline constexpr std::uint64_t kKeyTypeAkp = 7;
inline constexpr std::uint64_t kOpSign = 1;
inline constexpr std::uint64_t kOpVerify = 2;

} // namespace aios::crypto::detail::cose
