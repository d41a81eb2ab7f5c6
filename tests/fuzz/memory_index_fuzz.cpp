// Reading a damaged index: the input is a list of changes (4 bytes: offset of 3 bytes, new byte) to a sound region,
// whose header checksum is then made right again, or, if its first byte is odd, left as it is. Whatever the region
// says, opening and searching end without reading outside it.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/crc32.hpp"
#include "runtime/memory/index_builder.hpp"
#include "runtime/memory/search.hpp"

namespace {

using namespace aios;

std::vector<std::uint64_t> sound_region() {
    memory::IndexBuilder builder;
    for (int i = 0; i < 70; ++i) {
        const std::string number = std::to_string(i);
        const std::string text = i % 3 == 0
                                     ? "Nummer " + number + "\nder Flügel des Flugzeugs und seine wing flattern\n"
                                     : "number " + number + "\nthe wing of aircraft " + number + " flutters\n";
        AIOS_ASSERT(builder.add(std::to_string(i), as_bytes(text)).has_value());
    }
    std::vector<std::uint64_t> region(builder.sealed_bytes() / 8);
    AIOS_ASSERT(builder.seal(std::as_writable_bytes(std::span(region))).has_value());
    return region;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<std::uint64_t> sound = sound_region();
    if (size == 0) return 0;
    const bool repair = data[0] % 2 == 0;
    std::vector<std::uint64_t> words = sound;
    const MutableBytes region = std::as_writable_bytes(std::span(words));
    for (std::size_t at = 1; at + 4 <= size; at += 4) {
        const std::size_t offset = data[at] | data[at + 1] << 8 | data[at + 2] << 16;
        region[offset % region.size()] = static_cast<std::byte>(data[at + 3]);
    }
    if (repair) {
        memory::Header header;
        std::memcpy(&header, region.data() + sizeof(memory::Lead), sizeof header);
        header.header_crc = crc32c(std::as_bytes(std::span(&header, 1)).first(offsetof(memory::Header, header_crc)));
        std::memcpy(region.data() + sizeof(memory::Lead), &header, sizeof header);
    }
    const auto view = memory::IndexView::open(region);
    if (!view) return 0;
    (void)view->verify();
    const auto answer = memory::search(*view, "which wing of number 7 flutters at night");
    if (answer) AIOS_ASSERT(answer->passages.size() <= memory::kDefaultPassages);
    return 0;
}
