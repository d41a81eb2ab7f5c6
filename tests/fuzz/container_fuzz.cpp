// The container as an attacker would write it: header, manifest, leaves, data. Manifest hashes are made right, so that
// the parser behind them is reached. Whatever opens must be usable without a crash, and lookups must agree with the
// listing.
#include <cstdint>
#include <cstring>
#include <vector>

#include "boot/container_check.hpp"
#include "kernel/fs/bundle_tree.hpp"
#include "tests/unit/fs/container_builder.hpp"
#include "tests/unit/mm/fake_arch.hpp"

namespace aios::fs {
void report_integrity(std::string_view, std::uint64_t) {}
} // namespace aios::fs

namespace {

using namespace aios;

fake::CountingPayer payer;

void walk(fs::Tree& tree, std::string_view path, unsigned depth) {
    const auto node = tree.open(path, payer);
    AIOS_ASSERT(node.has_value());
    fs::Node::Entry entry;
    std::uint64_t position = 0;
    for (unsigned i = 0; i < 50 && (*node)->entry(position, entry); ++i) {
        AIOS_ASSERT(entry.next_position > position);
        position = entry.next_position;
        char child[kMaxPathBytes + 1];
        std::size_t size = path.size();
        std::memcpy(child, path.data(), size);
        if (size != 0) child[size++] = '/';
        AIOS_ASSERT(size + entry.name_bytes <= kMaxPathBytes);
        std::memcpy(child + size, entry.name, entry.name_bytes);
        size += entry.name_bytes;
        const auto found = tree.open({child, size}, payer);
        AIOS_ASSERT(found && (*found)->info().id == entry.id && (*found)->info().kind == entry.kind);
        char target[kMaxPathBytes];
        AIOS_ASSERT((*found)->read_link(target, sizeof target).has_value() == (entry.kind == fs::NodeKind::link));
        if (entry.kind == fs::NodeKind::directory && depth < 6) walk(tree, {child, size}, depth + 1);
    }
}

void use(fs::Tree& tree) {
    TreeEntry entry;
    for (std::uint64_t i = 0; i < 50 && tree.list(i, entry, payer); ++i) {
        const auto node = tree.open({entry.name, entry.name_bytes}, payer);
        AIOS_ASSERT(node && (*node)->info().bytes == entry.size);
        const auto pages = (*node)->pages();
        char text[100];
        if (pages && entry.size != 0) (void)(*pages)->read(entry.size - 1, text, 1);
        if (pages) (void)(*pages)->read(0, text, std::min<std::uint64_t>(entry.size, sizeof text));
    }
    walk(tree, "", 0);
}

// A good container with changes: each four bytes of the input are an offset and a value.
std::vector<std::uint8_t> changed_sample(const std::uint8_t* data, std::size_t size) {
    static const std::vector<std::byte> good = [] {
        test::TestSection section;
        section.files["a/b"] = std::string(5000, 'x');
        section.files["a/c/d"] = "text";
        section.files["a-c"] = "";
        section.files["e"] = std::string(4096, 'y');
        section.modes["e"] = 0755;
        section.links["a/l"] = "../e";
        section.names["f"] = "a/c/d";
        section.first = "e";
        return test::build_container({section, section});
    }();
    std::vector<std::uint8_t> bytes(good.size());
    std::memcpy(bytes.data(), good.data(), good.size());
    for (; size >= 4; data += 4, size -= 4) {
        const std::size_t offset = data[0] | data[1] << 8 | data[2] << 16;
        bytes[offset % bytes.size()] = data[3];
    }
    return bytes;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fake::start_machine();
    if (size > 64 * 1024) return 0;
    // The first byte chooses: a whole container, a manifest in a well-formed one, or changes to a good one.
    if (size == 0) return 0;
    const unsigned mode = data[0] % 3;
    ++data;
    --size;
    std::vector<std::uint8_t> bytes(data, data + size);
    boot::ContainerHeader header{};
    if (mode == 1) {
        constexpr std::uint64_t kPage = 4096, kPages = 4;
        std::memcpy(header.magic, boot::kContainerMagic, sizeof header.magic);
        header.version = boot::kContainerVersion;
        header.section_count = 2;
        boot::ContainerSection& section = header.sections[0];
        section = {kPage, size, {}, 0, 0, kPages};
        section.leaves_offset = kPage + (size + kPage - 1) / kPage * kPage;
        section.data_offset = section.leaves_offset + kPage;
        header.total_bytes = section.data_offset + kPages * kPage;
        bytes.assign(header.total_bytes, 0);
        if (size != 0) std::memcpy(bytes.data() + kPage, data, size);
    } else {
        if (mode == 2) bytes = changed_sample(data, size);
        if (bytes.size() >= sizeof header) std::memcpy(&header, bytes.data(), sizeof header);
    }
    for (boot::ContainerSection& section : header.sections) {
        if (section.manifest_offset > bytes.size() || section.manifest_bytes > bytes.size() - section.manifest_offset)
            continue;
        const auto root = crypto::page_tree_root(
            std::as_bytes(std::span(bytes)).subspan(section.manifest_offset, section.manifest_bytes));
        std::memcpy(section.manifest_root, root.data(), root.size());
    }
    if (bytes.size() >= sizeof header) std::memcpy(bytes.data(), &header, sizeof header);

    const arch::PhysAddr base = fake::unmanaged_ram();
    if (!bytes.empty()) std::memcpy(arch::physmap(base), bytes.data(), bytes.size());
    const auto* page = static_cast<const std::uint8_t*>(arch::physmap(base));
    const auto checked = boot::container_header_check({page, std::min<std::size_t>(bytes.size(), 4096)}, bytes.size());
    if (!checked) return 0;
    for (const boot::ContainerSection& section : checked->sections) {
        auto tree = fs::BundleTree::create(base, section);
        if (tree && (*tree)->section(&payer)) use(**tree);
    }
    return 0;
}
