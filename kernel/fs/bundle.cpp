// The container that the kernel was started with: found once, a tree made for each of its sections and kept. No lock: only
// the thread that boots comes here, before there is an agent; agents have handles on the trees.
#include <algorithm>
#include <cstring>

#include "boot/container_check.hpp"
#include "kernel/fs/bundle_tree.hpp"
#include "kernel/fs/tree.hpp"

namespace aios::fs {

namespace {

struct Container {
    arch::PhysAddr base;
    boot::ContainerHeader header{};
    bool is_there = false;
    Ref<BundleTree> trees[std::size(boot::ContainerHeader{}.sections)];
};
[[clang::no_destroy]] constinit Container container;

} // namespace

Result<> init_bundle(arch::PhysAddr base, std::uint64_t bytes) {
    if (bytes == 0) return fail(Error::not_found);
    if (base.value % mm::kPageSize != 0) return fail(Error::bad_format);
    // SAFETY: the hand-off says that the container lies there; it is RAM in the physmap.
    const auto* start = static_cast<const std::uint8_t*>(arch::physmap(base));
    container.header = TRY(boot::container_header_check({start, std::min(bytes, std::uint64_t{mm::kPageSize})}, bytes));
    container.base = base;
    container.is_there = true;
    return {};
}

Result<Ref<Tree>> open_bundle_section(unsigned section) {
    if (!container.is_there || section >= std::size(container.trees)) return fail(Error::not_found);
    Ref<BundleTree>& tree = container.trees[section];
    if (!tree) {
        const boot::ContainerSection& header = container.header.sections[section];
        if (header.manifest_bytes == 0) return fail(Error::not_found);
        tree = TRY(BundleTree::create(container.base, header));
    }
    return Ref<Tree>(tree);
}

// The boot section, opened.
static Result<Ref<Section>> boot_section() {
    TRY(open_bundle_section(boot::kSectionBoot));
    return container.trees[boot::kSectionBoot]->section(nullptr);
}

std::string_view first_program() {
    const Result<Ref<Section>> section = boot_section();
    return section ? (*section)->manifest().first_program() : std::string_view(); // the tree keeps it
}

Result<> boot_manifest_digest(std::uint8_t out[32]) {
    TRY(boot_section()); // the digest says something only if the manifest matches it
    std::memcpy(out, container.header.sections[boot::kSectionBoot].manifest_root, 32);
    return {};
}

} // namespace aios::fs
