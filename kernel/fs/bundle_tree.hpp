// BundleTree: a section of the container as a read-only tree. The container's memory is the kernel's; an open node, its
// Pages and their source are charged to whoever opened it.
//
// The section is opened, its manifest hashed and checked, when the tree is first asked for something: by whoever asks, in
// his time, and his quota has room for what that needs meanwhile. So a job of many documents costs the start of the system
// nothing. No lock, and nobody waits:
//   1. A thread that finds the section neither open nor refused opens one of its own.
//   2. It publishes it, or why it is refused. The first to do so decides, for good; others drop theirs.
#pragma once

#include "kernel/fs/section.hpp"
#include "kernel/fs/tree.hpp"

namespace aios::fs {

// Trees that nobody can change: missing_right, whatever the arguments.
class ReadOnlyTree : public Tree {
public:
    [[nodiscard]] bool is_writable() const final { return false; }
    Result<Ref<Node>> create_file(std::string_view, std::uint32_t) final { return fail(Error::missing_right); }
    Result<> create_directory(std::string_view, std::uint32_t) final { return fail(Error::missing_right); }
    Result<Ref<Node>> create_socket(std::string_view, std::uint32_t) final { return fail(Error::missing_right); }
    Result<Ref<Node>> create_fifo(std::string_view, std::uint32_t) final { return fail(Error::missing_right); }
    Result<> create_link(std::string_view, std::string_view) final { return fail(Error::missing_right); }
    Result<> create_hard_link(std::string_view, std::string_view) final { return fail(Error::missing_right); }
    Result<> remove(std::string_view, NodeKind) final { return fail(Error::missing_right); }
    Result<> rename(std::string_view, std::string_view, IfPresent) final { return fail(Error::missing_right); }

protected:
    explicit ReadOnlyTree(Reservation charge) : Tree(ObjectType::tree, std::move(charge)) {}
};

// What a node of a section is in a tree.
[[nodiscard]] NodeKind kind_of(const boot::ManifestNode& node);

class BundleTree final : public ReadOnlyTree {
public:
    // As Section::open, which is put off.
    static Result<Ref<BundleTree>> create(arch::PhysAddr base, const boot::ContainerSection& header) {
        return Ref<BundleTree>::adopt(TRY(mm::make<BundleTree>(base, header)));
    }
    Result<Ref<Node>> open(std::string_view path, Payer& payer) override;
    Result<> list(std::uint64_t index, TreeEntry& out, Payer& payer) override;
    Result<SectionPlace> place_of(std::string_view path, Payer& payer) override;

    // Opened. The errors of Section::open; quota_exceeded. Without payer: nobody is charged, at boot.
    [[nodiscard]] Result<Ref<Section>> section(Payer* payer);

    BundleTree(mm::OnHeap, arch::PhysAddr base, const boot::ContainerSection& header)
        : ReadOnlyTree(Reservation{}), base_(base), header_(header) {}
    ~BundleTree() override;

private:
    const arch::PhysAddr base_;
    const boot::ContainerSection header_;
    std::atomic<Section*> section_{nullptr}; // counted
    std::atomic<std::uint64_t> refused_{0};  // the error, if it is the section's own
};

} // namespace aios::fs
