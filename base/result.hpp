// Result<T>: a value or an Error from the taxonomy. TRY(x) yields the value or returns the error to the caller.
// The only way in which functions of abi, base, crypto, boot and kernel report failure. An outcome cannot be dropped without
// saying so: where it does not matter, the call is cast to void, with the reason beside it.
#pragma once

#include <expected>
#include <type_traits>
#include <utility>

#include "abi/errors.hpp"

namespace aios {

template <typename T, typename E>
class [[nodiscard]] Expected : public std::expected<T, E> {
public:
    using std::expected<T, E>::expected;
    constexpr Expected(const std::expected<T, E>& other) : std::expected<T, E>(other) {}
    constexpr Expected(std::expected<T, E>&& other) : std::expected<T, E>(std::move(other)) {}
};

template <typename T = void>
using Result = Expected<T, Error>;

[[nodiscard]] constexpr std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(error); }

} // namespace aios

// A statement expression (a compiler extension that clang and gcc share): evaluates `expression` once, returns its error
// from the enclosing function, or yields its value.
#define TRY(expression)                                                                                                \
    ({                                                                                                                 \
        auto&& try_result_ = (expression);                                                                             \
        if (!try_result_.has_value()) [[unlikely]]                                                                     \
            return std::unexpected(try_result_.error());                                                               \
        ::aios::detail::take_value(std::move(try_result_));                                                            \
    })

namespace aios::detail {

template <typename T, typename E>
constexpr T take_value(std::expected<T, E>&& result) {
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

} // namespace aios::detail
