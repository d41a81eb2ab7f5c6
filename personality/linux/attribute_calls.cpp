// Attributes of files: permission bits, owner, times.
#include "kernel/time/clock.hpp"
#include "personality/linux/tree_errno.hpp"

namespace aios::linux_abi {
namespace {

Outcome change_mode(OpenFile& file, std::uint32_t mode) {
    if (file.node() == nullptr) return refuse(kReadOnly);
    if (const auto done = file.node()->set_mode(mode & 07777); !done) return refuse(change_errno(done.error()));
    return 0;
}

// An existing file below a tree that the caller may change.
std::expected<Ref<OpenFile>, Errno> file_to_change(Call& call, Descriptor from, UserIn<char> path, Follow follow) {
    Lookup lookup = LINUX_TRY(Lookup::resolve(call, from, path, follow));
    Ref<OpenFile> file = LINUX_TRY(lookup.open());
    if (const Errno error = lookup.permit_change(); error != Errno{}) return std::unexpected(error);
    return file;
}

std::expected<Ref<OpenFile>, Errno> descriptor_to_change(Call& call, Descriptor fd) {
    Ref<OpenFile> file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return std::unexpected(kBadFd);
    if (file->node() != nullptr && !file->may(rights::write)) return std::unexpected(kReadOnly);
    return file;
}

// Owners are all 0: asking for that, or for no change, is granted.
constexpr std::uint32_t kUnchanged = ~0u;
Outcome check_owner(std::uint32_t user, std::uint32_t group) {
    for (const std::uint32_t id : {user, group}) {
        if (id != 0 && id != kUnchanged) return refuse(kPerm);
    }
    return 0;
}

Outcome change_owner(Call& call, Descriptor from, UserIn<char> path, std::uint32_t user, std::uint32_t group,
                     Follow follow) {
    LINUX_TRY(file_to_change(call, from, path, follow));
    return check_owner(user, group);
}

constexpr std::int64_t kTimeNow = 0x3fffffff, kTimeOmit = 0x3ffffffe;

} // namespace

Outcome call_fchmod(Call& call, Descriptor fd, std::uint32_t mode) {
    return change_mode(*LINUX_TRY(descriptor_to_change(call, fd)), mode);
}
Outcome call_chmod(Call& call, UserIn<char> path, std::uint32_t mode) {
    return change_mode(*LINUX_TRY(file_to_change(call, kHere, path, Follow::yes)), mode);
}
Outcome call_fchmodat(Call& call, Descriptor from, UserIn<char> path, std::uint32_t mode) {
    return change_mode(*LINUX_TRY(file_to_change(call, from, path, Follow::yes)), mode);
}

Outcome call_chown(Call& call, UserIn<char> path, std::uint32_t user, std::uint32_t group) {
    return change_owner(call, kHere, path, user, group, Follow::yes);
}
Outcome call_lchown(Call& call, UserIn<char> path, std::uint32_t user, std::uint32_t group) {
    return change_owner(call, kHere, path, user, group, Follow::no);
}
Outcome call_fchown(Call& call, Descriptor fd, std::uint32_t user, std::uint32_t group) {
    LINUX_TRY(descriptor_to_change(call, fd));
    return check_owner(user, group);
}
Outcome call_fchownat(Call& call, Descriptor from, UserIn<char> path, std::uint32_t user, std::uint32_t group,
                      Flags<kAtSymlinkNoFollow | kAtEmptyPath> flags) {
    if (LINUX_TRY(names_descriptor(path, flags.bits))) {
        LINUX_TRY(descriptor_to_change(call, from));
        return check_owner(user, group);
    }
    const Follow follow = flags.has(kAtSymlinkNoFollow) ? Follow::no : Follow::yes;
    return change_owner(call, from, path, user, group, follow);
}

// Trees keep one time, of the last change of contents.
Outcome call_utimensat(Call& call, Descriptor from, UserIn<char> path, UserIn<TimeSpec> times,
                       Flags<kAtSymlinkNoFollow | kAtEmptyPath> flags) {
    std::uint64_t modified = time::wall_ns();
    bool omit = false;
    if (!times.is_null()) {
        const TimeSpec accessed = LINUX_TRY(times.read(0)), changed = LINUX_TRY(times.read(1));
        for (const TimeSpec& time : {accessed, changed}) {
            if (time.nanoseconds != kTimeNow && time.nanoseconds != kTimeOmit) {
                if (time.nanoseconds < 0 || time.nanoseconds > 999'999'999) return refuse(kInvalid);
            }
        }
        omit = changed.nanoseconds == kTimeOmit;
        if (!omit && changed.nanoseconds != kTimeNow) {
            // Before 1970 there is nothing.
            modified = changed.seconds < 0 ? 0 : LINUX_TRY(nanoseconds_of(changed));
        }
    }
    Ref<OpenFile> file;
    if (path.is_null() || LINUX_TRY(names_descriptor(path, flags.bits))) {
        file = LINUX_TRY(descriptor_to_change(call, from));
    } else {
        const Follow follow = flags.has(kAtSymlinkNoFollow) ? Follow::no : Follow::yes;
        file = LINUX_TRY(file_to_change(call, from, path, follow));
    }
    if (omit) return 0;
    if (file->node() == nullptr) return refuse(kReadOnly);
    if (const auto done = file->node()->set_modified(modified); !done) return refuse(change_errno(done.error()));
    return 0;
}

} // namespace aios::linux_abi
