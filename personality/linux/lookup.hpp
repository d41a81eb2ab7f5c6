// From what a program wrote to a tree and a path in it. The name space is built from the agent's tree capabilities:
// bundle at "/", job at "/job", temporary at "/tmp", and those that its parent mounted, which come before; without them it
// is an empty root. /dev, /proc and /sys are generated
// (generated_tree.hpp) and cover whatever a tree has there. Paths are walked component by component, so that ".." and symbolic links mean what they mean on Linux. Bounded by kMaxPathBytes and kMaxLinks. The
// working memory of a look-up (some 5 KiB) is on the heap, charged for the length of the call.
#pragma once

#include <string_view>

#include "kernel/mm/owned.hpp"
#include "personality/linux/device_file.hpp"
#include "personality/linux/files.hpp"
#include "personality/linux/tree_file.hpp"

namespace aios::linux_abi {

inline constexpr std::size_t kMaxLinks = 40; // symbolic links followed in one look-up
inline constexpr std::size_t kMaxNamePart = 255;
inline constexpr std::size_t kPathRoom = kMaxPathBytes + 1;

// Absolute, without ".", "..", doubled slashes, and without the slash in front: the root is "".
struct Path {
    char text[kPathRoom];
    std::size_t bytes = 0;
    [[nodiscard]] std::string_view view() const { return {text, bytes}; }
    bool append(std::string_view component); // false: no room
    void pop();
};

// Where the trees are. Fixed at start.
class NameSpace {
public:
    struct Mount {
        std::string_view prefix; // "", "job", "tmp", "home/me/work"
        Handle tree = kNoHandle;
    };
    // `mounts` as AgentPlan has them. quota_exceeded, out_of_memory; too_large: more than there can be.
    Result<> set_up(Payer& payer, const StartupBlock& startup, std::string_view mounts);
    [[nodiscard]] const Mount* find(std::string_view path) const; // the longest prefix; nullptr: none
    // The index-th mount that is not the root; nullptr at the end.
    [[nodiscard]] const Mount* below_root(std::size_t index) const;
    // Whether something is mounted there.
    [[nodiscard]] bool is_mount(std::string_view path) const {
        const Mount* const mount = find(path);
        return mount != nullptr && mount->prefix == path;
    }
    // st_dev of what is in it: the same for every boot and every agent with these trees.
    [[nodiscard]] std::uint64_t device_of(const Mount& mount) const {
        return kNoTreeDevice + 1 + static_cast<std::uint64_t>(&mount - mounts_);
    }

private:
    void add(std::string_view prefix, Handle tree);
    static constexpr std::size_t kRoles = 3;
    Mount mounts_[kMaxMounts + kRoles];
    std::size_t count_ = 0;
    mm::OwnedBytes text_; // of the prefixes
};

enum class Follow : bool { no, yes };

class Lookup {
public:
    // Fetches the path and walks it from the directory `from`, or the working directory (kHere), or the root. An
    // empty path is ENOENT. What the path names need not exist, but its directory must.
    static std::expected<Lookup, Errno> resolve(Call& call, Descriptor from, UserIn<char> path, Follow follow);

    // The same for a path of the kernel's own.
    static std::expected<Lookup, Errno> resolve_text(Call& call, std::string_view path, Follow follow);
    static std::expected<Lookup, Errno> here(Call& call); // the working directory

    Lookup(Lookup&& other) noexcept;
    Lookup& operator=(Lookup&&) = delete;
    ~Lookup();

    [[nodiscard]] std::string_view text() const;     // as the program wrote it
    [[nodiscard]] std::string_view absolute() const; // as Path
    [[nodiscard]] std::string_view relative() const; // in the tree
    [[nodiscard]] bool must_be_directory() const { return text().ends_with('/'); }
    [[nodiscard]] fs::Tree* tree() const;
    [[nodiscard]] bool is_writable() const { return tree() != nullptr && tree()->is_writable(); }
    [[nodiscard]] bool is_generated() const; // below /dev, /proc or /sys, there or not
    // What is there, if it is a generated name that was not followed.
    [[nodiscard]] const GeneratedNode* generated() const;
    // The open file that a link of /proc/PID/fd led to, which is no directory: those are followed by their paths.
    [[nodiscard]] const Ref<OpenFile>& target() const;
    // What is there. kNoEntry, kNotDirectory. Null where there is no tree (the empty root and generated names).
    std::expected<Ref<fs::Node>, Errno> node() const;
    // Checks the capability for `rights`; a refusal is recorded. Errno{} if all is well.
    [[nodiscard]] Errno permit(Rights rights) const;
    // By owner and mode bits of `node`, as Linux has them: kAccess. `wanted` as of access(2). Null nodes admit everybody.
    [[nodiscard]] Errno admit(fs::Node* node, std::uint32_t wanted) const;
    // Before an entry is made, or `removed` loses its own, in the directory that the path leads to: permit_change(), and that
    // the directory's mode bits allow it. kAccess; kPerm: the directory is sticky and not the caller's, nor is `removed`.
    [[nodiscard]] Errno permit_entry(fs::Node* removed = nullptr) const;
    // Of a new node: it is the caller's.
    void give_to_caller(fs::Node& made) const;
    // From here on it is judged by the real user and group, as access(2) does.
    void judge_by_real();
    // Before a change: kReadOnly on trees that nobody can change, else permit(write).
    [[nodiscard]] Errno permit_change() const;
    // The capability that what is there lies under; none where there is no tree.
    [[nodiscard]] Ref<cap::DerivationNode> authority() const;
    // An open file for what is there, with the capability's rights in it; neither readable nor writable yet. Targets and
    // devices are only to be looked at: of a target it is the target itself, of a device its name.
    std::expected<Ref<OpenFile>, Errno> open() const;

private:
    struct Work;
    Lookup(Call& call, mm::Owned<Work> work);
    static std::expected<Lookup, Errno> make(Call& call);
    std::expected<void, Errno> locate(Descriptor from, Follow follow);
    Errno walk(Follow follow);
    bool walk_straight(Follow follow);
    Errno enter_mount();
    enum class Step : std::uint8_t { goes_on, is_there };
    enum class Behind : std::uint8_t { more, nothing, slash }; // what follows a component
    std::expected<Step, Errno> step_generated(Follow follow, Behind behind, std::size_t& links);
    Errno follow_text(std::string_view target, Behind behind, std::size_t& links);
    Call* call_;
    mm::Owned<Work> work_;
};

// Makes what the look-up found the working directory. directory_calls.cpp has it.
Outcome enter_directory(Call& call, const Lookup& lookup);

// Whether the path is empty where the flags say that this names the descriptor itself (AT_EMPTY_PATH). kFault.
std::expected<bool, Errno> names_descriptor(UserIn<char> path, std::uint64_t flags);

// A string of the program's, at most kMaxPathBytes, into `out` (kPathRoom bytes); its length, kFault or kNameTooLong.
std::expected<std::size_t, Errno> fetch_text(UserIn<char> text, char* out);

} // namespace aios::linux_abi
