#include "personality/linux/identity.hpp"

namespace aios::linux_abi {

// capabilities(7), "Effect of user ID changes on capabilities".
void Identity::follow_users(const Numbers& before) {
    constexpr std::uint64_t kOfFiles = 0b1'1111 | 1ull << 9 | 1ull << 27 | 1ull << 32; // what goes by the file number
    const bool had_zero = before.real == 0 || before.effective == 0 || before.saved == 0;
    const bool has_zero = user.real == 0 || user.effective == 0 || user.saved == 0;
    if (had_zero && !has_zero && !keeps_capabilities) permitted = 0;
    if (before.effective == 0 && user.effective != 0) effective = 0;
    if (before.effective != 0 && user.effective == 0) effective = permitted;
    if (before.file == 0 && user.file != 0) effective &= ~kOfFiles;
    if (before.file != 0 && user.file == 0) effective |= permitted & kOfFiles;
    effective &= permitted;
}

// capabilities(7), "Transformation of capabilities during execve", of a file that has none.
void Identity::follow_program() {
    user.saved = user.file = user.effective;
    group.saved = group.file = group.effective;
    const bool is_zero = user.real == 0 || user.effective == 0;
    permitted = is_zero ? inheritable | bounding : 0;
    effective = user.effective == 0 ? permitted : 0;
    keeps_capabilities = false;
}

bool Identity::may(const fs::NodeInfo& node, std::uint32_t wanted, InGroup is_in_group) const {
    const bool is_directory = node.kind == fs::NodeKind::directory;
    const std::uint32_t shift = user.file == node.user                                    ? 6
                                : group.file == node.group || is_in_group == InGroup::yes ? 3
                                                                                          : 0;
    const std::uint32_t missing = wanted & ~(node.mode >> shift) & 7;
    if (missing == 0) return true;
    if (has(Capability::override_access))
        return is_directory || (missing & kMayExecute) == 0 || (node.mode & 0111) != 0;
    const std::uint32_t reading = is_directory ? kMayRead | kMayExecute : kMayRead;
    return has(Capability::read_search) && (missing & ~reading) == 0;
}

} // namespace aios::linux_abi
