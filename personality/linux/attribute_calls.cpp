// Attributes of files: permission bits, owner, times.
#include "kernel/time/clock.hpp"
#include "personality/linux/tree_errno.hpp"

namespace aios::linux_abi {
namespace {

Outcome change_mode(OpenFile& file, std::uint64_t mode) {
    if (file.kind != FileKind::node) return refuse(kReadOnly);
    if (const auto done = file.node->set_mode(static_cast<std::uint32_t>(mode & 07777)); !done)
        return refuse(change_errno(done.error()));
    return 0;
}

// An existing file below a tree that the caller may change.
std::expected<Ref<OpenFile>, Errno> file_to_change(Call& call, std::uint64_t fd, std::uint64_t path, Follow follow) {
    Lookup lookup = LINUX_TRY(Lookup::resolve(call, fd, path, follow));
    Ref<OpenFile> file = LINUX_TRY(lookup.open());
    if (const Errno error = lookup.permit_change(); error != Errno{}) return std::unexpected(error);
    return file;
}

std::expected<Ref<OpenFile>, Errno> descriptor_to_change(Call& call, std::uint64_t fd) {
    Ref<OpenFile> file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return std::unexpected(kBadFd);
    if (file->kind == FileKind::node && !file->may(rights::write)) return std::unexpected(kReadOnly);
    return file;
}

// Owners are all 0: asking for that, or for no change, is granted.
constexpr std::uint32_t kUnchanged = ~0u;
Outcome check_owner(std::uint64_t user, std::uint64_t group) {
    for (const std::uint64_t id : {user, group}) {
        const auto number = static_cast<std::uint32_t>(id);
        if (number != 0 && number != kUnchanged) return refuse(kPerm);
    }
    return 0;
}

Outcome change_owner(Call& call, std::uint64_t fd, std::uint64_t path, std::uint64_t user, std::uint64_t group,
                     Follow follow) {
    LINUX_TRY(file_to_change(call, fd, path, follow));
    return check_owner(user, group);
}

constexpr std::int64_t kTimeNow = 0x3fffffff, kTimeOmit = 0x3ffffffe;

} // namespace

Outcome call_fchmod(Call& call) { return change_mode(*LINUX_TRY(descriptor_to_change(call, call.a[0])), call.a[1]); }
Outcome call_chmod(Call& call) {
    return change_mode(*LINUX_TRY(file_to_change(call, kHere, call.a[0], Follow::yes)), call.a[1]);
}
Outcome call_fchmodat(Call& call) {
    return change_mode(*LINUX_TRY(file_to_change(call, call.a[0], call.a[1], Follow::yes)), call.a[2]);
}

Outcome call_chown(Call& call) { return change_owner(call, kHere, call.a[0], call.a[1], call.a[2], Follow::yes); }
Outcome call_lchown(Call& call) { return change_owner(call, kHere, call.a[0], call.a[1], call.a[2], Follow::no); }
Outcome call_fchown(Call& call) {
    LINUX_TRY(descriptor_to_change(call, call.a[0]));
    return check_owner(call.a[1], call.a[2]);
}
Outcome call_fchownat(Call& call) {
    if ((call.a[4] & ~(kAtSymlinkNoFollow | kAtEmptyPath)) != 0) return refuse(kInvalid);
    if ((call.a[4] & kAtEmptyPath) != 0 && LINUX_TRY(load_user<char>(call.a[1])) == '\0') {
        LINUX_TRY(descriptor_to_change(call, call.a[0]));
        return check_owner(call.a[2], call.a[3]);
    }
    const Follow follow = (call.a[4] & kAtSymlinkNoFollow) != 0 ? Follow::no : Follow::yes;
    return change_owner(call, call.a[0], call.a[1], call.a[2], call.a[3], follow);
}

// Trees keep one time, of the last change of contents.
Outcome call_utimensat(Call& call) {
    if ((call.a[3] & ~(kAtSymlinkNoFollow | kAtEmptyPath)) != 0) return refuse(kInvalid);
    std::uint64_t modified = time::wall_ns();
    bool omit = false;
    if (call.a[2] != 0) {
        struct Times {
            TimeSpec accessed, changed;
        };
        const auto times = LINUX_TRY(load_user<Times>(call.a[2]));
        for (const TimeSpec& time : {times.accessed, times.changed}) {
            if (time.nanoseconds != kTimeNow && time.nanoseconds != kTimeOmit) {
                if (time.nanoseconds < 0 || time.nanoseconds > 999'999'999) return refuse(kInvalid);
            }
        }
        omit = times.changed.nanoseconds == kTimeOmit;
        if (!omit && times.changed.nanoseconds != kTimeNow) {
            // Before 1970 there is nothing.
            modified = times.changed.seconds < 0 ? 0 : LINUX_TRY(nanoseconds_of(times.changed));
        }
    }
    Ref<OpenFile> file;
    if (call.a[1] == 0) {
        file = LINUX_TRY(descriptor_to_change(call, call.a[0]));
    } else {
        const Follow follow = (call.a[3] & kAtSymlinkNoFollow) != 0 ? Follow::no : Follow::yes;
        file = LINUX_TRY(file_to_change(call, call.a[0], call.a[1], follow));
    }
    if (omit) return 0;
    if (file->kind != FileKind::node) return refuse(kReadOnly);
    if (const auto done = file->node->set_modified(modified); !done) return refuse(change_errno(done.error()));
    return 0;
}

} // namespace aios::linux_abi
