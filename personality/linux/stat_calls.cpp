// Looking at files: stat and its kin, statx, statfs.
#include <algorithm>

#include "personality/linux/tree_errno.hpp"

namespace aios::linux_abi {
namespace {

// The file that (fd, path, flags) name, for calls that only look.
std::expected<Ref<OpenFile>, Errno> file_at(Call& call, Descriptor from, UserIn<char> path, std::uint64_t flags) {
    if ((flags & kAtEmptyPath) != 0) {
        char first = '\0';
        if (!path.is_null()) first = LINUX_TRY(path.read());
        if (first == '\0') {
            if (from != kHere) return file_of(call, from);
            Lookup here = LINUX_TRY(Lookup::here(call));
            if (const Errno error = here.permit(rights::read); error != Errno{}) return std::unexpected(error);
            return here.open();
        }
    }
    const Follow follow = (flags & kAtSymlinkNoFollow) != 0 ? Follow::no : Follow::yes;
    Lookup lookup = LINUX_TRY(Lookup::resolve(call, from, path, follow));
    if (const Errno error = lookup.permit(rights::read); error != Errno{}) return std::unexpected(error);
    return lookup.open();
}

Outcome stat_at(Call& call, Descriptor from, UserIn<char> path, UserOut<Stat> out, std::uint64_t flags) {
    return answer(out, LINUX_TRY(file_at(call, from, path, flags))->info());
}

// The magic numbers by which programs tell one file system from another.
std::int64_t type_of(const OpenFile& file) {
    switch (file.info().device) {
    case kProcDevice:
        return 0x9fa0;
    case kSysDevice:
        return 0x62656572;
    case kCgroupDevice:
        return 0x63677270;
    default:
        return 0x01021994; // in memory
    }
}

Outcome fill_statfs(Call& call, const OpenFile& file, UserOut<StatFs> out) {
    const Quota& quota = call.process.quota();
    StatFs info{};
    info.type = type_of(file);
    info.block_bytes = info.fragment_bytes = static_cast<std::int64_t>(arch::kPageSize);
    info.blocks = quota.limit(Resource::memory) / arch::kPageSize;
    const std::uint64_t used = quota.used(Resource::memory) / arch::kPageSize;
    info.blocks_free = info.blocks_available = info.blocks > used ? info.blocks - used : 0;
    info.name_bytes = kMaxNamePart;
    return answer(out, info);
}

constexpr std::uint32_t kStatxBasic = 0x7ff;

StatxTime statx_time(const TimeSpec& time) { return {time.seconds, static_cast<std::uint32_t>(time.nanoseconds), 0}; }

} // namespace

Outcome call_stat(Call& call, UserIn<char> path, UserOut<Stat> out) { return stat_at(call, kHere, path, out, 0); }
Outcome call_lstat(Call& call, UserIn<char> path, UserOut<Stat> out) {
    return stat_at(call, kHere, path, out, kAtSymlinkNoFollow);
}
Outcome call_newfstatat(Call& call, Descriptor from, UserIn<char> path, UserOut<Stat> out, Flags<kStatFlags> flags) {
    return stat_at(call, from, path, out, flags.bits);
}
Outcome call_fstat(Call& call, Descriptor fd, UserOut<Stat> out) {
    return answer(out, LINUX_TRY(file_of(call, fd))->info());
}

Outcome call_statx(Call& call, Descriptor from, UserIn<char> path, Flags<kStatFlags | kStatxSyncType> flags,
                   std::uint32_t mask, UserOut<Statx> out) {
    constexpr std::uint32_t kReservedMask = 0x8000'0000;
    if ((mask & kReservedMask) != 0 || (flags.bits & kStatxSyncType) == kStatxSyncType) return refuse(kInvalid);
    const Stat found = LINUX_TRY(file_at(call, from, path, flags.bits))->info();
    Statx answered{};
    answered.mask = kStatxBasic;
    answered.block_bytes = static_cast<std::uint32_t>(found.block_bytes);
    answered.links = static_cast<std::uint32_t>(found.links);
    answered.mode = static_cast<std::uint16_t>(found.mode);
    answered.uid = found.uid;
    answered.gid = found.gid;
    answered.inode = found.inode;
    answered.bytes = static_cast<std::uint64_t>(found.bytes);
    answered.blocks = static_cast<std::uint64_t>(found.blocks);
    answered.accessed = statx_time(found.accessed);
    answered.changed = statx_time(found.changed);
    answered.modified = statx_time(found.modified);
    answered.rdev_major = static_cast<std::uint32_t>(found.rdev >> 8);
    answered.rdev_minor = static_cast<std::uint32_t>(found.rdev & 0xff);
    answered.device_minor = static_cast<std::uint32_t>(found.device);
    return answer(out, answered);
}

Outcome call_statfs(Call& call, UserIn<char> path, UserOut<StatFs> out) {
    const auto file = LINUX_TRY(file_at(call, kHere, path, 0));
    return fill_statfs(call, *file, out);
}

Outcome call_fstatfs(Call& call, Descriptor fd, UserOut<StatFs> out) {
    const auto file = LINUX_TRY(file_of(call, fd));
    return fill_statfs(call, *file, out);
}

} // namespace aios::linux_abi
