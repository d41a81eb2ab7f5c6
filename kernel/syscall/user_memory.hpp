// User memory as typed pointers whose direction is in the type: UserIn is read, UserOut written, UserInOut both. Each
// is fetched or written as a whole, once: what was checked is what is used. Types are trivially copyable without
// padding. Errors: bad_address. No locks may be held: a copy takes faults.
#pragma once

#include <type_traits>

#include "base/checked.hpp"
#include "base/types.hpp"
#include "kernel/arch/arch.hpp"

namespace aios {

[[nodiscard]] constexpr bool is_user_range(std::uint64_t address, std::uint64_t bytes) {
    return bytes == 0 || (address >= arch::kUserLow && address < arch::kUserHigh && bytes <= arch::kUserHigh - address);
}

template <typename T>
concept UserValue =
    std::is_trivially_copyable_v<T> && (std::has_unique_object_representations_v<T> || std::is_same_v<T, char>);

template <UserValue T>
class UserIn {
public:
    explicit UserIn(std::uint64_t address) : address_(address) {}
    [[nodiscard]] Result<T> read() const {
        T value;
        TRY(read_array(0, &value, 1));
        return value;
    }
    // `count` values from index `first` on.
    [[nodiscard]] Result<> read_array(std::uint64_t first, T* to, std::uint64_t count) const {
        const std::uint64_t offset = TRY(checked_mul<std::uint64_t>(first, sizeof(T)));
        const std::uint64_t bytes = TRY(checked_mul<std::uint64_t>(count, sizeof(T)));
        const auto from = checked_add<std::uint64_t>(address_, offset);
        if (!from || !is_user_range(*from, bytes)) return fail(Error::bad_address);
        return arch::copy_from_user(to, *from, bytes);
    }
    [[nodiscard]] std::uint64_t address() const { return address_; }

protected:
    std::uint64_t address_;
};

template <UserValue T>
class UserOut {
public:
    explicit UserOut(std::uint64_t address) : address_(address) {}
    [[nodiscard]] Result<> write(const T& value) const { return write_array(&value, 1); }
    [[nodiscard]] Result<> write_array(const T* from, std::uint64_t count) const {
        const std::uint64_t bytes = TRY(checked_mul<std::uint64_t>(count, sizeof(T)));
        if (!is_user_range(address_, bytes)) return fail(Error::bad_address);
        return arch::copy_to_user(address_, from, bytes);
    }
    // Whether the range could be written at all, before work is done that cannot be taken back.
    [[nodiscard]] bool is_plausible(std::uint64_t count = 1) const {
        return count <= arch::kUserHigh / sizeof(T) && is_user_range(address_, count * sizeof(T));
    }

private:
    std::uint64_t address_;
};

template <UserValue T>
class UserInOut : public UserIn<T> {
public:
    using UserIn<T>::UserIn;
    [[nodiscard]] UserOut<T> out() const { return UserOut<T>(this->address_); }
};

// Bytes of a size that comes in another argument.
class UserBytesIn {
public:
    explicit UserBytesIn(std::uint64_t address) : address_(address) {}
    [[nodiscard]] Result<> read(MutableBytes to, std::uint64_t offset = 0) const {
        const auto from = checked_add<std::uint64_t>(address_, offset);
        if (!from || !is_user_range(*from, to.size())) return fail(Error::bad_address);
        return arch::copy_from_user(to.data(), *from, to.size());
    }

private:
    std::uint64_t address_;
};
class UserBytesOut {
public:
    explicit UserBytesOut(std::uint64_t address) : address_(address) {}
    [[nodiscard]] Result<> write(Bytes from) const {
        if (!is_user_range(address_, from.size())) return fail(Error::bad_address);
        return arch::copy_to_user(address_, from.data(), from.size());
    }

private:
    std::uint64_t address_;
};

// What a parameter of the call table becomes in the kernel.
template <typename T>
struct UserArgument {
    using Type = T;
};
template <typename T>
struct UserArgument<const T*> {
    using Type = UserIn<T>;
};
template <typename T>
struct UserArgument<T*> {
    using Type = UserInOut<T>;
};
template <>
struct UserArgument<const void*> {
    using Type = UserBytesIn;
};
template <>
struct UserArgument<const char*> {
    using Type = UserBytesIn;
};
template <>
struct UserArgument<void*> {
    using Type = UserBytesOut;
};

} // namespace aios
