// From a member back to the object that contains it: what intrusive containers are built on. The only such cast in
// base.
#pragma once

#include <bit>
#include <cstddef>

namespace aios::detail {

// The object whose member `Member` is `*member`.
template <typename T, typename M>
[[nodiscard]] inline T* container_of(M* member, M T::* which) {
    static_assert(sizeof(which) == sizeof(std::ptrdiff_t));
    // SAFETY: the Itanium C++ ABI (section 2.3.1), which all our targets use, represents a pointer to data member as
    // the member's offset in bytes. `member` was linked by a container of T through this very member, so it lies in a
    // T.
    return reinterpret_cast<T*>(reinterpret_cast<std::byte*>(member) - std::bit_cast<std::ptrdiff_t>(which));
}

} // namespace aios::detail
