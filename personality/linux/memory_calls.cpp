// Memory: brk, mmap, munmap, mprotect, madvise, mremap. All of it acts on the agent's own address space under its self
// handle; what is refused is refused for quota (ENOMEM) or for write together with execute without jit (EACCES, recorded).
#include "base/bits.hpp"
#include "base/checked.hpp"
#include "kernel/audit/audit.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kPage = arch::kPageSize;
constexpr std::uint64_t kMapHugePages = 0x40000; // there are none
constexpr std::int32_t kMadvMergeable = 12, kMadvUnmergeable = 13;
// What MAP_SHARED_VALIDATE takes: all but MAP_SYNC, with the sizes of huge pages.
constexpr std::uint64_t kMapKnown = 0x17f97f | 0x7c00'0000;

std::expected<arch::Protection, Errno> protection_of(Call& call, std::uint64_t bits) {
    if ((bits & ~(kProtRead | kProtWrite | kProtExec | 0x0300'0000ull)) != 0)
        return refuse(kInvalid); // GROWSDOWN/UP bits
    Agent& agent = call.process.agent();
    if ((bits & kProtWrite) != 0 && (bits & kProtExec) != 0 && agent.jit() == mm::Jit::no) {
        audit::refused(agent.audit(), {agent.id(), call.number, {ObjectType::agent, rights::jit}, {}},
                       Error::missing_right);
        return refuse(kAccess);
    }
    auto protection = arch::Protection::none;
    if ((bits & (kProtRead | kProtWrite)) != 0)
        protection = protection | arch::Protection::read; // x86: write implies read
    if ((bits & kProtWrite) != 0) protection = protection | arch::Protection::write;
    if ((bits & kProtExec) != 0) protection = protection | arch::Protection::execute | arch::Protection::read;
    return protection;
}

// Linux reports holes and lack of room as ENOMEM.
Errno memory_errno(Error error) {
    if (error == Error::bad_address || error == Error::no_space) return kNoMemory;
    if (error == Error::missing_right || error == Error::revoked) return kAccess;
    return errno_of(error);
}

// More than the agent could ever touch is refused at once, so that programs hear of it from malloc instead of being
// ended at the touch.
bool exceeds_quota(Call& call, std::uint64_t bytes) {
    const Quota& quota = call.process.quota();
    const std::uint64_t limit = quota.limit(Resource::memory), used = quota.used(Resource::memory);
    return bytes > (limit > used ? limit - used : 0);
}

// Linux looks at the upper border alone: nothing is mapped below the lower one.
bool is_below_user_end(std::uint64_t address, std::uint64_t bytes) {
    return range_fits(address, bytes, arch::kUserHigh);
}

bool is_about_fork(std::int32_t advice) {
    return advice == kMadvDontFork || advice == kMadvDoFork || advice == kMadvWipeOnFork || advice == kMadvKeepOnFork;
}
// What there is of the range may be advised so. kNoMemory: there is a hole; kInvalid: MADV_FREE of what is not anonymous.
std::expected<void, Errno> check_areas(Call& call, std::uint64_t address, std::uint64_t bytes, std::int32_t advice) {
    const std::uint64_t end = address + bytes;
    while (address < end && !call.thread.is_killed()) {
        const auto area = call.process.memory().next_area(address);
        if (!area || area->start > address) return std::unexpected(kNoMemory);
        if (advice == kMadvFree && !area->is_anonymous) return std::unexpected(kInvalid);
        address = area->end;
    }
    return {};
}
mm::AtFork at_fork(std::int32_t advice) {
    if (advice == kMadvDontFork) return mm::AtFork::left_out;
    return advice == kMadvWipeOnFork ? mm::AtFork::emptied : mm::AtFork::copied;
}

} // namespace

Outcome call_brk(Call& call, std::uint64_t end) {
    LinuxProcess& process = call.process;
    LinuxProcess::Lock::Guard guard(process.lock);
    if (end < process.break_start || end - process.break_start > kMaxMemoryBytes) return process.break_end;
    const std::uint64_t mapped_end = align_up(end, kPage);
    if (mapped_end > process.break_mapped) {
        if (exceeds_quota(call, mapped_end - process.break_mapped)) return process.break_end;
        mm::MapOptions options;
        options.address = process.break_mapped;
        options.fixed = true;
        options.no_replace = true;
        const auto mapped = process.memory().map_anonymous(mapped_end - process.break_mapped,
                                                           arch::Protection::read | arch::Protection::write,
                                                           mm::ChargeWhen::at_touch, options);
        if (!mapped) return process.break_end;
    } else if (mapped_end < process.break_mapped) {
        if (!process.memory().unmap(mapped_end, process.break_mapped - mapped_end)) return process.break_end;
    }
    process.break_mapped = mapped_end;
    process.break_end = end;
    return end;
}

Outcome call_mmap(Call& call, std::uint64_t address, std::uint64_t bytes, std::uint64_t protection, std::uint64_t flags,
                  Descriptor fd, std::uint64_t offset) {
    if (offset % kPage != 0) return refuse(kInvalid);
    if ((flags & kMapAnonymous) == 0) LINUX_TRY(file_of(call, fd));
    if (bytes == 0) return refuse(kInvalid);
    if (bytes > arch::kUserHigh || (flags & kMapHugePages) != 0) return refuse(kNoMemory);
    const arch::Protection wanted = LINUX_TRY(protection_of(call, protection));
    mm::MapOptions options;
    options.fixed = (flags & (kMapFixed | kMapFixedNoReplace)) != 0;
    options.no_replace = (flags & kMapFixedNoReplace) != 0;
    options.grows_down = (flags & kMapGrowsDown) != 0;
    if (options.fixed) {
        if (address % kPage != 0) return refuse(kInvalid);
        if (address < arch::kUserLow) return refuse(kPerm);
        if (!is_below_user_end(address, align_up(bytes, kPage))) return refuse(kNoMemory);
        options.address = address;
    } else {
        options.address = align_down(address, kPage);
        if (options.address < arch::kUserLow || !is_below_user_end(options.address, align_up(bytes, kPage)))
            options.address = 0;
    }
    const std::uint64_t type = flags & kMapTypeMask;
    if (type != kMapPrivate && type != kMapShared && type != kMapSharedValidate) return refuse(kInvalid);
    const bool is_of_file = (flags & kMapAnonymous) == 0;
    if (type == kMapSharedValidate && !is_of_file) return refuse(kInvalid); // as Linux: it is for files
    if (type == kMapSharedValidate && (flags & ~kMapKnown) != 0) return refuse(kNotSupported);
    const bool shared = type != kMapPrivate;

    Ref<OpenFile> file;
    MapSource from;
    if ((flags & kMapAnonymous) == 0) {
        file = LINUX_TRY(file_of(call, fd));
        if (file->path_only) return refuse(kBadFd);
        from = LINUX_TRY(file->map_source());
        if (!file->readable) return refuse(kAccess);
        if (shared && (protection & kProtWrite) != 0 && !file->writable) return refuse(kAccess);
    }
    Result<std::uint64_t> mapped = fail(Error::bad_argument);
    if (!from.pages) {
        if ((protection & kProtWrite) != 0 && (flags & kMapNoReserve) == 0 && exceeds_quota(call, bytes))
            return refuse(kNoMemory);
        if (!shared) {
            mapped = call.process.memory().map_anonymous(bytes, wanted, mm::ChargeWhen::at_touch, options);
        } else {
            if (bytes > kMaxMemoryBytes) return refuse(kNoMemory);
            auto pages =
                LINUX_TRY(mm::Pages::create(call.process.process().agent().quota(), bytes, mm::ChargeWhen::at_touch));
            mapped = call.process.memory().map(std::move(pages), 0, bytes, wanted, mm::Sharing::shared, options);
        }
    } else {
        auto maximum = arch::Protection::read | arch::Protection::write | arch::Protection::execute;
        if (shared && !from.may_write && (protection & kProtWrite) != 0) return refuse(kPerm);
        if (shared && (!file->writable || !from.may_write)) maximum = maximum & ~arch::Protection::write;
        if (!from.may_execute) maximum = maximum & ~arch::Protection::execute;
        if ((protection & kProtExec) != 0 && !arch::has(maximum, arch::Protection::execute))
            return refuse(kPerm); // as from a file system mounted noexec
        options.maximum = maximum;
        options.authority = from.authority;
        options.label = from.label;
        if (shared && from.writing_label && arch::has(maximum, arch::Protection::write))
            options.label = from.writing_label;
        mapped = call.process.memory().map(from.pages, offset, bytes, wanted,
                                           shared ? mm::Sharing::shared : mm::Sharing::copy_on_write, options);
        if (mapped && !file->is_live()) mapped = fail(Error::revoked); // it took the mapping with it
    }
    if (!mapped) return refuse(memory_errno(mapped.error()));
    return *mapped;
}

Outcome call_munmap(Call& call, std::uint64_t address, std::uint64_t bytes) {
    if (address % kPage != 0 || bytes == 0 || !is_below_user_end(address, bytes)) return refuse(kInvalid);
    if (const auto done = call.process.memory().unmap(address, align_up(bytes, kPage)); !done) {
        return refuse(memory_errno(done.error()));
    }
    return 0;
}

Outcome call_mprotect(Call& call, std::uint64_t address, std::uint64_t bytes, std::uint64_t protection) {
    if (address % kPage != 0) return refuse(kInvalid);
    if (!is_below_user_end(address, bytes)) return refuse(kNoMemory);
    const arch::Protection wanted = LINUX_TRY(protection_of(call, protection));
    if (bytes == 0) return 0;
    if (const auto done = call.process.memory().protect(address, align_up(bytes, kPage), wanted); !done) {
        return refuse(memory_errno(done.error()));
    }
    return 0;
}

Outcome call_madvise(Call& call, std::uint64_t address, std::uint64_t bytes, std::int32_t advice) {
    if (address % kPage != 0) return refuse(kInvalid);
    const bool is_known = (advice >= 0 && advice <= 4) || advice == kMadvFree || (advice >= 10 && advice <= 21);
    if (!is_known || advice == kMadvMergeable || advice == kMadvUnmergeable) return refuse(kInvalid);
    if (!is_below_user_end(address, bytes)) return refuse(kNoMemory);
    LINUX_TRY(check_areas(call, address, align_up(bytes, kPage), advice));
    if (bytes != 0 && is_about_fork(advice)) {
        if (const auto done = call.process.memory().set_at_fork(address, align_up(bytes, kPage), at_fork(advice));
            !done)
            return refuse(memory_errno(done.error()));
    }
    if ((advice == kMadvDontNeed || advice == kMadvFree) && bytes != 0) {
        if (const auto done = call.process.memory().discard(address, align_up(bytes, kPage)); !done) {
            return refuse(memory_errno(done.error()));
        }
    }
    return 0;
}

Outcome call_mremap(Call& call, std::uint64_t address, std::uint64_t old_bytes, std::uint64_t new_bytes,
                    WideFlags<kMremapMayMove | kMremapFixed | kMremapDontUnmap> flags, std::uint64_t target) {
    using MayMove = mm::AddressSpace::MayMove;
    using Leaves = mm::AddressSpace::Leaves;
    if (address % kPage != 0 || new_bytes == 0 || old_bytes == 0) return refuse(kInvalid);
    const bool is_fixed = flags.has(kMremapFixed), leaves_empty = flags.has(kMremapDontUnmap);
    if ((is_fixed || leaves_empty) && !flags.has(kMremapMayMove)) return refuse(kInvalid);
    if (leaves_empty && align_up(old_bytes, kPage) != align_up(new_bytes, kPage)) return refuse(kInvalid);
    if (is_fixed && (target % kPage != 0 || !is_below_user_end(target, new_bytes))) return refuse(kInvalid);
    if (!is_below_user_end(address, old_bytes) || new_bytes > arch::kUserHigh) return refuse(kFault);
    if (is_fixed) {
        if (target < arch::kUserLow) return refuse(kPerm);
        const auto moved = call.process.memory().move_to(address, old_bytes, new_bytes, target,
                                                         leaves_empty ? Leaves::empty : Leaves::nothing);
        return moved ? Outcome(target) : refuse(moved.error() == Error::no_space ? kNoMemory : errno_of(moved.error()));
    }
    if (leaves_empty) {
        const auto moved = call.process.memory().move_away(address, old_bytes);
        return moved ? Outcome(*moved) : refuse(moved.error() == Error::no_space ? kNoMemory : errno_of(moved.error()));
    }
    const auto moved = call.process.memory().remap(address, align_up(old_bytes, kPage), align_up(new_bytes, kPage),
                                                   flags.has(kMremapMayMove) ? MayMove::yes : MayMove::no);
    if (!moved && moved.error() == Error::bad_address && !flags.has(kMremapMayMove)) { // it is there, but cannot grow
        const auto area = call.process.memory().next_area(address);
        const bool is_there = area && area->start <= address && area->end - address >= align_up(old_bytes, kPage);
        return refuse(is_there ? kNoMemory : kFault);
    }
    if (!moved) return refuse(moved.error() == Error::no_space ? kNoMemory : errno_of(moved.error()));
    return *moved;
}

} // namespace aios::linux_abi
