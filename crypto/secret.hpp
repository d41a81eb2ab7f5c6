// Handling of secrets: comparison in constant time, and wiping that the compiler may not leave out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/types.hpp"

namespace aios::crypto {

// Whether two byte runs are equal, in time that depends on their lengths alone (which are public).
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

} // namespace aios::crypto
