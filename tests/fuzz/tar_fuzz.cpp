// Archives of any bytes: read without a fault, or refused with a sentence; what is read has a manifest, and one that the
// kernel's reader takes. The checksums of headers are made right, or hardly any input would come past the first.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <format>

#include "base/bytes.hpp"
#include "boot/manifest_table.hpp"
#include "tools/aios/image/tar.hpp"
#include "tools/aios/input/manifest.hpp"

using namespace aios;

namespace {

void mend_checksums(std::string& archive) {
    for (std::size_t at = 0; at + 512 <= archive.size(); at += 512) {
        if (archive[at] == '\0') continue;
        std::memset(archive.data() + at + 148, ' ', 8);
        unsigned sum = 0;
        for (std::size_t i = 0; i < 512; ++i)
            sum += static_cast<unsigned char>(archive[at + i]);
        const std::string text = std::format("{:06o}", sum);
        text.copy(archive.data() + at + 148, 6);
        archive[at + 154] = '\0';
    }
}

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string archive(reinterpret_cast<const char*>(data), size); // SAFETY: bytes as characters
    if (size % 2 == 0) mend_checksums(archive);
    auto bundle = host::read_tar(archive, "archive");
    if (!bundle) {
        require(!bundle.error().sentence.empty());
        return 0;
    }
    const auto layout = host::lay_out_section(*bundle);
    if (!layout) return 0;
    std::vector<std::uint64_t> aligned((layout->manifest.size() + 7) / 8);
    std::memcpy(aligned.data(), layout->manifest.data(), layout->manifest.size());
    const Bytes manifest = std::as_bytes(std::span(aligned)).first(layout->manifest.size());
    const auto nodes = boot::ManifestTable::nodes_of(manifest);
    require(nodes.has_value());
    std::vector<std::uint32_t> room(*nodes);
    boot::ManifestTable table;
    require(table.parse(manifest, layout->leaves.size(), room).has_value());
    return 0;
}
