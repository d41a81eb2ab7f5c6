// Text from values, without allocation, locale or floating point, into a caller's span or a caller's sink.
//
//   format_to(buffer, "x={} y={:x}", x, y)     returns the text written, cut off at the end of the buffer
//   format(sink, "x={} y={:x}", x, y)          calls sink.write(std::string_view) for every piece
//
// A replacement is {} or {:spec}, spec = [<|>][0][width][x|X|b]; {{ and }} are braces. Width is at most 255. Number and
// kind of the arguments are checked when the program is compiled. Formats: integers, bool, char, text, pointers (0x..),
// Error (its name), enums (their number), Fixed (a scaled integer as a decimal fraction) and Hex (bytes).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "abi/errors.hpp"
#include "base/types.hpp"

namespace aios {

// `value` divided by 10^decimals: Fixed{12345, 2} is 123.45. For milliseconds, scores and percentages.
struct Fixed {
    std::int64_t value;
    unsigned decimals; // at most 18
};

// Bytes as lower-case hexadecimal digits.
struct Hex {
    Bytes bytes;
};

namespace detail {

struct FormatArg {
    enum class Kind : std::uint8_t { unsigned_integer, signed_integer, text, character, boolean, pointer, fixed, hex };
    Kind kind;
    unsigned decimals = 0;
    std::uint64_t number = 0;
    const void* data = nullptr;
    std::size_t size = 0;
};

using FormatSink = void (*)(void* context, std::string_view piece);

// Never called: naming them in a constant expression makes the compiler show which rule a format string breaks.
void format_error_too_few_arguments();
void format_error_too_many_arguments();
void format_error_bad_spec();
void format_error_number_spec_on_text();

template <typename T>
concept Textual = std::convertible_to<const T&, std::string_view>;

template <typename T>
consteval bool is_number_like() {
    using U = std::remove_cvref_t<T>;
    return !Textual<U> && !std::same_as<U, Hex> && !std::same_as<U, Error> && !std::same_as<U, Fixed>;
}

// strlen by hand: a freestanding program need not have one.
constexpr std::string_view text_of(const char* text) {
    if (text == nullptr) return {"(null)", 6};
    std::size_t length = 0;
    while (text[length] != '\0')
        ++length;
    return {text, length};
}
constexpr std::string_view text_of(std::string_view text) { return text; }

template <typename T>
FormatArg make_format_arg(const T& value) {
    using Kind = FormatArg::Kind;
    using U = std::remove_cvref_t<T>;
    if constexpr (std::same_as<U, Error>) {
        const std::string_view name = error_info(value).name;
        return {.kind = Kind::text, .data = name.data(), .size = name.size()};
    } else if constexpr (Textual<U>) {
        const std::string_view text = text_of(value);
        return {.kind = Kind::text, .data = text.data(), .size = text.size()};
    } else if constexpr (std::same_as<U, bool>) {
        return {.kind = Kind::boolean, .number = value};
    } else if constexpr (std::same_as<U, char>) {
        return {.kind = Kind::character, .number = static_cast<std::uint8_t>(value)};
    } else if constexpr (std::same_as<U, Fixed>) {
        return {.kind = Kind::fixed, .decimals = value.decimals, .number = static_cast<std::uint64_t>(value.value)};
    } else if constexpr (std::same_as<U, Hex>) {
        return {.kind = Kind::hex, .data = value.bytes.data(), .size = value.bytes.size()};
    } else if constexpr (std::is_enum_v<U>) {
        return make_format_arg(static_cast<std::underlying_type_t<U>>(value));
    } else if constexpr (std::same_as<U, std::byte>) {
        return {.kind = Kind::unsigned_integer, .number = static_cast<std::uint64_t>(value)};
    } else if constexpr (std::signed_integral<U>) {
        // The number keeps the width of its type for hexadecimal output: -1 as int is ffffffff.
        return {.kind = Kind::signed_integer,
                .decimals = sizeof(U),
                .number = static_cast<std::uint64_t>(static_cast<std::int64_t>(value))};
    } else if constexpr (std::unsigned_integral<U>) {
        return {.kind = Kind::unsigned_integer, .number = value};
    } else {
        static_assert(std::is_pointer_v<U> || std::is_null_pointer_v<U>, "this type has no text form");
        // SAFETY: an address as a number to print, never used.
        return {.kind = Kind::pointer, .number = reinterpret_cast<std::uintptr_t>(static_cast<const void*>(value))};
    }
}

void format_pieces(FormatSink sink, void* context, std::string_view format, std::span<const FormatArg> args);

} // namespace detail

// A format string that is known to fit its arguments.
template <typename... Args>
class FormatString {
public:
    template <std::convertible_to<std::string_view> S>
    consteval FormatString(const S& text) : text_(text) {
        // One element more, as an array cannot be empty.
        constexpr bool numeric[] = {detail::is_number_like<Args>()..., false};
        std::size_t used = 0;
        for (std::size_t i = 0; i < text_.size(); ++i) {
            const char c = text_[i];
            if (c != '{' && c != '}') continue;
            if (i + 1 < text_.size() && text_[i + 1] == c) {
                ++i;
                continue;
            }
            if (c == '}') detail::format_error_bad_spec();
            if (used == sizeof...(Args)) detail::format_error_too_few_arguments();
            i = check_spec(i + 1, numeric[used]);
            ++used;
        }
        if (used != sizeof...(Args)) detail::format_error_too_many_arguments();
    }

    [[nodiscard]] constexpr std::string_view text() const { return text_; }

private:
    // Checks from behind the opening brace; returns the position of the closing one.
    consteval std::size_t check_spec(std::size_t i, bool numeric) {
        const auto at = [&](std::size_t k) { return k < text_.size() ? text_[k] : '\0'; };
        if (at(i) == ':') {
            ++i;
            if (at(i) == '<' || at(i) == '>') ++i;
            if (at(i) == '0') {
                if (!numeric) detail::format_error_number_spec_on_text();
                ++i;
            }
            unsigned width = 0;
            while (at(i) >= '0' && at(i) <= '9')
                width = width * 10 + static_cast<unsigned>(at(i++) - '0');
            if (width > 255) detail::format_error_bad_spec();
            if (at(i) == 'x' || at(i) == 'X' || at(i) == 'b') {
                if (!numeric) detail::format_error_number_spec_on_text();
                ++i;
            }
        }
        if (at(i) != '}') detail::format_error_bad_spec();
        return i;
    }

    std::string_view text_;
};

// Formats into anything with write(std::string_view).
template <typename Sink, typename... Args>
void format(Sink& sink, FormatString<std::type_identity_t<Args>...> format, const Args&... args) {
    const detail::FormatArg list[] = {detail::make_format_arg(args)..., {}};
    detail::format_pieces([](void* context, std::string_view piece) { static_cast<Sink*>(context)->write(piece); },
                          &sink, format.text(), std::span(list, sizeof...(Args)));
}

// Builds text in a caller's span piece by piece. Once something did not fit, the rest is dropped and truncated() says
// so.
class TextBuffer {
public:
    constexpr explicit TextBuffer(std::span<char> buffer) : buffer_(buffer) {}

    void write(std::string_view text);

    template <typename... Args>
    void print(FormatString<std::type_identity_t<Args>...> format, const Args&... args) {
        aios::format(*this, format, args...);
    }

    [[nodiscard]] std::string_view text() const { return {buffer_.data(), used_}; }
    [[nodiscard]] bool truncated() const { return truncated_; }
    void clear() {
        used_ = 0;
        truncated_ = false;
    }

private:
    std::span<char> buffer_;
    std::size_t used_ = 0;
    bool truncated_ = false;
};

// Formats into `buffer` and returns the part that was written. Text that does not fit is cut off.
template <typename... Args>
std::string_view format_to(std::span<char> buffer, FormatString<std::type_identity_t<Args>...> format,
                           const Args&... args) {
    TextBuffer text(buffer);
    aios::format(text, format, args...);
    return text.text();
}

} // namespace aios
