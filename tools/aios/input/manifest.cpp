#include "tools/aios/input/manifest.hpp"

#include <algorithm>
#include <cstring>
#include <format>
#include <map>
#include <set>

#include "abi/call_types.hpp"
#include "base/bytes.hpp"
#include "boot/manifest.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

using boot::ManifestKind;
using Entries = std::vector<BundleEntry>;

std::string_view directory_of(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

// Every path needs the directories above it, and a root.
void add_directories(Entries& entries) {
    std::set<std::string> known{""}, missing;
    const bool has_root = std::ranges::contains(entries, "", &BundleEntry::path);
    for (const BundleEntry& entry : entries)
        known.insert(entry.path);
    for (const BundleEntry& entry : entries)
        for (std::string_view above = directory_of(entry.path); !above.empty(); above = directory_of(above))
            if (!known.contains(std::string(above)) && !missing.insert(std::string(above)).second) break;
    if (!has_root) missing.insert("");
    for (const std::string& path : missing)
        entries.push_back({.path = path, .bytes = {}, .kind = EntryKind::directory, .mode = 0555});
}

Outcome<> check_directories(const Entries& sorted) {
    std::set<std::string_view> directories;
    for (const BundleEntry& entry : sorted) {
        if (entry.kind == EntryKind::directory) directories.insert(entry.path);
        if (!entry.path.empty() && !directories.contains(directory_of(entry.path)))
            return failure(Exit::bad_input, std::format("'{}' lies in '{}', which is not a folder.",
                                                        printable(entry.path), printable(directory_of(entry.path))));
    }
    return {};
}

// The first name of a file, in the order of paths, becomes the file; each other one refers to it. `target` is the path of
// the file that an entry is a further name of.
Outcome<> order_names(Entries& sorted) {
    std::map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < sorted.size(); ++i)
        places[sorted[i].path] = i;
    std::map<std::string, std::size_t> first; // by the path that names give: the entry that has become the file
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        BundleEntry& name = sorted[i];
        if (name.kind != EntryKind::name) continue;
        const auto place = places.find(name.target);
        const bool is_known = first.contains(name.target);
        if (place == places.end() || (!is_known && sorted[place->second].kind != EntryKind::file))
            return failure(Exit::bad_input, std::format("'{}' is a further name of '{}', which is not a file.",
                                                        printable(name.path), printable(name.target)));
        if (!is_known) first[name.target] = place->second;
        std::size_t& file = first[name.target];
        if (i < file) {
            BundleEntry& old = sorted[file];
            name.bytes = std::move(old.bytes);
            name.stored = std::exchange(old.stored, std::nullopt);
            name.executable = old.executable;
            name.mode = old.mode;
            name.modified_ns = old.modified_ns;
            name.kind = EntryKind::file;
            old.kind = EntryKind::name;
            old.target = name.target; // the path that the group goes by
            old.bytes.clear();
            file = i;
        }
    }
    for (BundleEntry& name : sorted)
        if (name.kind == EntryKind::name) name.target = sorted[first.at(name.target)].path;
    return {};
}

ManifestKind kind_of(EntryKind kind) {
    switch (kind) {
    case EntryKind::file:
        return ManifestKind::file;
    case EntryKind::directory:
        return ManifestKind::directory;
    case EntryKind::link:
        return ManifestKind::link;
    case EntryKind::name:
        return ManifestKind::name;
    }
    return ManifestKind::file;
}

unsigned mode_of(const BundleEntry& entry) {
    if (entry.kind == EntryKind::link) return boot::kManifestLinkMode;
    if (entry.kind == EntryKind::name) return 0;
    return entry.mode.value_or(entry.executable ? 0555 : 0444);
}

// The leaves of a file's pages are appended to `leaves`; returns the tree head over them.
Outcome<crypto::MerkleHash> hash_file(const BundleEntry& file, std::vector<crypto::MerkleHash>& leaves) {
    const std::size_t first = leaves.size();
    HOST_TRY(read_contents(file, [&](std::string_view part) -> Outcome<> {
        append_leaves(part, leaves);
        return {};
    }));
    const crypto::MerkleHash root = crypto::merkle_root(std::span(leaves).subspan(first));
    if (file.stored && file.stored->root && *file.stored->root != root)
        return failure(Exit::bad_input, std::format("'{}' is damaged: '{}' does not match its hash.",
                                                    printable(file.stored->file.native()), printable(file.path)));
    return root;
}

template <typename T>
void append(std::string& to, const T& value) {
    to.append(as_text(std::as_bytes(std::span(&value, 1))));
}

} // namespace

void append_leaves(std::string_view bytes, std::vector<crypto::MerkleHash>& leaves) {
    const std::size_t first = leaves.size(), count = crypto::page_tree_leaves(bytes.size());
    leaves.resize(first + count);
    const std::size_t whole = bytes.size() / kPageBytes;
    std::vector<crypto::Sha256Job> jobs;
    for (std::size_t i = 0; i < whole; ++i)
        jobs.push_back({.prefix = crypto::kMerkleLeafPrefix,
                        .message = as_bytes(bytes.substr(i * kPageBytes, kPageBytes)),
                        .digest = &leaves[first + i]});
    crypto::Sha256BatchWorkspace workspace;
    const crypto::BatchHasher hash{crypto::sha256_batch, workspace};
    hash(jobs);
    if (whole != count) leaves.back() = crypto::page_tree_leaf(as_bytes(bytes.substr(whole * kPageBytes)));
}

Outcome<SectionLayout> lay_out_section(Bundle& bundle) {
    Entries& entries = bundle.entries;
    add_directories(entries);
    std::ranges::sort(entries, {}, &BundleEntry::path);
    const auto twice = std::ranges::adjacent_find(entries, {}, &BundleEntry::path);
    if (twice != entries.end())
        return failure(Exit::bad_input, std::format("the bundle holds '{}' twice.", printable(twice->path)));
    HOST_TRY(check_directories(entries));
    HOST_TRY(order_names(entries));
    if (entries.size() > boot::kMaxManifestNodes)
        return failure(Exit::bad_input, std::format("there are {} files, folders and links; {} is the most.",
                                                    entries.size(), boot::kMaxManifestNodes));

    std::map<std::string_view, std::uint32_t> places, names;
    for (const BundleEntry& entry : entries) {
        places[entry.path] = static_cast<std::uint32_t>(places.size());
        if (entry.kind == EntryKind::name) ++names[entry.target];
    }
    boot::ManifestHeader header{};
    std::memcpy(header.magic, boot::kManifestMagic, sizeof(header.magic));
    header.nodes = static_cast<std::uint32_t>(entries.size());
    header.first_program = boot::kNoProgram;
    if (const auto first = places.find(bundle.first); !bundle.first.empty() && first != places.end())
        header.first_program = first->second;
    SectionLayout layout;
    std::string nodes, text;
    for (const BundleEntry& entry : entries) {
        boot::ManifestNode node{};
        node.text = static_cast<std::uint32_t>(text.size());
        node.path_bytes = static_cast<std::uint16_t>(entry.path.size());
        node.kind_and_mode = boot::kind_and_mode(kind_of(entry.kind), mode_of(entry));
        node.modified_ns = entry.kind == EntryKind::name ? 0 : entry.modified_ns;
        text += entry.path;
        if (entry.kind == EntryKind::file) {
            node.first = static_cast<std::uint32_t>(layout.leaves.size());
            node.bytes = entry.size();
            node.names = 1 + (names.contains(entry.path) ? names[entry.path] : 0);
            const crypto::MerkleHash root = HOST_TRY(hash_file(entry, layout.leaves));
            std::memcpy(node.root, root.data(), root.size());
        } else if (entry.kind == EntryKind::link) {
            if (entry.target.empty() || entry.target.size() > kMaxPathBytes || entry.target.contains('\0'))
                return failure(Exit::bad_input, std::format("the link '{}' has no target of 1 to {} bytes.",
                                                            printable(entry.path), std::size_t{kMaxPathBytes}));
            node.bytes = entry.target.size();
            text += entry.target;
        } else if (entry.kind == EntryKind::name) {
            node.first = places.at(entry.target);
        }
        append(nodes, node);
    }
    if (text.size() > ~std::uint32_t{0} || layout.leaves.size() > ~std::uint32_t{0})
        return failure(Exit::bad_input, "the bundle is too large.");
    header.text_bytes = text.size();
    header.data_pages = layout.leaves.size();
    append(layout.manifest, header);
    layout.manifest += nodes;
    layout.manifest += text;
    return layout;
}

} // namespace aios::host
