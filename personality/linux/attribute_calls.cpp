// Attributes of files: permission bits, owner, times.
#include "kernel/time/clock.hpp"
#include "personality/linux/tree_errno.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint32_t kSetUser = 04000, kSetGroup = 02000, kGroupExecutes = 010;

bool is_of_group(LinuxProcess& process, const Identity& who, std::uint32_t group) {
    return who.group.file == group || is_in_group(process, group);
}

Outcome change_mode(Call& call, OpenFile& file, std::uint32_t mode) {
    if (file.node() == nullptr) return refuse(kReadOnly);
    const fs::NodeInfo info = file.node()->info();
    const Identity who = identity_of(call.process);
    if (!who.owns(info)) return refuse(kPerm);
    if (!is_of_group(call.process, who, info.group) && !who.has(Capability::keep_set_ids)) mode &= ~kSetGroup;
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

// chown(2): who may not give away what is his may give it to another of his groups. A program that ran as its owner does so
// no more.
Outcome set_owner(Call& call, OpenFile& file, std::uint32_t user, std::uint32_t group) {
    fs::Node* const node = file.node();
    if (node == nullptr) return refuse(kReadOnly);
    const fs::NodeInfo info = node->info();
    const Identity who = identity_of(call.process);
    if (!who.has(Capability::chown)) {
        const bool keeps_user = user == kUnchangedId || user == info.user;
        const bool may_group = group == kUnchangedId || group == info.group || is_of_group(call.process, who, group);
        if (who.user.file != info.user || !keeps_user || !may_group) return refuse(kPerm);
    }
    const std::uint32_t new_user = user == kUnchangedId ? info.user : user;
    const std::uint32_t new_group = group == kUnchangedId ? info.group : group;
    if (const auto done = node->set_owner(new_user, new_group); !done) return refuse(change_errno(done.error()));
    std::uint32_t gone = kSetUser;
    if ((info.mode & kGroupExecutes) != 0) gone |= kSetGroup;
    if (info.kind == fs::NodeKind::file && (info.mode & gone) != 0) (void)node->set_mode(info.mode & ~gone);
    return 0;
}

Outcome change_owner(Call& call, Descriptor from, UserIn<char> path, std::uint32_t user, std::uint32_t group,
                     Follow follow) {
    return set_owner(call, *LINUX_TRY(file_to_change(call, from, path, follow)), user, group);
}

constexpr std::int64_t kTimeNow = 0x3fffffff, kTimeOmit = 0x3ffffffe;

// What is asked for of one time: a time, that of this moment, or that it stays.
struct WantedTime {
    enum class Kind : std::uint8_t { now, given, stays } kind = Kind::now;
    std::uint64_t ns = 0;
};
struct WantedTimes {
    WantedTime accessed, modified;
    [[nodiscard]] bool are_both(WantedTime::Kind kind) const { return accessed.kind == kind && modified.kind == kind; }
};

std::expected<WantedTime, Errno> wanted_time(const TimeSpec& time) {
    if (time.nanoseconds == kTimeNow) return WantedTime{};
    if (time.nanoseconds == kTimeOmit) return WantedTime{WantedTime::Kind::stays};
    if (time.nanoseconds < 0 || time.nanoseconds > 999'999'999) return std::unexpected(kInvalid);
    const std::uint64_t ns = time.seconds < 0 ? 0 : LINUX_TRY(nanoseconds_of(time)); // before 1970 there is nothing
    return WantedTime{WantedTime::Kind::given, ns};
}
std::expected<WantedTimes, Errno> wanted_times(UserIn<TimeSpec> times) {
    if (times.is_null()) return WantedTimes{};
    const TimeSpec accessed = LINUX_TRY(times.read(0)), modified = LINUX_TRY(times.read(1));
    const WantedTime first = LINUX_TRY(wanted_time(accessed)), second = LINUX_TRY(wanted_time(modified));
    return WantedTimes{first, second};
}
std::expected<WantedTimes, Errno> wanted_times(UserIn<TimeVal> times) {
    if (times.is_null()) return WantedTimes{};
    WantedTime wanted[2];
    for (std::size_t i = 0; i < 2; ++i) {
        const TimeVal time = LINUX_TRY(times.read(i));
        if (time.microseconds < 0 || time.microseconds >= 1'000'000) return std::unexpected(kInvalid);
        wanted[i] = LINUX_TRY(wanted_time({time.seconds, time.microseconds * 1000}));
    }
    return WantedTimes{wanted[0], wanted[1]};
}

// The owner may set any time; who may write may set them to this moment.
Outcome set_times(Call& call, OpenFile& file, const WantedTimes& wanted) {
    using Kind = WantedTime::Kind;
    if (wanted.are_both(Kind::stays)) return 0;
    fs::Node* const node = file.node();
    if (node == nullptr) return refuse(kReadOnly);
    const Identity who = identity_of(call.process);
    const fs::NodeInfo info = node->info();
    if (!who.owns(info)) {
        if (!wanted.are_both(Kind::now)) return refuse(kPerm);
        if (!who.may(info, kMayWrite, InGroup{is_in_group(call.process, info.group)})) return refuse(kAccess);
    }
    const std::uint64_t now = time::wall_ns();
    const auto set = [&](const WantedTime& time, Result<> (fs::Node::*change)(std::uint64_t)) -> Outcome {
        if (time.kind == Kind::stays) return 0;
        const auto done = (node->*change)(time.kind == Kind::now ? now : time.ns);
        return done ? Outcome(0) : refuse(change_errno(done.error()));
    };
    LINUX_TRY(set(wanted.accessed, &fs::Node::set_accessed));
    return set(wanted.modified, &fs::Node::set_modified);
}

Outcome set_times_at(Call& call, Descriptor from, UserIn<char> path, const WantedTimes& wanted, std::uint64_t flags) {
    if (path.is_null() || LINUX_TRY(names_descriptor(path, flags)))
        return set_times(call, *LINUX_TRY(descriptor_to_change(call, from)), wanted);
    const Follow follow = (flags & kAtSymlinkNoFollow) != 0 ? Follow::no : Follow::yes;
    return set_times(call, *LINUX_TRY(file_to_change(call, from, path, follow)), wanted);
}

} // namespace

Outcome call_fchmod(Call& call, Descriptor fd, std::uint32_t mode) {
    return change_mode(call, *LINUX_TRY(descriptor_to_change(call, fd)), mode);
}
Outcome call_chmod(Call& call, UserIn<char> path, std::uint32_t mode) {
    return change_mode(call, *LINUX_TRY(file_to_change(call, kHere, path, Follow::yes)), mode);
}
Outcome call_fchmodat(Call& call, Descriptor from, UserIn<char> path, std::uint32_t mode) {
    return change_mode(call, *LINUX_TRY(file_to_change(call, from, path, Follow::yes)), mode);
}
// As on Linux a link has no mode of its own to change.
Outcome call_fchmodat2(Call& call, Descriptor from, UserIn<char> path, std::uint32_t mode,
                       Flags<kAtSymlinkNoFollow | kAtEmptyPath> flags) {
    if (LINUX_TRY(names_descriptor(path, flags.bits)))
        return change_mode(call, *LINUX_TRY(descriptor_to_change(call, from)), mode);
    const Follow follow = flags.has(kAtSymlinkNoFollow) ? Follow::no : Follow::yes;
    const auto file = LINUX_TRY(file_to_change(call, from, path, follow));
    return file->is_link() ? refuse(kNotSupported) : change_mode(call, *file, mode);
}

Outcome call_chown(Call& call, UserIn<char> path, std::uint32_t user, std::uint32_t group) {
    return change_owner(call, kHere, path, user, group, Follow::yes);
}
Outcome call_lchown(Call& call, UserIn<char> path, std::uint32_t user, std::uint32_t group) {
    return change_owner(call, kHere, path, user, group, Follow::no);
}
Outcome call_fchown(Call& call, Descriptor fd, std::uint32_t user, std::uint32_t group) {
    return set_owner(call, *LINUX_TRY(descriptor_to_change(call, fd)), user, group);
}
Outcome call_fchownat(Call& call, Descriptor from, UserIn<char> path, std::uint32_t user, std::uint32_t group,
                      Flags<kAtSymlinkNoFollow | kAtEmptyPath> flags) {
    if (LINUX_TRY(names_descriptor(path, flags.bits)))
        return set_owner(call, *LINUX_TRY(descriptor_to_change(call, from)), user, group);
    const Follow follow = flags.has(kAtSymlinkNoFollow) ? Follow::no : Follow::yes;
    return change_owner(call, from, path, user, group, follow);
}

Outcome call_utimensat(Call& call, Descriptor from, UserIn<char> path, UserIn<TimeSpec> times,
                       Flags<kAtSymlinkNoFollow | kAtEmptyPath> flags) {
    return set_times_at(call, from, path, LINUX_TRY(wanted_times(times)), flags.bits);
}
Outcome call_futimesat(Call& call, Descriptor from, UserIn<char> path, UserIn<TimeVal> times) {
    return set_times_at(call, from, path, LINUX_TRY(wanted_times(times)), 0);
}
Outcome call_utimes(Call& call, UserIn<char> path, UserIn<TimeVal> times) {
    if (path.is_null()) return refuse(kFault);
    return set_times_at(call, kHere, path, LINUX_TRY(wanted_times(times)), 0);
}
// struct utimbuf: two words of seconds.
Outcome call_utime(Call& call, UserIn<char> path, UserIn<std::int64_t> times) {
    if (path.is_null()) return refuse(kFault);
    WantedTimes wanted;
    if (!times.is_null()) {
        const std::int64_t accessed = LINUX_TRY(times.read(0)), modified = LINUX_TRY(times.read(1));
        wanted.accessed = LINUX_TRY(wanted_time({accessed, 0}));
        wanted.modified = LINUX_TRY(wanted_time({modified, 0}));
    }
    return set_times_at(call, kHere, path, wanted, 0);
}

} // namespace aios::linux_abi
