// Looking at files: stat and its kin, statx, statfs.
#include <algorithm>

#include "personality/linux/tree_errno.hpp"

namespace aios::linux_abi {
namespace {

std::uint32_t type_bits(fs::NodeKind kind) {
    switch (kind) {
    case fs::NodeKind::file:
        return kModeFile;
    case fs::NodeKind::directory:
        return kModeDirectory;
    case fs::NodeKind::link:
        return kModeLink;
    }
    return 0;
}

constexpr std::uint64_t device_number(std::uint64_t major, std::uint64_t minor) { return major << 8 | minor; }

Stat stat_of(const OpenFile& file) {
    Stat out{};
    out.links = 1;
    out.block_bytes = static_cast<std::int64_t>(arch::kPageSize);
    out.device = 1;
    switch (file.kind) {
    case FileKind::node: {
        const fs::NodeInfo info = file.node->info();
        out.device = file.device;
        out.inode = info.id;
        out.links = info.links;
        out.mode = type_bits(info.kind) | info.mode;
        out.bytes = static_cast<std::int64_t>(info.bytes);
        out.blocks = static_cast<std::int64_t>((info.bytes + 511) / 512);
        const TimeSpec time{static_cast<std::int64_t>(info.modified_ns / 1'000'000'000),
                            static_cast<std::int64_t>(info.modified_ns % 1'000'000'000)};
        out.accessed = out.modified = out.changed = time;
        break;
    }
    case FileKind::root:
        out.mode = kModeDirectory | 0555;
        out.inode = 1;
        out.links = 2;
        break;
    case FileKind::self_link:
        out.mode = kModeLink | 0777;
        out.inode = 3;
        break;
    case FileKind::console:
        out.mode = kModeChar | 0620;
        out.inode = 2;
        out.rdev = device_number(5, 1);
        break;
    case FileKind::null:
    case FileKind::zero:
    case FileKind::random:
        out.mode = kModeChar | 0666;
        out.inode = 4 + static_cast<std::uint64_t>(file.kind);
        out.rdev = device_number(1, file.kind == FileKind::null ? 3 : file.kind == FileKind::zero ? 5 : 9);
        break;
    }
    return out;
}

// The file that (fd, path, flags) name, for calls that only look.
std::expected<Ref<OpenFile>, Errno> file_at(Call& call, std::uint64_t fd, std::uint64_t path, std::uint64_t flags) {
    if ((flags & kAtEmptyPath) != 0) {
        char first = '\0';
        if (path != 0) first = LINUX_TRY(load_user<char>(path));
        if (first == '\0') {
            if (static_cast<std::int32_t>(fd) != kAtFdCwd) return file_of(call, fd);
            Lookup here = LINUX_TRY(Lookup::here(call));
            if (const Errno error = here.permit(rights::read); error != Errno{}) return std::unexpected(error);
            return here.open();
        }
    }
    const Follow follow = (flags & kAtSymlinkNoFollow) != 0 ? Follow::no : Follow::yes;
    Lookup lookup = LINUX_TRY(Lookup::resolve(call, fd, path, follow));
    if (const Errno error = lookup.permit(rights::read); error != Errno{}) return std::unexpected(error);
    return lookup.open();
}

Outcome stat_at(Call& call, std::uint64_t fd, std::uint64_t path, std::uint64_t out, std::uint64_t flags) {
    if ((flags & ~(kAtSymlinkNoFollow | kAtNoAutomount | kAtEmptyPath)) != 0) return refuse(kInvalid);
    return store_user(out, stat_of(*LINUX_TRY(file_at(call, fd, path, flags))));
}

Outcome fill_statfs(Call& call, std::uint64_t out) {
    const Quota& quota = call.process.quota();
    StatFs info{};
    info.type = 0x01021994; // memory file system
    info.block_bytes = info.fragment_bytes = static_cast<std::int64_t>(arch::kPageSize);
    info.blocks = quota.limit(Resource::memory) / arch::kPageSize;
    const std::uint64_t used = quota.used(Resource::memory) / arch::kPageSize;
    info.blocks_free = info.blocks_available = info.blocks > used ? info.blocks - used : 0;
    info.name_bytes = kMaxNamePart;
    return store_user(out, info);
}

struct StatxTime {
    std::int64_t seconds;
    std::uint32_t nanoseconds, reserved;
};
struct Statx { // struct statx, 256 bytes
    std::uint32_t mask, block_bytes;
    std::uint64_t attributes;
    std::uint32_t links, uid, gid;
    std::uint16_t mode, reserved0;
    std::uint64_t inode, bytes, blocks, attributes_mask;
    StatxTime accessed, born, changed, modified;
    std::uint32_t rdev_major, rdev_minor, device_major, device_minor;
    std::uint64_t reserved1[14];
};
static_assert(sizeof(Statx) == 256);
constexpr std::uint32_t kStatxBasic = 0x7ff;

StatxTime statx_time(const TimeSpec& time) { return {time.seconds, static_cast<std::uint32_t>(time.nanoseconds), 0}; }

} // namespace

Outcome call_stat(Call& call) { return stat_at(call, kHere, call.a[0], call.a[1], 0); }
Outcome call_lstat(Call& call) { return stat_at(call, kHere, call.a[0], call.a[1], kAtSymlinkNoFollow); }
Outcome call_newfstatat(Call& call) { return stat_at(call, call.a[0], call.a[1], call.a[2], call.a[3]); }
Outcome call_fstat(Call& call) { return store_user(call.a[1], stat_of(*LINUX_TRY(file_of(call, call.a[0])))); }

Outcome call_statx(Call& call) {
    constexpr std::uint64_t kSyncType = 0x6000, kReservedMask = 0x8000'0000;
    const std::uint64_t flags = call.a[2] & ~kSyncType;
    if ((flags & ~(kAtSymlinkNoFollow | kAtNoAutomount | kAtEmptyPath)) != 0) return refuse(kInvalid);
    if ((call.a[3] & kReservedMask) != 0) return refuse(kInvalid);
    const Stat from = stat_of(*LINUX_TRY(file_at(call, call.a[0], call.a[1], flags)));
    Statx out{};
    out.mask = kStatxBasic;
    out.block_bytes = static_cast<std::uint32_t>(from.block_bytes);
    out.links = static_cast<std::uint32_t>(from.links);
    out.mode = static_cast<std::uint16_t>(from.mode);
    out.inode = from.inode;
    out.bytes = static_cast<std::uint64_t>(from.bytes);
    out.blocks = static_cast<std::uint64_t>(from.blocks);
    out.accessed = statx_time(from.accessed);
    out.changed = statx_time(from.changed);
    out.modified = statx_time(from.modified);
    out.rdev_major = static_cast<std::uint32_t>(from.rdev >> 8);
    out.rdev_minor = static_cast<std::uint32_t>(from.rdev & 0xff);
    out.device_minor = static_cast<std::uint32_t>(from.device);
    return store_user(call.a[4], out);
}

Outcome call_statfs(Call& call) {
    LINUX_TRY(file_at(call, kHere, call.a[0], 0));
    return fill_statfs(call, call.a[1]);
}

Outcome call_fstatfs(Call& call) {
    LINUX_TRY(file_of(call, call.a[0]));
    return fill_statfs(call, call.a[1]);
}

} // namespace aios::linux_abi
