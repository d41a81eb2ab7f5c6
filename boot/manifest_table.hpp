// Reads a manifest (manifest.hpp) where it lies: parsed once and completely checked, so that whoever asks afterwards cannot
// fail. A path is found by binary search. For the kernel, and for the host's own look at an image.
//
// Always holds after parse: what manifest.hpp lists. No allocation, no locks: nothing changes after parse.
#pragma once

#include <span>
#include <string_view>

#include "base/assert.hpp"
#include "base/result.hpp"
#include "base/types.hpp"
#include "boot/manifest.hpp"
#include "crypto/merkle.hpp"

namespace aios::boot {

class ManifestTable {
public:
    // How many numbers parse() needs room for: one a node. truncated, unsupported (version), too_large, bad_format.
    [[nodiscard]] static Result<std::uint32_t> nodes_of(Bytes data);

    // Once. `data` is aligned to 8 bytes; it and `room`, of nodes_of(data) numbers, outlive the table. `data_pages` are the
    // section's. bad_format and the errors of nodes_of().
    [[nodiscard]] Result<> parse(Bytes data, std::uint64_t data_pages, std::span<std::uint32_t> room);

    [[nodiscard]] std::uint32_t count() const { return count_; }
    [[nodiscard]] std::string_view first_program() const;
    [[nodiscard]] const ManifestNode& node(std::uint32_t index) const {
        AIOS_ASSERT(index < count_);
        return nodes_[index];
    }
    [[nodiscard]] std::string_view path(std::uint32_t index) const;
    [[nodiscard]] std::string_view target(std::uint32_t index) const; // of a link
    // What a name stands for; other nodes stand for themselves.
    [[nodiscard]] std::uint32_t resolve(std::uint32_t index) const;
    // The nodes that are files or names of files, in their order.
    [[nodiscard]] std::uint32_t file_count() const { return file_count_; }
    [[nodiscard]] std::uint32_t file(std::uint32_t number) const {
        AIOS_ASSERT(number < file_count_);
        return room_[number];
    }

    // The first node whose path is not less than `path`, bytewise; count() if there is none.
    [[nodiscard]] std::uint32_t lower_bound(std::string_view path) const;
    // Nodes [first, end) are those below directory `path`, which is not one of them; "" is all but the root.
    struct Range {
        std::uint32_t first, end;
        [[nodiscard]] bool is_empty() const { return first == end; }
    };
    [[nodiscard]] Range below(std::string_view path) const;
    // The same among the nodes of `within`, which lie below a directory whose path is a prefix of `path`.
    [[nodiscard]] Range below(std::string_view path, Range within) const;

    [[nodiscard]] static ManifestKind kind(const ManifestNode& node) {
        return static_cast<ManifestKind>(node.kind_and_mode >> kManifestKindShift);
    }
    [[nodiscard]] static std::uint32_t mode(const ManifestNode& node) { return node.kind_and_mode & kManifestModeBits; }
    // Of a file.
    [[nodiscard]] static std::uint64_t pages(const ManifestNode& node) { return crypto::page_tree_leaves(node.bytes); }

private:
    [[nodiscard]] std::uint32_t lower_bound(std::string_view path,
                                            std::uint32_t end) const; // among the nodes before `end`
    [[nodiscard]] Result<> check_path(std::uint32_t index, std::uint32_t& directory) const;
    [[nodiscard]] Result<> check_names();

    const ManifestNode* nodes_ = nullptr;
    std::uint32_t count_ = 0;
    std::string_view text_;
    std::uint32_t first_program_ = kNoProgram;
    std::span<std::uint32_t> room_; // the files
    std::uint32_t file_count_ = 0;
};

} // namespace aios::boot
