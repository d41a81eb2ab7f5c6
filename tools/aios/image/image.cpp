#include "tools/aios/image/image.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include "abi/call_types.hpp"
#include "base/bytes.hpp"
#include "boot/container_check.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/input/manifest.hpp"

namespace aios::host {

namespace {

std::uint64_t whole_pages(std::uint64_t bytes) { return crypto::page_tree_leaves(bytes) * kPageBytes; }

bool is_zero(std::string_view bytes) {
    return std::ranges::all_of(bytes, [](char c) { return c == '\0'; });
}

} // namespace

Outcome<std::uint64_t> write_image(const std::filesystem::path& path, Bundle& tree) {
    namespace fs = std::filesystem;
    Bundle none;
    std::error_code error;
    if (fs::exists(path, error) && !fs::is_regular_file(path, error)) return write_container(path, tree, none);
    // Beside it first: what is there already may be a part of the tree, and stays if this fails.
    const fs::path target = fs::is_symlink(path, error) ? fs::weakly_canonical(path, error) : path;
    const fs::path beside =
        target.parent_path() / std::format(".{}.{}", target.filename().native(), static_cast<int>(::getpid()));
    const std::uint64_t bytes = HOST_TRY(write_container(beside, tree, none));
    fs::rename(beside, target, error);
    if (!error) return bytes;
    const std::string why = error.message();
    fs::remove(beside, error);
    return failure(Exit::host_missing, std::format("'{}' cannot be written: {}.", printable(path.native()), why));
}

std::unexpected<Failure> Image::refuse(std::string_view what) const {
    return failure(Exit::bad_input, std::format("'{}' {}", name_, what));
}

Outcome<std::string> Image::part(std::uint64_t offset, std::uint64_t bytes) const {
    std::string read(bytes, '\0');
    HOST_TRY(reader_.read(offset, read));
    return read;
}

Outcome<Image> Image::open(const std::filesystem::path& path) {
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
        const int error = errno;
        return failure(Exit::bad_input,
                       std::format("'{}' {}.", printable(path.native()),
                                   S_ISDIR(facts.st_mode) ? "is a folder, and not an image"
                                   : facts.st_mode != 0   ? "is not an image"
                                                          : "cannot be read: " + lower_first(std::strerror(error))));
    }
    Stored file{.file = path, .bytes = static_cast<std::uint64_t>(facts.st_size)};
    auto reader = HOST_TRY(StoredReader::open(file));
    Image image(std::move(file), std::move(reader));
    image.name_ = printable(path.native());
    const std::string head = HOST_TRY(image.part(0, std::min<std::uint64_t>(image.bytes(), kPageBytes)));
    // SAFETY: bytes as bytes.
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(head.data());
    const auto header = boot::container_header_check({bytes, head.size()}, image.bytes());
    if (!header) {
        if (header.error() == Error::truncated) return image.refuse("is cut off, or is not an image.");
        if (header.error() == Error::unsupported) return image.refuse("is an image of another version of AIOS.");
        return image.refuse("is not an image.");
    }
    image.section_ = header->sections[boot::kSectionBoot];
    image.empty_ = header->sections[boot::kSectionJob];
    if (header->total_bytes != image.bytes()) return image.refuse("goes on behind its end.");

    const std::string manifest = HOST_TRY(image.part(image.section_.manifest_offset, image.section_.manifest_bytes));
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
    if (!is_zero(HOST_TRY(part(sizeof(boot::ContainerHeader), kPageBytes - sizeof(boot::ContainerHeader)))))
        return refuse("has something behind its header.");
    for (const boot::ContainerSection* section : {&section_, &empty_}) {
        const std::uint64_t leaves = section->data_pages * sizeof(crypto::MerkleHash);
        if (section->manifest_offset != next) return refuse("has its parts in other places than it should.");
        next += whole_pages(section->manifest_bytes);
        if (section->leaves_offset != next) return refuse("has its parts in other places than it should.");
        next += whole_pages(leaves);
        if (section->data_offset != next) return refuse("has its parts in other places than it should.");
        next += section->data_pages * kPageBytes;
        if (next > bytes()) return refuse("is cut off.");
        for (const auto& [offset, bytes] :
             {std::pair{section->manifest_offset, section->manifest_bytes}, std::pair{section->leaves_offset, leaves}})
            if (!is_zero(HOST_TRY(part(offset + bytes, whole_pages(bytes) - bytes))))
                return refuse("has something between its parts.");
    }
    if (next != bytes()) return refuse("goes on behind its end.");
    Bundle none;
    const SectionLayout nothing = HOST_TRY(lay_out_section(none));
    const crypto::MerkleHash root = crypto::page_tree_root(as_bytes(nothing.manifest));
    if (empty_.data_pages != 0 || empty_.manifest_bytes != nothing.manifest.size() ||
        HOST_TRY(part(empty_.manifest_offset, empty_.manifest_bytes)) != nothing.manifest ||
        std::memcmp(empty_.manifest_root, root.data(), root.size()) != 0)
        return refuse("has more than a tree: it is a container, and not an image.");
    return {};
}

// `leaves` are the file's own, as the image has them.
Outcome<> Image::check_file(std::uint32_t index, std::span<const crypto::MerkleHash> leaves) const {
    const boot::ManifestNode& node = table_.node(index);
    const crypto::MerkleHash root = crypto::merkle_root(leaves);
    if (std::memcmp(root.data(), node.root, root.size()) != 0)
        return refuse(
            std::format("is damaged: the hashes of '{}' do not match its root.", printable(table_.path(index))));
    // Whole pages: what fills up the last one is hashed too.
    const Stored pages{.file = file_.file,
                       .offset = section_.data_offset + node.first * kPageBytes,
                       .bytes = boot::ManifestTable::pages(node) * kPageBytes};
    std::size_t page = 0;
    return read_parts(pages, [&](std::string_view part) -> Outcome<> {
        std::vector<crypto::MerkleHash> found;
        append_leaves(part, found);
        for (const crypto::MerkleHash& hash : found) {
            if (hash != leaves[page])
                return refuse(std::format("is damaged: page {} of '{}' does not match its hash.", page,
                                          printable(table_.path(index))));
            ++page;
        }
        return {};
    });
}

Outcome<> Image::verify() const {
    HOST_TRY(check_layout());
    std::vector<crypto::MerkleHash> leaves(section_.data_pages);
    const std::string hashes = HOST_TRY(part(section_.leaves_offset, leaves.size() * sizeof(crypto::MerkleHash)));
    std::memcpy(leaves.data(), hashes.data(), hashes.size());
    for (std::uint32_t i = 0; i < table_.count(); ++i) {
        const boot::ManifestNode& node = table_.node(i);
        if (boot::ManifestTable::kind(node) != boot::ManifestKind::file) continue;
        HOST_TRY(check_file(i, std::span(leaves).subspan(node.first, boot::ManifestTable::pages(node))));
    }
    return {};
}

Bundle Image::tree() const {
    Bundle bundle;
    for (std::uint32_t i = 0; i < table_.count(); ++i) {
        const boot::ManifestNode& node = table_.node(i);
        BundleEntry entry{.path = std::string(table_.path(i)), .bytes = {}};
        entry.mode = static_cast<std::uint16_t>(boot::ManifestTable::mode(node));
        entry.modified_ns = node.modified_ns;
        switch (boot::ManifestTable::kind(node)) {
        case boot::ManifestKind::directory:
            entry.kind = EntryKind::directory;
            break;
        case boot::ManifestKind::file: {
            Stored contents{.file = file_.file,
                            .offset = section_.data_offset + node.first * kPageBytes,
                            .bytes = node.bytes,
                            .root = crypto::MerkleHash{}};
            std::memcpy(contents.root->data(), node.root, sizeof(node.root));
            entry.stored = std::move(contents);
            break;
        }
        case boot::ManifestKind::link:
            entry.kind = EntryKind::link;
            entry.target = table_.target(i);
            break;
        case boot::ManifestKind::name:
            entry.kind = EntryKind::name;
            entry.target = table_.path(table_.resolve(i));
            break;
        }
        bundle.entries.push_back(std::move(entry));
    }
    return bundle;
}

bool begins_as_image(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    char magic[sizeof(boot::kContainerMagic)]{};
    return file.read(magic, sizeof(magic)) && std::memcmp(magic, boot::kContainerMagic, sizeof(magic)) == 0;
}

std::string Image::root() const {
    std::string text;
    for (const std::uint8_t byte : section_.manifest_root)
        text += std::format("{:02x}", byte);
    return text;
}

} // namespace aios::host
