// The calls on epoll files.
#include "kernel/time/clock.hpp"
#include "personality/linux/epoll_file.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::int32_t kAdd = 1, kRemove = 2, kChange = 3;
constexpr std::uint32_t kWithExclusive =
    kPollIn | kPollOut | kPollError | kPollHangUp | kEpollWakeUp | kEpollEdge | kEpollExclusive;

Outcome create(Call& call, std::uint64_t flags) { return install(call, LINUX_TRY(EpollFile::create(call)), flags); }

Outcome wait(Call& call, Descriptor epoll, UserOut<EpollEvent> events, std::int32_t most, sched::Deadline deadline,
             std::uint64_t restarted) {
    const auto file = LINUX_TRY(file_of(call, epoll));
    constexpr std::int32_t kMostEvents = 0x7fff'ffff / static_cast<std::int32_t>(sizeof(EpollEvent));
    if (most <= 0 || most > kMostEvents) return refuse(kInvalid);
    if (!is_below_kernel(events.address(), static_cast<std::uint64_t>(most) * sizeof(EpollEvent)))
        return refuse(kFault);
    if (file->kind() != FileKind::epoll) return refuse(kInvalid);
    // SAFETY of the downcast: its kind says so.
    return static_cast<EpollFile&>(*file).wait(call, events, static_cast<std::uint64_t>(most), deadline, restarted);
}

struct Times {
    sched::Deadline deadline;
    std::uint64_t restarted; // 0: none
};
Times times_of(Call& call, std::int32_t milliseconds) {
    if (milliseconds < 0) return {sched::kNever, 0};
    sched::Deadline deadline = time::deadline_after(static_cast<std::uint64_t>(milliseconds) * 1'000'000);
    if (call.data().restarted_deadline != 0) deadline = call.data().restarted_deadline;
    return {deadline, deadline};
}

} // namespace

Outcome call_epoll_create(Call& call, std::int32_t size) { return size > 0 ? create(call, 0) : refuse(kInvalid); }
Outcome call_epoll_create1(Call& call, Flags<kOpenCloseOnExec> flags) { return create(call, flags.bits); }

// EPOLLEXCLUSIVE wakes everybody: "one or more", as Linux promises it.
Outcome call_epoll_ctl(Call& call, Descriptor epoll, std::int32_t operation, Descriptor fd, UserIn<EpollEvent> user) {
    EpollEvent event{};
    if (operation != kRemove) event = LINUX_TRY(user.read());
    const auto watcher = LINUX_TRY(file_of(call, epoll));
    const auto target = LINUX_TRY(file_of(call, fd));
    if (target->path_only || watcher->path_only) return refuse(kBadFd);
    if (target->source() == nullptr) return refuse(kPerm);
    if (watcher->kind() != FileKind::epoll || watcher.get() == target.get()) return refuse(kInvalid);
    if (operation != kRemove && (event.events & kEpollExclusive) != 0) {
        if (operation == kChange) return refuse(kInvalid);
        if (target->kind() == FileKind::epoll || (event.events & ~kWithExclusive) != 0) return refuse(kInvalid);
    }
    auto& file = static_cast<EpollFile&>(*watcher); // SAFETY of the downcast: its kind says so
    const std::uint64_t data = std::uint64_t{event.data_high} << 32 | event.data_low;
    switch (operation) {
    case kAdd:
        return file.add(call, target, fd, event.events, data);
    case kRemove:
        return file.remove(*target, fd);
    case kChange:
        return file.change(*target, fd, event.events, data);
    default:
        return refuse(kInvalid);
    }
}

Outcome call_epoll_wait(Call& call, Descriptor epoll, UserOut<EpollEvent> events, std::int32_t most,
                        std::int32_t milliseconds) {
    const Times times = times_of(call, milliseconds);
    return wait(call, epoll, events, most, times.deadline, times.restarted);
}

Outcome call_epoll_pwait(Call& call, Descriptor epoll, UserOut<EpollEvent> events, std::int32_t most,
                         std::int32_t milliseconds, UserIn<std::uint64_t> mask, std::uint64_t set_bytes) {
    const Times times = times_of(call, milliseconds);
    MaskOfCall own_mask(call);
    if (const Errno error = own_mask.set(mask, set_bytes); error != Errno{}) return refuse(error);
    return wait(call, epoll, events, most, times.deadline, times.restarted);
}

Outcome call_epoll_pwait2(Call& call, Descriptor epoll, UserOut<EpollEvent> events, std::int32_t most,
                          UserIn<TimeSpec> time, UserIn<std::uint64_t> mask, std::uint64_t set_bytes) {
    Times times{sched::kNever, 0};
    if (!time.is_null()) {
        const TimeSpec given = LINUX_TRY(time.read());
        times.deadline = aios::time::deadline_after(LINUX_TRY(nanoseconds_of(given)));
        if (call.data().restarted_deadline != 0) times.deadline = call.data().restarted_deadline;
        times.restarted = times.deadline;
    }
    MaskOfCall own_mask(call);
    if (const Errno error = own_mask.set(mask, set_bytes); error != Errno{}) return refuse(error);
    return wait(call, epoll, events, most, times.deadline, times.restarted);
}

} // namespace aios::linux_abi
