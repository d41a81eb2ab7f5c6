// Builds containers for tests, in host memory, from the descriptions in boot/container.hpp and boot/manifest.hpp alone.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "boot/container.hpp"
#include "boot/manifest.hpp"
#include "crypto/merkle.hpp"

namespace aios::test {

struct TestSection {
    std::map<std::string, std::string> files;
    std::string first = {};
    std::map<std::string, std::uint16_t> modes = {}; // of files: 0444 where there is none
    std::map<std::string, std::string> links = {};   // path, target
    std::map<std::string, std::string> names = {};   // path, the file whose further name it is
    std::vector<std::string> directories = {};       // with nothing in them; others come with what they have
};

inline void append_padded(std::vector<std::byte>& to, Bytes data) {
    to.insert(to.end(), data.begin(), data.end());
    to.resize((to.size() + 4095) / 4096 * 4096);
}

// A node, its path, and a link's target.
struct TestNode {
    boot::ManifestNode node{};
    std::string path, target;
};

inline std::vector<TestNode> nodes_of(const TestSection& section) {
    std::map<std::string, boot::ManifestKind> kinds{{"", boot::ManifestKind::directory}};
    for (const auto& [path, contents] : section.files)
        kinds[path] = boot::ManifestKind::file;
    for (const std::string& path : section.directories)
        kinds[path] = boot::ManifestKind::directory;
    for (const auto& [path, target] : section.links)
        kinds[path] = boot::ManifestKind::link;
    for (const auto& [path, file] : section.names)
        kinds[path] = boot::ManifestKind::name;
    const auto leaves = kinds;
    for (const auto& [path, kind] : leaves)
        for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
            kinds.emplace(path.substr(0, slash), boot::ManifestKind::directory);
    std::vector<TestNode> nodes;
    std::uint32_t page = 0;
    for (const auto& [path, kind] : kinds) {
        TestNode made{.path = path, .target = {}};
        unsigned mode = 0;
        if (kind == boot::ManifestKind::directory) mode = 0555;
        if (kind == boot::ManifestKind::link) {
            mode = 0777;
            made.target = section.links.at(path);
            made.node.bytes = made.target.size();
        }
        if (kind == boot::ManifestKind::name) {
            const auto file = std::ranges::find(nodes, section.names.at(path), &TestNode::path);
            made.node.first = static_cast<std::uint32_t>(file - nodes.begin());
            ++file->node.names;
        }
        if (kind == boot::ManifestKind::file) {
            mode = section.modes.contains(path) ? section.modes.at(path) : 0444;
            const std::string& contents = section.files.at(path);
            made.node.bytes = contents.size();
            made.node.first = page;
            made.node.names = 1;
            made.node.modified_ns = 1'000'000'000ull * contents.size();
            const auto root = crypto::page_tree_root(as_bytes(contents));
            std::memcpy(made.node.root, root.data(), root.size());
            page += static_cast<std::uint32_t>(crypto::page_tree_leaves(contents.size()));
        }
        made.node.kind_and_mode = boot::kind_and_mode(kind, mode);
        nodes.push_back(made);
    }
    return nodes;
}

// `places`: each node's text lies where it has to; otherwise where the node says.
inline std::vector<std::byte> encode_nodes(std::vector<TestNode> nodes, std::uint32_t first, std::uint64_t data_pages,
                                           bool places = true) {
    boot::ManifestHeader header{};
    std::memcpy(header.magic, boot::kManifestMagic, sizeof header.magic);
    header.nodes = static_cast<std::uint32_t>(nodes.size());
    header.first_program = first;
    header.data_pages = data_pages;
    std::string text;
    for (TestNode& made : nodes) {
        if (places) {
            made.node.text = static_cast<std::uint32_t>(text.size());
            made.node.path_bytes = static_cast<std::uint16_t>(made.path.size());
        }
        text += made.path + made.target;
    }
    header.text_bytes = text.size();
    std::vector<std::byte> bytes(sizeof header + nodes.size() * sizeof(boot::ManifestNode) + text.size());
    std::memcpy(bytes.data(), &header, sizeof header);
    for (std::size_t i = 0; i < nodes.size(); ++i)
        std::memcpy(bytes.data() + sizeof header + i * sizeof(boot::ManifestNode), &nodes[i].node,
                    sizeof nodes[i].node);
    std::memcpy(bytes.data() + bytes.size() - text.size(), text.data(), text.size());
    return bytes;
}

inline std::uint64_t pages_of(const TestSection& section) {
    std::uint64_t pages = 0;
    for (const auto& [path, contents] : section.files)
        pages += crypto::page_tree_leaves(contents.size());
    return pages;
}

inline std::vector<std::byte> encode_manifest(const TestSection& section) {
    const std::vector<TestNode> nodes = nodes_of(section);
    std::uint32_t first = boot::kNoProgram;
    if (!section.first.empty())
        first = static_cast<std::uint32_t>(std::ranges::find(nodes, section.first, &TestNode::path) - nodes.begin());
    return encode_nodes(nodes, first, pages_of(section));
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
        const crypto::MerkleHash root = crypto::page_tree_root(manifest);
        std::memcpy(place.manifest_root, root.data(), 32);
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
