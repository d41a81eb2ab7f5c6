// File trees as kernel objects: BundleTree (read-only, entries of a container section, pages verified at first touch)
// and TemporaryTree (an agent's private files, charged as they grow; it may begin with what a bundle has). Paths are relative, '/'-separated, without "." or
// ".."; the personality normalises. Lock: Rank::file_tree (temporary trees).
#pragma once

#include <atomic>
#include <string_view>

#include "abi/call_types.hpp"
#include "kernel/mm/pages.hpp"
#include "kernel/object/object.hpp"

namespace aios::fs {

// A socket and a fifo are names alone, which a personality gives its sockets and pipes: nothing is in them.
enum class NodeKind : std::uint8_t { file, directory, link, socket, fifo };
[[nodiscard]] constexpr bool is_name_alone(NodeKind kind) { return kind == NodeKind::socket || kind == NodeKind::fifo; }

struct NodeInfo {
    NodeKind kind;
    std::uint64_t id; // inode number, stable, not 0
    std::uint64_t bytes;
    std::uint32_t mode; // Linux permission bits (0444, 0555, 0755 ...)
    std::uint64_t modified_ns;
    std::uint32_t links;
    std::uint64_t accessed_ns = modified_ns; // when it was read; of trees that nobody can change as it was modified
    std::uint64_t changed_ns = modified_ns;  // when anything about it was
    std::uint32_t user = 0, group = 0;       // kept for personalities, which alone know what they mean
};

// An open file or directory. Reference-counted; unlinked temporary files live until the last reference goes.
class Node {
public:
    virtual void retain() = 0;
    virtual void release() = 0;
    [[nodiscard]] virtual NodeInfo info() = 0;
    // Files: the contents (bundle: integrity errors come when a page is touched). bad_argument on directories.
    virtual Result<Ref<mm::Pages>> pages() = 0;
    virtual Result<> resize(std::uint64_t bytes) = 0; // missing_right on read-only trees
    virtual Result<> set_mode(std::uint32_t mode) = 0;
    virtual Result<> set_modified(std::uint64_t ns) = 0;
    // missing_right on read-only trees, as those above.
    virtual Result<> set_accessed(std::uint64_t ns) = 0;
    virtual Result<> set_owner(std::uint32_t user, std::uint32_t group) = 0;
    // What a personality no longer lets happen to it; nullptr: nothing is kept.
    [[nodiscard]] virtual std::atomic<std::uint32_t>* seals() { return nullptr; }
    // Its contents were read at `ns`. The time of reading moves on only when it is not behind that of a change already, or
    // is a day old: so reading again and again changes nothing.
    virtual void note_read(std::uint64_t ns) { (void)ns; }
    // Files that nobody can change: the root of the hash tree over their pages (crypto::page_tree_root). False for
    // others.
    [[nodiscard]] virtual bool content_root(std::uint8_t (&root)[32]) {
        (void)root;
        return false;
    }
    // Directories: entry at `position` (stable offsets; not_found at the end). `name` gets at most 255 bytes.
    struct Entry {
        NodeKind kind;
        std::uint64_t id;
        std::uint64_t next_position;
        std::uint32_t name_bytes;
        char name[256];
    };
    virtual Result<> entry(std::uint64_t position, Entry& out) = 0;
    virtual Result<std::uint64_t> read_link(char* out, std::uint64_t capacity) = 0;

protected:
    ~Node() = default;
};

enum class IfPresent : std::uint8_t { refuse, replace };

struct SectionPlace; // section.hpp

class Tree : public Object {
public:
    static constexpr ObjectType kType = ObjectType::tree;
    [[nodiscard]] virtual bool is_writable() const = 0;
    // "" = the root directory; not_found; links are not followed. What the open node needs, and does not belong to the
    // tree, is charged to `payer`: quota_exceeded, out_of_memory.
    virtual Result<Ref<Node>> open(std::string_view path, Payer& payer) = 0;
    virtual Result<Ref<Node>> create_file(std::string_view path,
                                          std::uint32_t mode) = 0; // already_exists, quota_exceeded
    // The node that the name stands for: whoever keeps it knows it again.
    virtual Result<Ref<Node>> create_socket(std::string_view path, std::uint32_t mode) = 0;
    virtual Result<Ref<Node>> create_fifo(std::string_view path, std::uint32_t mode) = 0;
    virtual Result<> create_directory(std::string_view path, std::uint32_t mode) = 0;
    virtual Result<> create_link(std::string_view path, std::string_view target) = 0;
    virtual Result<> create_hard_link(std::string_view path, std::string_view existing) = 0;
    virtual Result<> remove(std::string_view path, NodeKind kind) = 0; // directory: busy when not empty
    // What stands at `to`: already_exists, or it goes (wrong_type unless both are directories or neither is; busy: a
    // directory that is not empty).
    virtual Result<> rename(std::string_view from, std::string_view to, IfPresent if_present) = 0;
    // Flat listing of all files, sorted by path: entry `index` of the tree (native tree_list). `payer` as in open().
    virtual Result<> list(std::uint64_t index, TreeEntry& out, Payer& payer) = 0;
    // The next change from `position` on (0: the first) against what the tree began with; not_found: there are no more.
    // unsupported: it began with nothing; would_block: others change it meanwhile; too_large: a path.
    virtual Result<> change(std::uint64_t position, TreeChange& out) {
        (void)position, (void)out;
        return fail(Error::unsupported);
    }
    // Where directory `path` of the tree is in its section. unsupported: it can be changed; not_found, wrong_type.
    virtual Result<SectionPlace> place_of(std::string_view path, Payer& payer);

protected:
    using Object::Object;
};

// Section of the container; verifies the manifest against the header first (integrity).
Result<Ref<Tree>> open_bundle_section(unsigned section);
// After paging is up: where the container lies. Prints nothing; refuses a malformed header (bad_format).
Result<> init_bundle(arch::PhysAddr container, std::uint64_t bytes);
[[nodiscard]] std::string_view first_program(); // the boot manifest's field 2
Result<> boot_manifest_digest(std::uint8_t out[32]);
Result<Ref<Tree>> create_temporary_tree(Payer& payer);
// A temporary tree that begins with what lies below the place.
Result<Ref<Tree>> create_private_tree(Payer& payer, SectionPlace place);
// What lies below directory `path` of the tree, which nobody can change, as a tree. Errors as Tree::place_of.
Result<Ref<Tree>> create_subtree(Payer& payer, Ref<Tree> whole, std::string_view path);

} // namespace aios::fs
