// User memory as typed pointers whose direction is in the type: UserIn is read, UserOut written, UserInOut both, UserSpan
// is a range of bytes of which a structure of the user's gives address and size. Nothing else in the kernel copies from or
// to user memory (the lint looks). Each value is fetched or written as a whole, once: what was checked is what is used.
// Types are trivially copyable without padding, so that no byte of the kernel's stack leaves by accident.
//
// Errors: bad_address, for a range outside user space, of which the end overflows, or that faults. Of a copy that fails
// part may have happened. No lock may be held but those that stand before the address space's: a copy takes faults.
#pragma once

#include <type_traits>

#include "base/checked.hpp"
#include "base/types.hpp"
#include "kernel/arch/arch.hpp"

namespace aios {

template <typename T>
concept UserValue =
    std::is_trivially_copyable_v<T> && (std::has_unique_object_representations_v<T> || std::is_same_v<T, char>);

// A range of user bytes. Its size bounds every copy.
class UserSpan {
public:
    // `bytes` may be 0; then nothing is said of the address.
    UserSpan(std::uint64_t address, std::uint64_t bytes) : address_(address), bytes_(bytes) {}
    [[nodiscard]] std::uint64_t size() const { return bytes_; }
    // Whether the range could be touched at all, before work is done that cannot be taken back.
    [[nodiscard]] bool is_plausible() const { return arch::is_user_range(address_, bytes_); }
    // The bytes from `offset` on.
    [[nodiscard]] Result<> read(std::uint64_t offset, MutableBytes to) const {
        if (!holds(offset, to.size())) return fail(Error::bad_address);
        return arch::copy_from_user(to.data(), address_ + offset, to.size());
    }
    [[nodiscard]] Result<> write(std::uint64_t offset, Bytes from) const {
        if (!holds(offset, from.size())) return fail(Error::bad_address);
        return arch::copy_to_user(address_ + offset, from.data(), from.size());
    }

private:
    // Within the span, and without a wrap; that the piece is the user's is for the copy to see.
    [[nodiscard]] bool holds(std::uint64_t offset, std::uint64_t bytes) const {
        return range_fits(offset, bytes, bytes_) && address_ <= arch::kUserHigh && offset <= arch::kUserHigh;
    }
    std::uint64_t address_;
    std::uint64_t bytes_;
};

// An address as the user gave it, of values of T. The null address is an ordinary one that faults, until somebody asks.
template <UserValue T>
class UserPointer {
public:
    explicit UserPointer(std::uint64_t address) : address_(address) {}
    [[nodiscard]] std::uint64_t address() const { return address_; }
    [[nodiscard]] bool is_null() const { return address_ == 0; }

protected:
    // `count` values from index `first` on.
    [[nodiscard]] Result<UserSpan> span(std::uint64_t first, std::uint64_t count) const {
        if (count == 0) return UserSpan(0, 0);                       // touches nothing, wherever it lies
        constexpr std::uint64_t kMost = arch::kUserHigh / sizeof(T); // what is not above it cannot wrap
        if (first > kMost || count > kMost || address_ > arch::kUserHigh) return fail(Error::bad_address);
        return UserSpan(address_ + first * sizeof(T), count * sizeof(T));
    }
    // SAFETY: T is trivially copyable and has no padding, so its bytes are all there is of it.
    static Bytes bytes_of(const T* values, std::uint64_t count) {
        return {reinterpret_cast<const std::byte*>(values), count * sizeof(T)};
    }
    static MutableBytes bytes_of(T* values, std::uint64_t count) {
        return {reinterpret_cast<std::byte*>(values), count * sizeof(T)};
    }
    std::uint64_t address_;
};

template <UserValue T>
class UserIn : public UserPointer<T> {
public:
    using UserPointer<T>::UserPointer;
    [[nodiscard]] Result<T> read(std::uint64_t index = 0) const {
        T value;
        TRY(read_array(index, &value, 1));
        return value;
    }
    // `count` values from index `first` on.
    [[nodiscard]] Result<> read_array(std::uint64_t first, T* to, std::uint64_t count) const {
        return TRY(this->span(first, count)).read(0, this->bytes_of(to, count));
    }
};

template <UserValue T>
class UserOut : public UserPointer<T> {
public:
    using UserPointer<T>::UserPointer;
    [[nodiscard]] Result<> write(const T& value, std::uint64_t index = 0) const {
        return write_array(index, &value, 1);
    }
    [[nodiscard]] Result<> write_array(std::uint64_t first, const T* from, std::uint64_t count) const {
        return TRY(this->span(first, count)).write(0, this->bytes_of(from, count));
    }
    // Whether the range could be written at all, before work is done that cannot be taken back.
    [[nodiscard]] bool is_plausible(std::uint64_t count = 1) const {
        const auto span = this->span(0, count);
        return span && span->is_plausible();
    }
};

template <UserValue T>
class UserInOut : public UserIn<T> {
public:
    using UserIn<T>::UserIn;
    [[nodiscard]] UserOut<T> out() const { return UserOut<T>(this->address_); }
};

} // namespace aios
