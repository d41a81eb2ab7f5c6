// The DER reader on any bytes: every element lies inside the input and is written back to the same bytes, to any depth;
// typed reads accept no more than they should.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/assert.hpp"
#include "crypto/der.hpp"

namespace {

using namespace aios;
using namespace aios::crypto;

// Copies all elements, going into constructed ones; false where the input is not DER.
bool copy(der::Reader in, der::Writer& out, std::size_t depth) {
    while (!in.at_end()) {
        der::Reader typed = in;
        const auto element = in.element();
        if (!element) return false;
        AIOS_ASSERT(element->contents.data() + element->contents.size() ==
                    element->whole.data() + element->whole.size());
        if (const auto integer = der::Reader(typed).integer()) {
            AIOS_ASSERT(!integer->empty());
            if (const auto value = der::Reader(typed).small_integer()) {
                out.integer(*value);
                continue;
            }
        }
        if (const auto value = der::Reader(typed).boolean()) {
            out.boolean(*value);
            continue;
        }
        if (const auto octets = der::Reader(typed).whole_bit_string()) {
            out.bit_string(*octets);
            continue;
        }
        if (const auto oid = der::Reader(typed).oid()) AIOS_ASSERT(!oid->empty());
        const bool constructed = (static_cast<std::uint8_t>(element->tag) & 0x20) != 0;
        if (constructed && depth < der::Writer::kMaxDepth) {
            out.begin(element->tag);
            if (!copy(der::Reader(element->contents), out, depth + 1)) return false;
            out.end();
        } else {
            out.element(element->tag, element->contents);
        }
    }
    return true;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // SAFETY: the fuzzer's bytes, read as bytes.
    const Bytes input(reinterpret_cast<const std::byte*>(data), size);
    std::vector<std::byte> buffer(size);
    der::Writer out(buffer);
    if (!copy(der::Reader(input), out, 0)) return 0;
    const auto written = out.finish();
    AIOS_ASSERT(written.has_value());
    AIOS_ASSERT(std::equal(written->begin(), written->end(), input.begin(), input.end()));
    return 0;
}
