// shmget, shmat, shmdt, shmctl.
#include <algorithm>

#include "base/bits.hpp"
#include "personality/linux/shared_segment.hpp"

namespace aios::linux_abi {
namespace {

using Guard = SystemVSpace::Lock::Guard;
constexpr std::uint64_t kPage = arch::kPageSize;
constexpr std::uint32_t kOnlyRead = 010000, kRound = 020000, kRemap = 040000, kExecute = 0100000; // SHM_...
constexpr std::int32_t kLock = 11, kUnlock = 12, kStatAt = 13, kInfo = 14, kStatAny = 15;

SystemVSpace& space_of(Call& call) { return *call.process.family().system_v; }

std::expected<Ref<SharedSegment>, Errno> make_segment(Call& call, std::uint64_t bytes) {
    if (bytes == 0 || bytes > kMaxMemoryBytes) return std::unexpected(kInvalid);
    Payer& payer = call.process.quota();
    auto charge = LINUX_TRY(Reservation::make(payer, Resource::memory, mm::cost_of<SharedSegment>));
    auto label = LINUX_TRY(FileLabel::create(payer, "SYSV00000000", 0, 0)); // as maps shows it
    auto pages = LINUX_TRY(mm::Pages::create(payer, bytes, mm::ChargeWhen::at_touch));
    return Ref<SharedSegment>::adopt(LINUX_TRY(
        mm::make<SharedSegment>(std::move(charge), std::move(pages), std::move(label), bytes, call.process.pid())));
}

constexpr std::uint32_t kIsRemoved = 01000; // SHM_DEST: it goes with the last that is attached

// Those that were removed, and that nobody has any more. A process ends without a word to its segments, so who comes looks.
void drop_unused_locked(SystemVSpace& space) AIOS_REQUIRES(space.mutex) {
    space.mutex.assert_held();
    for (std::size_t place = 0; place <= space.segments.last(); ++place) {
        SharedSegment* const segment = space.segments.at(place);
        const bool is_unused =
            segment != nullptr && (segment->permission.mode & kIsRemoved) != 0 && segment->mappings() == 0;
        if (is_unused) static_cast<void>(space.segments.remove(*segment));
    }
}

// Of a mapping in the caller's memory: nullptr where it is of no segment.
SharedSegment* segment_of_locked(SystemVSpace& space, const mm::Label* label) AIOS_REQUIRES(space.mutex) {
    space.mutex.assert_held();
    for (std::size_t place = 0; label != nullptr && place <= space.segments.last(); ++place) {
        SharedSegment* const segment = space.segments.at(place);
        if (segment != nullptr && segment->label.get() == label) return segment;
    }
    return nullptr;
}

} // namespace

Outcome call_shmget(Call& call, std::int32_t key, std::uint64_t bytes, std::uint32_t flags) {
    constexpr std::uint32_t kHugePages = 04000; // there are none
    if ((flags & kHugePages) != 0) return refuse(kNoMemory);
    {
        Guard guard(space_of(call).mutex);
        drop_unused_locked(space_of(call));
    }
    return get_ipc(call, space_of(call), &SystemVSpace::segments, key, flags, make_segment(call, bytes),
                   [&](const SharedSegment& segment) { return bytes > segment.bytes ? kInvalid : Errno{}; });
}

Outcome call_shmat(Call& call, std::int32_t id, std::uint64_t address, std::uint32_t flags) {
    if (id < 0) return refuse(kInvalid);
    if (address % kPage != 0) {
        if ((flags & kRound) == 0) return refuse(kInvalid);
        address = align_down(address, kPage);
        if (address == 0 && (flags & kRemap) != 0) return refuse(kInvalid);
    } else if (address == 0 && (flags & kRemap) != 0) {
        return refuse(kInvalid);
    }
    const bool writes = (flags & kOnlyRead) == 0;
    const std::uint32_t wanted = kMayRead | (writes ? kMayWrite : 0) | ((flags & kExecute) != 0 ? kMayExecute : 0);
    const Identity who = identity_of(call.process);
    SystemVSpace& space = space_of(call);
    Ref<SharedSegment> segment;
    {
        Guard guard(space.mutex);
        drop_unused_locked(space);
        SharedSegment* const found = LINUX_TRY(space.segments.find(id));
        if (!found->admits(who, wanted)) return refuse(kAccess);
        segment = Ref<SharedSegment>::share(*found);
    }
    if ((flags & kExecute) != 0 && writes) return refuse(kAccess); // never both
    mm::MapOptions options;
    options.address = address;
    options.fixed = address != 0;
    options.no_replace = (flags & kRemap) == 0;
    options.label = segment->label;
    if (!writes) options.maximum = arch::Protection::read | arch::Protection::execute;
    auto protection = arch::Protection::read;
    if (writes) protection = protection | arch::Protection::write;
    if ((flags & kExecute) != 0) protection = protection | arch::Protection::execute;
    const auto mapped = call.process.memory().map(segment->pages, 0, align_up(segment->bytes, kPage), protection,
                                                  mm::Sharing::shared, options);
    if (!mapped) {
        const bool is_place = mapped.error() == Error::already_exists || mapped.error() == Error::bad_address;
        return refuse(is_place ? kInvalid : errno_of(mapped.error()));
    }
    Guard guard(space.mutex);
    segment->attached = wall_seconds();
    segment->last = call.process.pid();
    return *mapped;
}

// What is attached at `address`, though it may lie in several pieces by now.
Outcome call_shmdt(Call& call, std::uint64_t address) {
    if (address % kPage != 0) return refuse(kInvalid);
    SystemVSpace& space = space_of(call);
    bool any = false;
    for (std::uint64_t at = address; !call.thread.is_killed();) {
        const auto area = call.process.memory().next_area(at);
        if (!area || area->start != at || area->offset != at - address || !area->label) break;
        {
            Guard guard(space.mutex);
            SharedSegment* const segment = segment_of_locked(space, area->label.get());
            if (segment == nullptr) break;
            segment->detached = wall_seconds();
            segment->last = call.process.pid();
        }
        if (const auto done = call.process.memory().unmap(at, area->end - at); !done) return refuse(done.error());
        any = true;
        at = area->end;
    }
    Guard guard(space.mutex);
    drop_unused_locked(space);
    return any ? Outcome(0) : refuse(kInvalid);
}

namespace {

Outcome tell_limits(Call& call, UserOut<std::uint64_t> to) {
    const std::uint64_t told[9] = {kMaxMemoryBytes, 1, IpcTable<SharedSegment>::kMost, IpcTable<SharedSegment>::kMost,
                                   IpcTable<SharedSegment>::kMost * (kMaxMemoryBytes / kPage)};
    SystemVSpace& space = space_of(call);
    std::uint64_t last;
    {
        Guard guard(space.mutex);
        last = space.segments.last();
    }
    LINUX_TRY(to.write_array(0, told, std::size(told)));
    return last;
}

Outcome tell_use(Call& call, UserOut<std::uint64_t> to) {
    std::uint64_t told[6] = {}; // struct shm_info: segments, pages, those in memory
    SystemVSpace& space = space_of(call);
    std::uint64_t last;
    {
        Guard guard(space.mutex);
        drop_unused_locked(space);
        last = space.segments.last();
        told[0] = space.segments.count();
        for (std::size_t place = 0; place <= last; ++place) {
            const SharedSegment* const segment = space.segments.at(place);
            if (segment == nullptr) continue;
            told[1] += segment->pages->page_count();
            told[2] += segment->pages->resident_pages();
        }
    }
    LINUX_TRY(to.write_array(0, told, std::size(told)));
    return last;
}

Outcome tell_state(Call& call, std::int32_t id, std::int32_t command, UserOut<SegmentState> to) {
    const Identity who = identity_of(call.process);
    SystemVSpace& space = space_of(call);
    SegmentState told{};
    std::uint64_t number = 0;
    {
        Guard guard(space.mutex);
        SharedSegment* const segment =
            LINUX_TRY(find_ipc(space.segments, id, command == kIpcStat ? By::number : By::place));
        if (command != kStatAny && !segment->admits(who, kMayRead)) return refuse(kAccess);
        told = {segment->permission, segment->bytes,      segment->attached,
                segment->detached,   segment->changed,    segment->creator,
                segment->last,       segment->mappings(), {}};
        if (command != kIpcStat) number = static_cast<std::uint64_t>(segment->id);
    }
    LINUX_TRY(to.write(told));
    return number;
}

} // namespace

Outcome call_shmctl(Call& call, std::int32_t id, std::int32_t command, std::uint64_t argument) {
    if (id < 0 || command < 0) return refuse(kInvalid);
    SystemVSpace& space = space_of(call);
    SegmentState wanted{};
    switch (command) {
    case kIpcInfo:
        return tell_limits(call, UserOut<std::uint64_t>(argument));
    case kInfo:
        return tell_use(call, UserOut<std::uint64_t>(argument));
    case kIpcStat:
    case kStatAt:
    case kStatAny:
        return tell_state(call, id, command, UserOut<SegmentState>(argument));
    case kIpcSet:
        wanted = LINUX_TRY(UserIn<SegmentState>(argument).read());
        break;
    case kIpcRemove:
    case kLock:
    case kUnlock:
        break;
    default:
        return refuse(kInvalid);
    }
    constexpr std::uint32_t kIsLocked = 02000; // SHM_LOCKED
    const Identity who = identity_of(call.process);
    Guard guard(space.mutex);
    drop_unused_locked(space);
    SharedSegment* const segment = LINUX_TRY(space.segments.find(id));
    const bool locks = command == kLock || command == kUnlock;
    if (!segment->is_owned_by(who) && !(locks && who.has(Capability::lock_memory))) return refuse(kPerm);
    if (command == kIpcSet) {
        set_permission(*segment, wanted.permission);
    } else if (command == kIpcRemove) {
        segment->permission.key = kIpcPrivate;
        segment->permission.mode |= kIsRemoved;
        drop_unused_locked(space);
    } else if (command == kLock) { // nothing is paged out
        segment->permission.mode |= kIsLocked;
    } else {
        segment->permission.mode &= ~kIsLocked;
    }
    return 0;
}

} // namespace aios::linux_abi
