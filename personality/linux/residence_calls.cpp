// Whether memory is there: msync, mincore, and the mlock family. Nothing is ever paged out, so what is locked is what has been
// touched; locking touches it, and so it is paid for. What was locked is not remembered.
#include "base/bits.hpp"
#include "base/checked.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kPage = arch::kPageSize;
constexpr std::uint64_t kLimitLocked = 8; // RLIMIT_MEMLOCK

// Calls `one(area, from, to)` for what lies in [from, to). kNoMemory: there is a hole, but what is there was seen.
template <typename F>
std::expected<void, Errno> for_areas(Call& call, std::uint64_t from, std::uint64_t to, F&& one) {
    bool has_hole = false;
    while (from < to && !call.thread.is_killed()) {
        const auto area = call.process.memory().next_area(from);
        if (!area || area->start >= to) return std::unexpected(kNoMemory);
        has_hole = has_hole || area->start > from;
        LINUX_TRY(one(*area, std::max(area->start, from), std::min(area->end, to)));
        from = area->end;
    }
    if (has_hole) return std::unexpected(kNoMemory);
    return {};
}

// The pages that [address, address + bytes) touches.
struct Range {
    std::uint64_t from, to;
};
std::expected<Range, Errno> pages_of(std::uint64_t address, std::uint64_t bytes) {
    const std::uint64_t from = align_down(address, kPage);
    if (bytes > arch::kUserHigh || !range_fits(from, align_up(bytes + address % kPage, kPage), arch::kUserHigh))
        return std::unexpected(kNoMemory);
    return Range{from, align_up(address + bytes, kPage)};
}

std::expected<void, Errno> may_lock(Call& call, std::uint64_t bytes) {
    LinuxProcess::Lock::Guard guard(call.process.lock);
    if (call.process.identity.has(Capability::lock_memory)) return {};
    const std::uint64_t most = call.process.limits.of[kLimitLocked].current;
    if (most == 0) return std::unexpected(kPerm);
    if (bytes > most) return std::unexpected(kNoMemory);
    return {};
}

Outcome lock_range(Call& call, std::uint64_t address, std::uint64_t bytes, bool on_touch) {
    const Range range = LINUX_TRY(pages_of(address, bytes));
    LINUX_TRY(may_lock(call, range.to - range.from));
    LINUX_TRY(
        for_areas(call, range.from, range.to, [&](const auto& area, std::uint64_t from, std::uint64_t to) -> Outcome {
            if (on_touch || area.protection == arch::Protection::none) return 0;
            const bool is_written = arch::has(area.protection, arch::Protection::write) && area.is_anonymous;
            for (std::uint64_t page = from; page < to && !call.thread.is_killed(); page += kPage) {
                const auto access = is_written ? arch::FaultAccess::write : arch::FaultAccess::read;
                if (!call.process.memory().fault(page, access)) return refuse(kAgain);
            }
            return 0;
        }));
    return 0;
}

} // namespace

Outcome call_msync(Call& call, std::uint64_t address, std::uint64_t bytes, std::uint32_t flags) {
    constexpr std::uint32_t kAsync = 1, kInvalidate = 2, kSync = 4;
    if ((flags & ~(kAsync | kInvalidate | kSync)) != 0 || address % kPage != 0) return refuse(kInvalid);
    if ((flags & kAsync) != 0 && (flags & kSync) != 0) return refuse(kInvalid);
    const Range range = LINUX_TRY(pages_of(address, bytes));
    LINUX_TRY(
        for_areas(call, range.from, range.to, [](const auto&, std::uint64_t, std::uint64_t) { return Outcome(0); }));
    return 0; // files are memory: what was written through a mapping is there
}

Outcome call_mincore(Call& call, std::uint64_t address, std::uint64_t bytes, UserOut<std::uint8_t> out) {
    if (address % kPage != 0) return refuse(kInvalid);
    const Range range = LINUX_TRY(pages_of(address, bytes));
    if (!out.is_plausible((range.to - range.from) / kPage)) return refuse(kFault);
    std::uint64_t index = 0;
    LINUX_TRY(for_areas(call, range.from, range.to, [&](const auto&, std::uint64_t from, std::uint64_t to) -> Outcome {
        constexpr std::uint64_t kAtOnce = 64;
        for (std::uint64_t page = from; page < to && !call.thread.is_killed();) {
            std::uint8_t there[kAtOnce];
            const std::uint64_t count = std::min((to - page) / kPage, kAtOnce);
            call.process.memory().tell_present(page, count, there);
            index = (page - range.from) / kPage;
            LINUX_TRY(out.write_array(index, there, count));
            page += count * kPage;
        }
        return 0;
    }));
    return 0;
}

Outcome call_mlock(Call& call, std::uint64_t address, std::uint64_t bytes) {
    return lock_range(call, address, bytes, false);
}
Outcome call_mlock2(Call& call, std::uint64_t address, std::uint64_t bytes, Flags<1> flags) {
    return lock_range(call, address, bytes, flags.has(1)); // MLOCK_ONFAULT
}
Outcome call_munlock(Call& call, std::uint64_t address, std::uint64_t bytes) {
    const Range range = LINUX_TRY(pages_of(address, bytes));
    LINUX_TRY(
        for_areas(call, range.from, range.to, [](const auto&, std::uint64_t, std::uint64_t) { return Outcome(0); }));
    return 0;
}
Outcome call_mlockall(Call& call, std::uint32_t flags) {
    constexpr std::uint32_t kCurrent = 1, kFuture = 2, kOnFault = 4;
    if (flags == 0 || flags == kOnFault || (flags & ~(kCurrent | kFuture | kOnFault)) != 0) return refuse(kInvalid);
    LINUX_TRY(may_lock(call, call.process.memory().usage().mapped_bytes));
    return 0;
}
Outcome call_munlockall(Call&) { return 0; }

} // namespace aios::linux_abi
