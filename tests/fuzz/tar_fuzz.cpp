// Archives of any entries, and any bytes: read without a fault, or refused with a sentence; what is read has a manifest that the
// kernel's reader takes.
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

void put_checksum(std::string& archive, std::size_t at) {
    std::memset(archive.data() + at + 148, ' ', 8);
    unsigned sum = 0;
    for (std::size_t i = 0; i < 512; ++i)
        sum += static_cast<unsigned char>(archive[at + i]);
    std::format("{:06o}", sum).copy(archive.data() + at + 148, 6);
    archive[at + 154] = '\0';
}

// Entries of the input: type, lengths of name, target, mode and contents, then these. What is left stands at the end.
std::string archive_of(std::string_view input) {
    std::string archive;
    const auto take = [&](std::size_t bytes) {
        const std::string_view taken = input.substr(0, bytes);
        input.remove_prefix(taken.size());
        return taken;
    };
    while (input.size() > 5) {
        const char type = take(1)[0];
        std::size_t lengths[4];
        for (std::size_t& length : lengths)
            length = static_cast<unsigned char>(take(1)[0]);
        const std::size_t at = archive.size();
        archive.resize(at + 512);
        archive[at + 156] = type;
        take(lengths[0] % 101).copy(archive.data() + at, 100);
        take(lengths[1] % 101).copy(archive.data() + at + 157, 100);
        take(lengths[2] % 21).copy(archive.data() + at + 100, 20);
        const std::string_view contents = take(lengths[3]);
        std::format("{:011o}", contents.size()).copy(archive.data() + at + 124, 11);
        put_checksum(archive, at);
        archive += contents;
        archive.resize((archive.size() + 511) / 512 * 512);
    }
    return archive.append(1024, '\0').append(input);
}

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size); // SAFETY: bytes as characters
    const std::string archive = size >= 512 ? std::string(input) : archive_of(input);
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
