// Builds containers for tests, in host memory, from the description in boot/container.hpp alone.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "boot/container.hpp"
#include "crypto/merkle.hpp"

namespace aios::test {

struct TestSection {
    std::map<std::string, std::string> files; // sorted, as the manifest is
    std::string first;
    std::map<std::string, std::uint64_t> flags;
};

inline void append_padded(std::vector<std::byte>& to, Bytes data) {
    to.insert(to.end(), data.begin(), data.end());
    to.resize((to.size() + 4095) / 4096 * 4096);
}

inline std::vector<std::byte> encode_manifest(const TestSection& section) {
    std::vector<std::byte> buffer(64 + section.files.size() * 1200);
    cbor::Encoder out(buffer);
    out.map(section.first.empty() ? 2 : 3).key(0).uint(1).key(1).array(section.files.size());
    std::uint64_t page = 0;
    for (const auto& [path, contents] : section.files) {
        const auto flags = section.flags.find(path);
        out.array(5).text(path).uint(page).uint(contents.size());
        out.bytes(crypto::page_tree_root(as_bytes(contents))).uint(flags == section.flags.end() ? 0 : flags->second);
        page += crypto::page_tree_leaves(contents.size());
    }
    if (!section.first.empty()) out.key(2).text(section.first);
    const auto encoded = out.finish();
    AIOS_ASSERT(encoded.has_value());
    buffer.resize(encoded->size());
    return buffer;
}

inline std::vector<std::byte> build_container(const TestSection (&sections)[2]) {
    std::vector<std::byte> result(4096);
    boot::ContainerHeader header{};
    std::memcpy(header.magic, boot::kContainerMagic, 8);
    header.version = boot::kContainerVersion;
    header.section_count = 2;
    for (unsigned i = 0; i < 2; ++i) {
        boot::ContainerSection& place = header.sections[i];
        const std::vector<std::byte> manifest = encode_manifest(sections[i]);
        place.manifest_offset = result.size();
        place.manifest_bytes = manifest.size();
        const crypto::Digest256 digest = crypto::Sha256::hash(manifest);
        std::memcpy(place.manifest_sha256, digest.data(), 32);
        append_padded(result, manifest);
        std::vector<std::byte> leaves, data;
        for (const auto& [path, contents] : sections[i].files) {
            const Bytes bytes = as_bytes(contents);
            for (std::size_t at = 0; at < bytes.size(); at += 4096) {
                const auto leaf =
                    crypto::page_tree_leaf(bytes.subspan(at, std::min<std::size_t>(4096, bytes.size() - at)));
                leaves.insert(leaves.end(), leaf.begin(), leaf.end());
            }
            append_padded(data, bytes);
        }
        place.data_pages = data.size() / 4096;
        place.leaves_offset = result.size();
        append_padded(result, leaves);
        place.data_offset = result.size();
        append_padded(result, data);
    }
    header.total_bytes = result.size();
    std::memcpy(result.data(), &header, sizeof header);
    return result;
}

} // namespace aios::test
