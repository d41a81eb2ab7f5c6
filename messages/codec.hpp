// One encoder and one decoder for all messages of abi/messages.def: they walk over a structure's fields. Freestanding,
// without allocation but for the structures of owned.hpp. Only deterministic CBOR is written and read (base/cbor.hpp).
//
// Errors of reading, beside the decoder's own: bad_format for a field that is missing, has another type, or is not known
// to a message that is not open; unsupported for another version.
#pragma once

#include <bit>
#include <utility>

#include "messages/vocabulary.hpp"

namespace aios::messages {

// Fields that are there: all but absent Optional ones.
template <IsMessage T>
[[nodiscard]] constexpr std::uint64_t count_fields(const T& message) {
    std::uint64_t count = 0;
    static_cast<void>(visit_fields(message, [&](const auto&, const auto& field) -> Result<> { // counting cannot fail
        if constexpr (is_optional<std::remove_cvref_t<decltype(field)>>)
            count += field.has_value();
        else
            ++count;
        return {};
    }));
    return count;
}

// Whether the table has the fields in the order of their encodings. Checked for whatever is encoded or decoded.
template <IsMessage T>
consteval bool is_in_order() {
    std::optional<cbor::Key> last;
    const T message{};
    const auto done = visit_fields(message, [&](const std::optional<cbor::Key>& key, const auto&) -> Result<> {
        const bool is_map = T::kShape != Shape::array;
        if (is_map != key.has_value() || (is_map && last && !stands_before(*last, *key)))
            return fail(Error::bad_argument);
        last = key;
        return {};
    });
    return done.has_value();
}

// --- writing --------------------------------------------------------------------------------------------------------

inline void put_key(cbor::Encoder& out, const std::optional<cbor::Key>& key) {
    if (!key) return;
    if (key->type == cbor::Type::text)
        out.key(key->name);
    else
        out.key(key->value);
}

template <typename T>
void put(cbor::Encoder& out, const T& value) {
    if constexpr (std::same_as<T, std::uint64_t>) {
        out.uint(value);
    } else if constexpr (std::same_as<T, std::int64_t>) {
        out.integer(value);
    } else if constexpr (std::same_as<T, bool>) {
        out.boolean(value);
    } else if constexpr (std::same_as<T, double>) {
        out.float64(value);
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
        out.text(value);
    } else if constexpr (std::convertible_to<const T&, Bytes>) {
        out.bytes(value);
    } else if constexpr (IsWord<T>) {
        out.text(T::kValue);
    } else if constexpr (IsNumber<T>) {
        out.uint(T::kValue);
    } else if constexpr (IsItem<T>) {
        out.raw(value.item);
    } else if constexpr (IsMessage<T>) {
        static_assert(is_in_order<T>());
        if constexpr (T::kShape == Shape::array)
            out.array(count_fields(value));
        else
            out.map(count_fields(value));
        static_cast<void>(visit_fields(value, [&](const std::optional<cbor::Key>& key, const auto& field) -> Result<> {
            if constexpr (is_optional<std::remove_cvref_t<decltype(field)>>) {
                if (!field) return {};
                put_key(out, key);
                put(out, *field);
            } else {
                put_key(out, key);
                put(out, field);
            }
            return {};
        })); // errors stick in the encoder
    } else {
        out.array(value.size());
        for (const typename T::value_type& item : value)
            put(out, item);
    }
}

// no_space if the buffer is too small, bad_argument for text that is not UTF-8.
template <IsMessage T>
[[nodiscard]] Result<Bytes> encode(MutableBytes buffer, const T& message) {
    cbor::Encoder out(buffer);
    put(out, message);
    return out.finish();
}

// --- reading --------------------------------------------------------------------------------------------------------

template <typename T>
[[nodiscard]] Result<> take(cbor::Decoder& in, T& value);

// Past the keys that an open message does not know; then whether the next key is this one.
template <IsMessage T>
[[nodiscard]] Result<bool> find_key(cbor::Decoder& in, std::optional<cbor::Key>& next, const cbor::Key& wanted) {
    constexpr bool kIsOpen = T::kShape == Shape::open_map || T::kShape == Shape::slots;
    while (kIsOpen && next && stands_before(*next, wanted)) {
        TRY(in.skip());
        next = TRY(in.next_key());
    }
    return next && !stands_before(*next, wanted) && !stands_before(wanted, *next);
}

template <IsMessage T>
[[nodiscard]] Result<> take_map(cbor::Decoder& in, T& message) {
    TRY(in.map_begin());
    auto next = TRY(in.next_key());
    TRY(visit_fields(message, [&](const std::optional<cbor::Key>& key, auto& field) -> Result<> {
        constexpr bool kIsOptional = is_optional<std::remove_cvref_t<decltype(field)>>;
        if (!TRY(find_key<T>(in, next, *key))) return kIsOptional ? Result<>() : fail(Error::bad_format);
        if constexpr (kIsOptional)
            TRY(take(in, field.emplace()));
        else
            TRY(take(in, field));
        next = TRY(in.next_key());
        return {};
    }));
    if (!next) return {}; // the last next_key has left the map
    if (T::kShape == Shape::map) return fail(Error::bad_format);
    return in.leave();
}

template <IsMessage T>
[[nodiscard]] Result<> take_array(cbor::Decoder& in, T& message) {
    if (TRY(in.array_begin()) != count_fields(message)) return fail(Error::bad_format);
    TRY(visit_fields(message, [&](const auto&, auto& field) { return take(in, field); }));
    return in.end();
}

// A number that can be ranked, added and written as JSON.
[[nodiscard]] constexpr bool is_finite_bits(std::uint64_t bits) { return (bits >> 52 & 0x7ff) != 0x7ff; }

template <typename T>
[[nodiscard]] Result<> take(cbor::Decoder& in, T& value) {
    if constexpr (std::same_as<T, std::uint64_t>) {
        value = TRY(in.uint());
    } else if constexpr (std::same_as<T, std::int64_t>) {
        value = TRY(in.integer());
    } else if constexpr (std::same_as<T, bool>) {
        value = TRY(in.boolean());
    } else if constexpr (std::same_as<T, double>) {
        const std::uint64_t bits = TRY(in.float64_bits());
        if (!is_finite_bits(bits)) return fail(Error::bad_format);
        value = std::bit_cast<double>(bits);
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
        value = TRY(in.text());
    } else if constexpr (std::same_as<T, Bytes>) {
        value = TRY(in.bytes());
    } else if constexpr (std::same_as<T, Hash>) {
        TRY(in.bytes_into(value));
    } else if constexpr (is_uints<T>) {
        if (TRY(in.array_begin()) < value.size()) return fail(Error::bad_format);
        for (std::uint64_t& number : value)
            number = TRY(in.uint());
        TRY(in.leave());
    } else if constexpr (IsWord<T>) {
        if (TRY(in.text()) != T::kValue) return fail(Error::bad_format);
    } else if constexpr (IsNumber<T>) {
        if (TRY(in.uint()) != T::kValue) return fail(Error::unsupported);
    } else if constexpr (IsItem<T>) {
        value.set(TRY(in.raw()));
    } else if constexpr (IsMessage<T>) {
        static_assert(is_in_order<T>());
        if constexpr (T::kShape == Shape::array)
            TRY(take_array(in, value));
        else
            TRY(take_map(in, value));
    } else if constexpr (std::convertible_to<const T&, Bytes>) {
        const Bytes bytes = TRY(in.bytes());
        value.assign(bytes.begin(), bytes.end());
    } else if constexpr (requires { value.take_from(in); }) { // List of view.hpp
        TRY(value.take_from(in));
    } else {
        TRY(in.array_begin());
        while (TRY(in.array_next())) {
            typename T::value_type item{};
            TRY(take(in, item));
            value.push_back(std::move(item));
        }
    }
    return {};
}

// The whole of `data` as one message.
template <IsMessage T>
[[nodiscard]] Result<T> decode(Bytes data) {
    cbor::Decoder in(data);
    T message{};
    TRY(take(in, message));
    TRY(in.finish());
    return message;
}

// The word that key 0 of a message has: which of several messages it is. Checks nothing behind it.
[[nodiscard]] inline Result<std::string_view> type_of(Bytes data) {
    cbor::Decoder in(data);
    TRY(in.map_begin());
    TRY(in.expect_key(0));
    return in.text();
}

} // namespace aios::messages
