// The native system calls for userland, made from abi/calls.def: aios::sys::ipc_send(channel, &message) and so on, with
// the table's argument types. A call answers Result<std::uint64_t>: the value, or the Error that the kernel answered.
// No C library is needed.
#pragma once

#include <cstdint>
#include <type_traits>

#include "abi/call_types.hpp"
#include "base/result.hpp"

namespace aios::sys {

namespace detail {

#ifdef AIOS_FAKE_KERNEL
// Unit tests answer the calls themselves.
std::int64_t call(std::uint64_t number, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0,
                  std::uint64_t d = 0, std::uint64_t e = 0, std::uint64_t f = 0);
#else
// SYSCALL as abi/calls.def says: number in rax, arguments in rdi rsi rdx r10 r8 r9; the kernel changes rax, rcx and r11
// alone.
inline std::int64_t call(std::uint64_t number, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0,
                         std::uint64_t d = 0, std::uint64_t e = 0, std::uint64_t f = 0) {
    register std::uint64_t r10 asm("r10") = d; // SAFETY: names the register that the kernel reads
    register std::uint64_t r8 asm("r8") = e;   // SAFETY: the same
    register std::uint64_t r9 asm("r9") = f;   // SAFETY: the same
    std::int64_t result;
    // SAFETY: the one way into the kernel; memory is clobbered because calls read and write it.
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}
#endif

template <typename T>
std::uint64_t word(T value) {
    if constexpr (std::is_pointer_v<T>) {
        return reinterpret_cast<std::uint64_t>(value); // SAFETY: addresses cross the border as words
    } else {
        return value;
    }
}

template <std::uint64_t kNumber, typename Signature>
struct Stub;
template <std::uint64_t kNumber, typename... Arguments>
struct Stub<kNumber, void(Arguments...)> {
    Result<std::uint64_t> operator()(Arguments... arguments) const {
        const std::int64_t result = call(kNumber, word(arguments)...);
        if (result >= 0) return static_cast<std::uint64_t>(result);
        const auto number = static_cast<std::uint64_t>(-result);
        return fail(is_error_number(number) ? static_cast<Error>(number) : Error::unsupported);
    }
};

} // namespace detail

#define CALL(number, name, document_name, object, right, audit, restart, charge, arguments)                            \
    inline constexpr detail::Stub<number, void arguments> name{};
#include "abi/calls.def"
#undef CALL

} // namespace aios::sys
