// Handling of secrets: comparison in constant time, wiping that the compiler may not leave out, and the types of fixed
// size in which keys, signatures and shared secrets are passed. `Tag` makes each a type of its own, so that one cannot
// be given for another.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/result.hpp"
#include "base/types.hpp"

namespace aios::crypto {

// Whether two byte runs are equal, in time that depends on their lengths alone (which are public). The answer is
// public.
[[nodiscard]] bool equal_in_constant_time(Bytes a, Bytes b);

// Overwrites with zeros, also when nothing reads the memory afterwards.
void secure_wipe(MutableBytes secret);

// Wipes an object without destructor.
template <typename T>
    requires(std::is_trivially_copyable_v<T>)
void secure_wipe_object(T& object) {
    // SAFETY: a trivially copyable object may be written as its bytes; nobody uses it before it is assigned again.
    secure_wipe({reinterpret_cast<std::byte*>(&object), sizeof(T)});
}

// Wipes a trivially copyable object when the scope ends, on every way out.
template <typename T>
class WipeAtEnd : Pinned {
public:
    explicit WipeAtEnd(T& object) : object_(object) {}
    ~WipeAtEnd() { secure_wipe_object(object_); }

private:
    T& object_;
};

// Public bytes of one kind: a public key, a ciphertext, a signature. Large ones are filled in place (assign, or
// bytes()).
template <typename Tag, std::size_t Size>
class Octets {
public:
    static constexpr std::size_t kSize = Size;

    // Copies `from`. Error: bad_argument unless it has exactly kSize bytes; then nothing changes.
    [[nodiscard]] Result<> assign(Bytes from) {
        if (from.size() != Size) return fail(Error::bad_argument);
        std::copy(from.begin(), from.end(), octets_.begin());
        return {};
    }

    [[nodiscard]] std::span<const std::byte, Size> bytes() const { return octets_; }
    [[nodiscard]] std::span<std::byte, Size> bytes() { return octets_; }

    friend bool operator==(const Octets&, const Octets&) = default;

private:
    std::array<std::byte, Size> octets_{};
};

// Secret bytes of one kind: they cannot be copied by accident, compare in constant time and are wiped at the end.
template <typename Tag, std::size_t Size>
class SecretOctets : Pinned {
public:
    static constexpr std::size_t kSize = Size;

    SecretOctets() = default;
    ~SecretOctets() { wipe(); }

    // Copies `from`. Error: bad_argument unless it has exactly kSize bytes; then nothing changes.
    [[nodiscard]] Result<> assign(Bytes from) {
        if (from.size() != Size) return fail(Error::bad_argument);
        std::copy(from.begin(), from.end(), octets_.begin());
        return {};
    }

    [[nodiscard]] std::span<const std::byte, Size> bytes() const { return octets_; }
    [[nodiscard]] std::span<std::byte, Size> bytes() { return octets_; }

    void wipe() { secure_wipe(octets_); }

    friend bool operator==(const SecretOctets& a, const SecretOctets& b) {
        return equal_in_constant_time(a.octets_, b.octets_);
    }

private:
    std::array<std::byte, Size> octets_{};
};

// The answer of every verification. There is no third one, and no reason is given.
enum class Verdict : bool { invalid = false, valid = true };

} // namespace aios::crypto
