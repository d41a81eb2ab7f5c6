// The manifest of a container section (boot/container.hpp, abi/messages.cddl section 1), left in place: parsed once,
// completely checked, and indexed by the offsets of its entries, four bytes each. A path is found by binary search.
//
// Always holds after parse: paths are well-formed and strictly ascending, no file is also a directory, and every
// entry's pages lie inside the section, behind those of the entry before. No locks: nothing changes after parse.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "base/types.hpp"
#include "crypto/merkle.hpp"

namespace aios::fs {

struct ManifestEntry {
    std::string_view path;
    std::uint64_t first_page;
    std::uint64_t bytes;
    crypto::MerkleHash root;
    std::uint64_t flags;
    [[nodiscard]] std::uint64_t pages() const { return crypto::page_tree_leaves(bytes); }
};

class Manifest {
public:
    static constexpr std::uint64_t kMaxEntries = 1 << 20;

    Manifest() = default;
    ~Manifest();
    Manifest(const Manifest&) = delete;

    // Once. `data` must outlive the manifest. bad_format, truncated; unsupported (version); too_large; out_of_memory.
    Result<> parse(Bytes data, std::uint64_t data_pages);

    [[nodiscard]] std::uint32_t count() const { return count_; }
    [[nodiscard]] std::string_view first_program() const { return first_program_; }
    [[nodiscard]] std::string_view path(std::uint32_t index) const;
    [[nodiscard]] ManifestEntry entry(std::uint32_t index) const;

    // The first entry whose path is not less than `path`, bytewise; count() if there is none.
    [[nodiscard]] std::uint32_t lower_bound(std::string_view path) const;
    // Entries [first, end) are those below directory `path`; "" is all.
    struct Range {
        std::uint32_t first, end;
        [[nodiscard]] bool is_empty() const { return first == end; }
    };
    [[nodiscard]] Range below(std::string_view path) const;
    // The same among the entries of `within`, which lie below a directory whose path is a prefix of `path`.
    [[nodiscard]] Range below(std::string_view path, Range within) const;

private:
    Result<> check_directories() const;

    Bytes data_;
    std::uint32_t* offsets_ = nullptr; // of the entries' arrays in data_
    std::uint32_t count_ = 0;
    std::string_view first_program_;
};

} // namespace aios::fs
