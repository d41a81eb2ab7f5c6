// The words that the table of messages (abi/messages.def) is written in, as far as they are the same for those who only
// look into an encoding (view.hpp) and those who keep what it said (owned.hpp).
#pragma once

#include <array>
#include <concepts>
#include <optional>
#include <string_view>

#include "base/cbor.hpp"

namespace aios::messages {

// What an intent is for.
enum class Performative : std::uint8_t {
    request = 1,
    inform = 2,
    query = 3,
    propose = 4,
    accept = 5,
    refuse = 6,
    failure = 7,
    cancel = 8,
    subscribe = 9,
};

// How a message stands in its encoding: see abi/messages.def.
enum class Shape { map, open_map, slots, array };

using Uint = std::uint64_t;
using Int = std::int64_t;
using Bool = bool;
using Float = double;
using Hash = std::array<std::byte, 32>;
template <std::size_t kCount>
using Uints = std::array<std::uint64_t, kCount>;
template <typename T>
using Optional = std::optional<T>;

// A text that is an argument of a template.
template <std::size_t kSize>
struct Literal {
    consteval Literal(const char (&from)[kSize]) {
        for (std::size_t i = 0; i < kSize; ++i)
            text[i] = from[i];
    }
    [[nodiscard]] constexpr std::string_view view() const { return {text, kSize - 1}; }
    char text[kSize]{};
};

// Fields that always have the same value. Another one is bad_format in a Word, and in a Number, which is a version,
// unsupported.
template <Literal kText>
struct Word {
    static constexpr std::string_view kValue = kText.view();
};
template <std::uint64_t kNumber>
struct Number {
    static constexpr std::uint64_t kValue = kNumber;
};

template <typename T>
concept IsWord = requires { requires std::same_as<std::remove_const_t<decltype(T::kValue)>, std::string_view>; };
template <typename T>
concept IsNumber = requires { requires std::same_as<std::remove_const_t<decltype(T::kValue)>, std::uint64_t>; };
template <typename T>
concept IsItem = requires(const T& value) {
    value.item;
    requires T::kIsItem;
};
template <typename T>
concept IsMessage = requires {
    { T::kShape } -> std::convertible_to<Shape>;
};
template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <typename T>
inline constexpr bool is_uints = false;
template <std::size_t kCount>
inline constexpr bool is_uints<Uints<kCount>> = true;

// Where a field stands: behind a number, behind a name, or at its place in an array.
constexpr std::optional<cbor::Key> field_key(std::uint64_t number) { return cbor::Key{cbor::Type::uint, number}; }
constexpr std::optional<cbor::Key> field_key(std::string_view name) { return cbor::Key{cbor::Type::text, 0, name}; }
inline constexpr std::optional<cbor::Key> kNoKey;

// The order of the keys' encodings (RFC 8949 section 4.2.1).
[[nodiscard]] constexpr bool stands_before(const cbor::Key& a, const cbor::Key& b) {
    const bool a_is_text = a.type == cbor::Type::text, b_is_text = b.type == cbor::Type::text;
    if (a_is_text != b_is_text) return b_is_text;
    if (a_is_text) return a.name.size() != b.name.size() ? a.name.size() < b.name.size() : a.name < b.name;
    if (a.type != b.type) return b.type == cbor::Type::negative;
    return a.value < b.value;
}

// The word behind key 0 of a message, by which its reader knows it.
template <IsMessage T>
inline constexpr std::string_view type_word = decltype(T::type)::kValue;

// What an intent's request means by itself; specialised for each by the table.
template <typename Request>
struct IntentOf;

} // namespace aios::messages
