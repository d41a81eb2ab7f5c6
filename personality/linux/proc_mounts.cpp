// The name space as /proc tells it: the agent's trees and what is generated. And /dev/shm, a folder of the temporary tree.
#include "personality/linux/process_view.hpp"
#include "personality/linux/text.hpp"

namespace aios::linux_abi {

namespace {

constexpr std::string_view kSharedFolder = ".shm"; // in the temporary tree, made when somebody follows /dev/shm

struct MountLine {
    std::string_view path, type;
    bool is_writable = false;
    std::uint64_t device = 0;
};

// Calls `tell(line)` for each mount, the root first.
template <typename F>
void for_each_mount(LinuxProcess& caller, F&& tell) {
    const NameSpace& names = caller.name_space();
    const auto of_tree = [&](const NameSpace::Mount& mount) {
        MountLine line{mount.prefix, "bundle", false, names.device_of(mount)};
        if (const auto tree = caller.table().lookup<fs::Tree>(mount.tree, rights::none)) {
            const bool is_writable = tree->object->is_writable();
            line.type = is_writable ? "tmpfs" : "bundle";
            line.is_writable = is_writable && tree->rights.contains(rights::write);
        }
        tell(line);
    };
    if (const NameSpace::Mount* root = names.find(""); root != nullptr) {
        of_tree(*root);
    } else {
        tell({"", "tmpfs", false, kNoTreeDevice});
    }
    for (std::size_t i = 0; const NameSpace::Mount* mount = names.below_root(i); ++i)
        of_tree(*mount);
    tell({"proc", "proc", true, kProcDevice});
    tell({"sys", "sysfs", false, kSysDevice});
    tell({"sys/fs/cgroup", "cgroup2", false, kCgroupDevice});
    tell({"dev", "devtmpfs", false, kNoTreeDevice});
}

} // namespace

Errno make_mounts(const Asked& asked, Text& out) {
    for_each_mount(asked.caller, [&](const MountLine& line) {
        out.print("{} /{} {} {} 0 0\n", line.type, line.path, line.type, line.is_writable ? "rw" : "ro");
    });
    return Errno{};
}

Errno make_mountinfo(const Asked& asked, Text& out) {
    std::uint64_t root = 0;
    for_each_mount(asked.caller, [&](const MountLine& line) {
        const std::uint64_t parent = line.path.empty() ? 0 : line.path == "sys/fs/cgroup" ? kSysDevice : root;
        if (line.path.empty()) root = line.device;
        const std::string_view options = line.is_writable ? "rw" : "ro";
        out.print("{} {} 0:{} / /{} {} - {} {} {}\n", line.device, parent, line.device, line.path, options, line.type,
                  line.type, options);
    });
    return Errno{};
}

bool has_temporary(LinuxProcess& caller) {
    const NameSpace::Mount* const mount = caller.name_space().find("tmp");
    return mount != nullptr && mount->prefix == "tmp";
}

Errno make_shm_link(const Asked& asked, Text& out) {
    if (!has_temporary(asked.caller)) return kNoEntry;
    const NameSpace::Mount& mount = *asked.caller.name_space().find("tmp");
    // Where the agent may not write it stays a link to nothing.
    if (const auto tree = asked.caller.table().lookup<fs::Tree>(mount.tree, rights::write))
        (void)tree->object->create_directory(kSharedFolder, 01777);
    out.print("/{}/{}", mount.prefix, kSharedFolder);
    return Errno{};
}

} // namespace aios::linux_abi
