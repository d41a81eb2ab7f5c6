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
    return answer(out, stat_of(*LINUX_TRY(file_at(call, from, path, flags))));
}

Outcome fill_statfs(Call& call, UserOut<StatFs> out) {
    const Quota& quota = call.process.quota();
    StatFs info{};
    info.type = 0x01021994; // memory file system
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
    return answer(out, stat_of(*LINUX_TRY(file_of(call, fd))));
}

Outcome call_statx(Call& call, Descriptor from, UserIn<char> path, Flags<kStatFlags | kStatxSyncType> flags,
                   std::uint32_t mask, UserOut<Statx> out) {
    constexpr std::uint32_t kReservedMask = 0x8000'0000;
    if ((mask & kReservedMask) != 0) return refuse(kInvalid);
    const Stat found = stat_of(*LINUX_TRY(file_at(call, from, path, flags.bits)));
    Statx answered{};
    answered.mask = kStatxBasic;
    answered.block_bytes = static_cast<std::uint32_t>(found.block_bytes);
    answered.links = static_cast<std::uint32_t>(found.links);
    answered.mode = static_cast<std::uint16_t>(found.mode);
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
    LINUX_TRY(file_at(call, kHere, path, 0));
    return fill_statfs(call, out);
}

Outcome call_fstatfs(Call& call, Descriptor fd, UserOut<StatFs> out) {
    LINUX_TRY(file_of(call, fd));
    return fill_statfs(call, out);
}

} // namespace aios::linux_abi
