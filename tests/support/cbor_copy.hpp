// Decodes any item and encodes it again. Deterministic CBOR has one encoding of a value, so the copy must be identical:
// the property that unit tests and the fuzzer check.
#pragma once

#include "base/cbor.hpp"

namespace aios::test {

inline Result<> copy_item(cbor::Decoder& in, cbor::Encoder& out) {
    switch (TRY(in.peek())) {
    case cbor::Type::uint:
        out.uint(TRY(in.uint()));
        return {};
    case cbor::Type::negative: {
        // Below -2^63 there is no integer type; the encoder takes such a value as an encoded item only.
        const auto value = in.integer();
        if (value) {
            out.integer(*value);
        } else if (value.error() == Error::overflow) {
            out.raw(TRY(in.raw()));
        } else {
            return fail(value.error());
        }
        return {};
    }
    case cbor::Type::bytes:
        out.bytes(TRY(in.bytes()));
        return {};
    case cbor::Type::text:
        out.text(TRY(in.text()));
        return {};
    case cbor::Type::boolean:
        out.boolean(TRY(in.boolean()));
        return {};
    case cbor::Type::null:
        TRY(in.null());
        out.null();
        return {};
    case cbor::Type::floating:
        out.float64(TRY(in.float64()));
        return {};
    case cbor::Type::array: {
        // Both kinds of containers take turns.
        const std::uint64_t count = TRY(in.array_begin());
        const bool open = in.depth() % 2 == 0;
        open ? out.array_open() : out.array(count);
        while (TRY(in.array_next()))
            TRY(copy_item(in, out));
        if (open) out.close();
        return {};
    }
    case cbor::Type::map: {
        const std::uint64_t count = TRY(in.map_begin());
        const bool open = in.depth() % 2 == 1;
        open ? out.map_open() : out.map(count);
        while (const auto key = TRY(in.next_key())) {
            if (key->type == cbor::Type::text) {
                out.key(key->name);
            } else if (key->type == cbor::Type::uint) {
                out.key(key->value);
            } else if (key->value <= 0x7fff'ffff'ffff'ffff) {
                out.key(-1 - static_cast<std::int64_t>(key->value));
            } else {
                return fail(Error::unsupported); // a key below -2^63 has no integer type
            }
            TRY(copy_item(in, out));
        }
        if (open) out.close();
        return {};
    }
    }
    return fail(Error::bad_format);
}

} // namespace aios::test
