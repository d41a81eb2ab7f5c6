// What a Linux call answers: a value, or an errno.
#pragma once

#include <expected>
#include <type_traits>
#include <utility>

#include "kernel/mm/user_memory.hpp"
#include "personality/linux/abi.hpp"

namespace aios::linux_abi {

using Outcome = std::expected<std::uint64_t, Errno>;
[[nodiscard]] inline std::unexpected<Errno> refuse(Errno error) { return std::unexpected<Errno>(error); }
[[nodiscard]] inline std::unexpected<Errno> refuse(Error error) { return std::unexpected<Errno>(errno_of(error)); }

// TRY for functions that answer Outcome: takes Result<T> or std::expected<T, Errno>.
#define LINUX_TRY(expression)                                                                                          \
    ({                                                                                                                 \
        auto&& linux_try_result_ = (expression);                                                                       \
        if (!linux_try_result_.has_value()) [[unlikely]]                                                               \
            return ::aios::linux_abi::refuse(linux_try_result_.error());                                               \
        ::aios::detail::take_value(std::move(linux_try_result_));                                                      \
    })

// One structure to the program as the call's whole outcome.
template <typename T>
[[nodiscard]] Outcome answer(UserOut<T> to, const std::type_identity_t<T>& value) {
    LINUX_TRY(to.write(value));
    return 0;
}

} // namespace aios::linux_abi
