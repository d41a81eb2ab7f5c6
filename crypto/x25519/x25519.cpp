// The function X25519 (RFC 7748 section 5) over the form of the field that the processor is best at. See x25519.hpp.
#include "crypto/x25519.hpp"

#include <array>

#include "crypto/backend.hpp"
#include "crypto/x25519/field.hpp"
#include "crypto/x25519/field64.hpp"
#include "crypto/x25519/ladder.hpp"

namespace aios::crypto {

namespace {

void scalar_multiply(Bytes scalar, Bytes point, MutableBytes out) {
    using namespace detail::x25519;
#ifndef AIOS_KERNEL
    if (use_carry_instructions()) return detail::x25519::scalar_multiply<Field64>(scalar, point, out);
#endif
    detail::x25519::scalar_multiply<Field51>(scalar, point, out);
}

} // namespace

void X25519::public_key(const Secret& secret, PublicKey& out) {
    std::array<std::byte, 32> base_point{std::byte{9}};
    scalar_multiply(secret.bytes(), base_point, out.bytes());
}

Result<> X25519::derive(const Secret& secret, const PublicKey& theirs, SharedSecret& out) {
    scalar_multiply(secret.bytes(), theirs.bytes(), out.bytes());
    // Section 6.1: all zeros or not is a property of the public point alone.
    constexpr std::array<std::byte, 32> kZeros{};
    if (equal_in_constant_time(out.bytes(), kZeros)) return fail(Error::bad_format);
    return {};
}

} // namespace aios::crypto
