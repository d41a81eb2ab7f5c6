// BundleTree: a section of the container as a read-only tree. Files are the entries; directories are implied by their
// paths. The container's memory is the kernel's; an open node, its Pages and their source are charged to whoever opened
// it. No lock.
#pragma once

#include "kernel/fs/section.hpp"
#include "kernel/fs/tree.hpp"

namespace aios::fs {

class BundleTree final : public Tree {
public:
    static Result<Ref<BundleTree>> create(Ref<Section> section) {
        return Ref<BundleTree>::adopt(TRY(mm::make<BundleTree>(std::move(section))));
    }
    [[nodiscard]] bool is_writable() const override { return false; }
    Result<Ref<Node>> open(std::string_view path, Payer& payer) override;
    // missing_right, whatever the arguments: nobody can change the bundle.
    Result<Ref<Node>> create_file(std::string_view, std::uint32_t) override { return fail(Error::missing_right); }
    Result<> create_directory(std::string_view, std::uint32_t) override { return fail(Error::missing_right); }
    Result<> create_link(std::string_view, std::string_view) override { return fail(Error::missing_right); }
    Result<> create_hard_link(std::string_view, std::string_view) override { return fail(Error::missing_right); }
    Result<> remove(std::string_view, NodeKind) override { return fail(Error::missing_right); }
    Result<> rename(std::string_view, std::string_view, IfPresent) override { return fail(Error::missing_right); }
    Result<> list(std::uint64_t index, TreeEntry& out) override;

    [[nodiscard]] Section& section() const { return *section_; }

    BundleTree(mm::OnHeap, Ref<Section> section)
        : Tree(ObjectType::tree, Reservation{}), section_(std::move(section)) {}
    ~BundleTree() override = default;

private:
    const Ref<Section> section_;
};

} // namespace aios::fs
