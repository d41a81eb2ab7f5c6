// The container that the kernel was started with: found once, its sections opened at first use and kept. No lock: only
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
        Ref<Section> opened = TRY(Section::open(container.base, container.header.sections[section]));
        tree = TRY(BundleTree::create(std::move(opened)));
    }
    return Ref<Tree>(tree);
}

std::string_view first_program() {
    if (!open_bundle_section(boot::kSectionBoot)) return {};
    return container.trees[boot::kSectionBoot]->section().manifest().first_program();
}

Result<> boot_manifest_digest(std::uint8_t out[32]) {
    TRY(open_bundle_section(boot::kSectionBoot)); // the digest says something only if the manifest matches it
    std::memcpy(out, container.header.sections[boot::kSectionBoot].manifest_sha256, 32);
    return {};
}

} // namespace aios::fs
