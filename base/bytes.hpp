// Reading and writing integers and byte runs at a moving position in a span, in either byte order, bounds-checked:
// a read past the end is Error::truncated, a write past the end Error::no_space; neither then moves the position.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "base/types.hpp"

namespace aios {

// SAFETY: char and std::byte may alias anything; sizes are equal. These two are the only casts between text and bytes.
[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Unaligned loads and stores. Callers have checked that sizeof(T) bytes are there. clang turns each into one
// instruction.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T load_le(const std::byte* from) {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
        value = static_cast<T>(value | (static_cast<T>(from[i]) << (8 * i)));
    return value;
}
template <std::unsigned_integral T>
[[nodiscard]] constexpr T load_be(const std::byte* from) {
    return std::byteswap(load_le<T>(from));
}
template <std::unsigned_integral T>
constexpr void store_le(std::byte* to, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
        to[i] = static_cast<std::byte>(static_cast<std::uint8_t>(value >> (8 * i)));
}
template <std::unsigned_integral T>
constexpr void store_be(std::byte* to, T value) {
    store_le(to, std::byteswap(value));
}

class ByteReader {
public:
    constexpr explicit ByteReader(Bytes data) : data_(data) {}

    [[nodiscard]] constexpr std::size_t position() const { return position_; }
    [[nodiscard]] constexpr std::size_t remaining() const { return data_.size() - position_; }
    [[nodiscard]] constexpr bool at_end() const { return remaining() == 0; }
    [[nodiscard]] constexpr Bytes rest() const { return data_.subspan(position_); }

    // Little and big endian: reader.le<std::uint32_t>().
    template <std::unsigned_integral T>
    [[nodiscard]] constexpr Result<T> le() {
        if (remaining() < sizeof(T)) return fail(Error::truncated);
        const T value = load_le<T>(data_.data() + position_);
        position_ += sizeof(T);
        return value;
    }
    template <std::unsigned_integral T>
    [[nodiscard]] constexpr Result<T> be() {
        if (remaining() < sizeof(T)) return fail(Error::truncated);
        const T value = load_be<T>(data_.data() + position_);
        position_ += sizeof(T);
        return value;
    }
    [[nodiscard]] constexpr Result<std::uint8_t> u8() { return le<std::uint8_t>(); }

    // The next `length` bytes, in place.
    [[nodiscard]] constexpr Result<Bytes> bytes(std::size_t length) {
        if (remaining() < length) return fail(Error::truncated);
        const Bytes run = data_.subspan(position_, length);
        position_ += length;
        return run;
    }

    [[nodiscard]] constexpr Result<> skip(std::size_t length) {
        if (remaining() < length) return fail(Error::truncated);
        position_ += length;
        return {};
    }

    // Moves to an absolute position; its end is allowed.
    [[nodiscard]] constexpr Result<> seek(std::size_t position) {
        if (position > data_.size()) return fail(Error::truncated);
        position_ = position;
        return {};
    }

private:
    Bytes data_;
    std::size_t position_ = 0;
};

class ByteWriter {
public:
    constexpr explicit ByteWriter(MutableBytes data) : data_(data) {}

    [[nodiscard]] constexpr std::size_t position() const { return position_; }
    [[nodiscard]] constexpr std::size_t remaining() const { return data_.size() - position_; }
    // What was written so far.
    [[nodiscard]] constexpr Bytes written() const { return data_.first(position_); }

    template <std::unsigned_integral T>
    [[nodiscard]] constexpr Result<> le(T value) {
        if (remaining() < sizeof(T)) return fail(Error::no_space);
        store_le(data_.data() + position_, value);
        position_ += sizeof(T);
        return {};
    }
    template <std::unsigned_integral T>
    [[nodiscard]] constexpr Result<> be(T value) {
        if (remaining() < sizeof(T)) return fail(Error::no_space);
        store_be(data_.data() + position_, value);
        position_ += sizeof(T);
        return {};
    }
    [[nodiscard]] constexpr Result<> u8(std::uint8_t value) { return le(value); }

    [[nodiscard]] constexpr Result<> bytes(Bytes run) {
        if (remaining() < run.size()) return fail(Error::no_space);
        std::copy(run.begin(), run.end(), data_.begin() + static_cast<std::ptrdiff_t>(position_));
        position_ += run.size();
        return {};
    }

    [[nodiscard]] constexpr Result<> fill(std::size_t length, std::byte value = std::byte{0}) {
        if (remaining() < length) return fail(Error::no_space);
        std::fill_n(data_.begin() + static_cast<std::ptrdiff_t>(position_), length, value);
        position_ += length;
        return {};
    }

private:
    MutableBytes data_;
    std::size_t position_ = 0;
};

} // namespace aios
