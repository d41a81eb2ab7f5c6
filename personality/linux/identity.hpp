// Who a process says that it is: user and group numbers, and the capabilities of capabilities(7). They are the process's
// own, go to its children and stay over execve. Outside the personality they mean nothing: what an agent may do is what its
// capability table grants. Inside they do what they do on Linux, so a program that gives up its user number is held by
// the mode bits of files from then on, and by the rules of kill. A process starts as user 0 with all capabilities.
//
// Identities are small and copied; LinuxProcess::lock guards the process's own (identity_of()).
#pragma once

#include "kernel/fs/tree.hpp"
#include "personality/linux/abi.hpp"

namespace aios::linux_abi {

// Numbers of capabilities that something is asked for (include/uapi/linux/capability.h).
enum class Capability : std::uint8_t {
    chown = 0,
    override_access = 1, // CAP_DAC_OVERRIDE
    read_search = 2,
    act_as_owner = 3, // CAP_FOWNER
    keep_set_ids = 4, // CAP_FSETID
    kill = 5,
    set_groups = 6, // CAP_SETGID
    set_users = 7,
    set_capabilities = 8, // CAP_SETPCAP
    lock_memory = 14,
    own_ipc = 15,
    change_root = 18,
    trace = 19,
    administer = 21,
    nice = 23,
    resource = 24,
};

enum class InGroup : bool { no, yes };

struct Identity {
    static constexpr std::uint64_t kAll = (1ull << 41) - 1; // up to CAP_CHECKPOINT_RESTORE
    struct Numbers {
        std::uint32_t real = 0, effective = 0, saved = 0, file = 0;
    };
    Numbers user, group;
    std::uint64_t effective = kAll, permitted = kAll, inheritable = 0, bounding = kAll;
    bool keeps_capabilities = false; // PR_SET_KEEPCAPS

    [[nodiscard]] bool has(Capability which) const { return (effective >> static_cast<unsigned>(which) & 1) != 0; }
    [[nodiscard]] bool is_held_by_modes() const { return !has(Capability::override_access); }
    // After the user numbers changed from `before`: who leaves user 0 loses what came with it.
    void follow_users(const Numbers& before);
    void follow_program(); // another program is loaded; no file raises anybody (as on a file system mounted nosuid)
    // A file of trees of the owner and mode of `node`. `wanted` has the bits of access(2): 4 read, 2 write, 1 execute or search.
    // `is_in_group`: whether the node's group is one of the process's supplementary ones.
    [[nodiscard]] bool may(const fs::NodeInfo& node, std::uint32_t wanted, InGroup is_in_group) const;
    [[nodiscard]] bool owns(const fs::NodeInfo& node) const {
        return user.file == node.user || has(Capability::act_as_owner);
    }
};

class LinuxProcess;

// Of a process, as it is at this moment.
[[nodiscard]] Identity identity_of(LinuxProcess& process);
[[nodiscard]] bool has_capability(LinuxProcess& process, Capability which);
// Whether `group` is among its supplementary ones.
[[nodiscard]] bool is_in_group(LinuxProcess& process, std::uint32_t group);

inline constexpr std::uint32_t kMayExecute = 1, kMayWrite = 2, kMayRead = 4; // X_OK, W_OK, R_OK
inline constexpr std::uint32_t kUnchangedId = ~0u;
inline constexpr std::uint64_t kMostGroups = 65536; // NGROUPS_MAX

} // namespace aios::linux_abi
