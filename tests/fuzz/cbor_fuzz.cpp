// The CBOR decoder on any bytes: what it accepts is encoded back to the same bytes; validation, reading and skipping
// agree; and everything it hands out lies inside the input.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/assert.hpp"
#include "base/cbor.hpp"
#include "tests/support/cbor_copy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace aios;
    const Bytes input(reinterpret_cast<const std::byte*>(data), size);
    const bool valid = cbor::validate(input).has_value();

    // A tag is passed over if it is the expected one and nothing else changes.
    cbor::Decoder tagged(input);
    if (tagged.tag(18)) {
        AIOS_ASSERT(!valid && tagged.position() == 1);
        const auto item = tagged.raw();
        AIOS_ASSERT((item && tagged.finish()) == cbor::validate(input.subspan(1)).has_value());
    }

    cbor::Decoder skipper(input);
    const auto whole = skipper.raw();
    AIOS_ASSERT((whole.has_value() && skipper.finish().has_value()) == valid);
    if (whole) AIOS_ASSERT(whole->data() == input.data() && whole->size() == skipper.position());

    cbor::Decoder in(input);
    std::vector<std::byte> buffer(size);
    cbor::Encoder out(buffer);
    const auto copied = test::copy_item(in, out);
    if (!copied && copied.error() == Error::unsupported) return 0; // a key that has no integer type
    AIOS_ASSERT((copied.has_value() && in.finish().has_value()) == valid);
    if (!valid) return 0;
    const auto result = out.finish();
    AIOS_ASSERT(result.has_value());
    AIOS_ASSERT(std::equal(result->begin(), result->end(), input.begin(), input.end()));
    return 0;
}
