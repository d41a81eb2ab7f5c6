// For the tests of messages: every message of abi/messages.def, its fields filled at random, and values of wrong types.
#pragma once

#include <cmath>
#include <random>

#include "base/bytes.hpp"
#include "messages/owned.hpp"
#include "messages/view.hpp"

namespace aios::messages {

using ByteVector = std::vector<std::byte>;

// Calls `f.template operator()<owned, view>("Name")` for each message.
template <typename F>
void for_each_message(F&& f) {
#define MESSAGE(Name, rule, shape, note) f.template operator()<owned::Name, view::Name>(#Name);
#include "abi/messages.def"
}

class Filler {
public:
    // Numbers are at most `largest`, which has all its bits set.
    explicit Filler(unsigned seed, std::uint64_t largest = ~std::uint64_t{0}) : random_(seed), largest_(largest) {}

    template <typename T>
    void fill(T& value) {
        if constexpr (std::same_as<T, std::uint64_t>) {
            value = random_() >> (random_() % 64) & largest_;
        } else if constexpr (std::same_as<T, bool>) {
            value = random_() % 2 == 0;
        } else if constexpr (std::same_as<T, double>) {
            value = std::ldexp(static_cast<double>(random_() % 1000), static_cast<int>(random_() % 40) - 20);
        } else if constexpr (std::same_as<T, std::string>) {
            constexpr const char* kPieces[] = {"a", "Z9", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", " "};
            value.clear();
            for (auto count = random_() % 12; count != 0; --count)
                value += kPieces[random_() % std::size(kPieces)];
        } else if constexpr (std::same_as<T, ByteVector>) {
            value.resize(random_() % 40);
            for (std::byte& byte : value)
                byte = static_cast<std::byte>(random_());
        } else if constexpr (std::same_as<T, Hash>) {
            for (std::byte& byte : value)
                byte = static_cast<std::byte>(random_());
        } else if constexpr (is_uints<T>) {
            for (std::uint64_t& number : value)
                fill(number);
        } else if constexpr (is_optional<T>) {
            value.reset();
            if (random_() % 2 == 0) fill(value.emplace());
        } else if constexpr (IsItem<T>) {
            value.item = {std::byte{0xa1}, std::byte{0x61}, std::byte{'k'}, static_cast<std::byte>(random_() % 24)};
        } else if constexpr (IsMessage<T>) {
            static_cast<void>(visit_fields(value, [&](const auto&, auto& field) -> Result<> {
                fill(field);
                return {};
            })); // filling cannot fail
        } else if constexpr (!IsWord<T> && !IsNumber<T>) {
            value.clear();
            for (auto count = random_() % 4; count != 0; --count) {
                typename T::value_type item{};
                fill(item);
                value.push_back(std::move(item));
            }
        }
    }

    template <typename T>
    T make() {
        T value{};
        fill(value);
        return value;
    }

private:
    std::mt19937_64 random_;
    std::uint64_t largest_;
};

// Decoded and encoded again; empty if it is refused.
template <typename T>
ByteVector through(Bytes encoded) {
    const auto message = decode<T>(encoded);
    if (!message) return {};
    return encode(*message).value_or(ByteVector());
}

} // namespace aios::messages
