#include "tools/aios/image/image.hpp"

#include <algorithm>
#include <cstring>
#include <format>

#include "abi/call_types.hpp"
#include "base/bytes.hpp"
#include "boot/container_check.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/input/manifest.hpp"

namespace aios::host {

namespace {

constexpr std::uint64_t kMaxImage = std::uint64_t{64} << 30;

std::uint64_t whole_pages(std::uint64_t bytes) { return crypto::page_tree_leaves(bytes) * kPageBytes; }

bool is_zero(std::string_view bytes) {
    return std::ranges::all_of(bytes, [](char c) { return c == '\0'; });
}

} // namespace

Outcome<std::uint64_t> write_image(const std::filesystem::path& path, Bundle& tree) {
    Bundle none;
    return write_container(path, tree, none);
}

std::unexpected<Failure> Image::refuse(std::string_view what) const {
    return failure(Exit::bad_input, std::format("'{}' {}", name_, what));
}

Outcome<Image> Image::open(const std::filesystem::path& path) {
    Image image;
    image.name_ = printable(path.native());
    image.file_ = HOST_TRY(read_file(path, kMaxImage));
    // SAFETY: bytes as bytes.
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(image.file_.data());
    const auto header = boot::container_header_check({bytes, std::min<std::size_t>(image.file_.size(), kPageBytes)},
                                                     image.file_.size());
    if (!header) {
        if (header.error() == Error::truncated) return image.refuse("is cut off, or is not an image.");
        if (header.error() == Error::unsupported) return image.refuse("is an image of another version of AIOS.");
        return image.refuse("is not an image.");
    }
    image.section_ = header->sections[boot::kSectionBoot];
    image.empty_ = header->sections[boot::kSectionJob];
    if (header->total_bytes != image.file_.size()) return image.refuse("goes on behind its end.");

    const std::string_view manifest = image.part(image.section_.manifest_offset, image.section_.manifest_bytes);
    const crypto::MerkleHash root = crypto::page_tree_root(as_bytes(manifest));
    if (std::memcmp(root.data(), image.section_.manifest_root, root.size()) != 0)
        return image.refuse("is damaged: its manifest does not match its hash.");
    image.manifest_.resize((manifest.size() + 7) / 8);
    std::memcpy(image.manifest_.data(), manifest.data(), manifest.size());
    const Bytes data = std::as_bytes(std::span(image.manifest_)).first(manifest.size());
    const auto nodes = boot::ManifestTable::nodes_of(data);
    if (nodes) image.room_.resize(*nodes);
    const Result<> parsed =
        nodes ? image.table_.parse(data, image.section_.data_pages, image.room_) : fail(nodes.error());
    if (parsed) return image;
    if (parsed.error() == Error::unsupported) return image.refuse("has a manifest of another version of AIOS.");
    return image.refuse("has a manifest that breaks the rules (boot/manifest.hpp).");
}

// The parts lie one behind the other, as write_container() lays them, and what fills them up is zero.
Outcome<> Image::check_layout() const {
    std::uint64_t next = kPageBytes;
    if (!is_zero(part(sizeof(boot::ContainerHeader), kPageBytes - sizeof(boot::ContainerHeader))))
        return refuse("has something behind its header.");
    for (const boot::ContainerSection* section : {&section_, &empty_}) {
        const std::uint64_t leaves = section->data_pages * sizeof(crypto::MerkleHash);
        if (section->manifest_offset != next) return refuse("has its parts in other places than it should.");
        next += whole_pages(section->manifest_bytes);
        if (section->leaves_offset != next) return refuse("has its parts in other places than it should.");
        next += whole_pages(leaves);
        if (section->data_offset != next) return refuse("has its parts in other places than it should.");
        next += section->data_pages * kPageBytes;
        if (next > file_.size()) return refuse("is cut off.");
        for (const auto& [offset, bytes] :
             {std::pair{section->manifest_offset, section->manifest_bytes}, std::pair{section->leaves_offset, leaves}})
            if (!is_zero(part(offset + bytes, whole_pages(bytes) - bytes)))
                return refuse("has something between its parts.");
    }
    if (next != file_.size()) return refuse("goes on behind its end.");
    Bundle none;
    const SectionLayout nothing = HOST_TRY(lay_out_section(none));
    const crypto::MerkleHash root = crypto::page_tree_root(as_bytes(nothing.manifest));
    if (empty_.data_pages != 0 || part(empty_.manifest_offset, empty_.manifest_bytes) != nothing.manifest ||
        std::memcmp(empty_.manifest_root, root.data(), root.size()) != 0)
        return refuse("has more than a tree: it is a container, and not an image.");
    return {};
}

Outcome<> Image::verify() const {
    HOST_TRY(check_layout());
    std::vector<crypto::MerkleHash> leaves(section_.data_pages), found(section_.data_pages);
    std::memcpy(leaves.data(), file_.data() + section_.leaves_offset, leaves.size() * sizeof(crypto::MerkleHash));
    std::vector<crypto::Sha256Job> jobs;
    for (std::size_t page = 0; page < found.size(); ++page)
        jobs.push_back({.prefix = crypto::kMerkleLeafPrefix,
                        .message = as_bytes(part(section_.data_offset + page * kPageBytes, kPageBytes)),
                        .digest = &found[page]});
    crypto::Sha256BatchWorkspace workspace;
    crypto::sha256_batch(jobs, workspace);
    for (std::uint32_t i = 0; i < table_.count(); ++i) {
        const boot::ManifestNode& node = table_.node(i);
        if (boot::ManifestTable::kind(node) != boot::ManifestKind::file) continue;
        const std::uint64_t pages = boot::ManifestTable::pages(node);
        const auto own = std::span(leaves).subspan(node.first, pages);
        const crypto::MerkleHash root = crypto::merkle_root(own);
        if (std::memcmp(root.data(), node.root, root.size()) != 0)
            return refuse(
                std::format("is damaged: the hashes of '{}' do not match its root.", printable(table_.path(i))));
        for (std::uint64_t page = 0; page < pages; ++page)
            if (own[page] != found[node.first + page])
                return refuse(std::format("is damaged: page {} of '{}' does not match its hash.", page,
                                          printable(table_.path(i))));
    }
    return {};
}

std::string Image::root() const {
    std::string text;
    for (const std::uint8_t byte : section_.manifest_root)
        text += std::format("{:02x}", byte);
    return text;
}

} // namespace aios::host
