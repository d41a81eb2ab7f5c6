// See cpu_clock.hpp.
#include "personality/linux/cpu_clock.hpp"

#include <algorithm>

namespace aios::linux_abi {
namespace {

constexpr std::int32_t kWhichMask = 3, kThreadMark = 4, kNumberShift = 3;
constexpr std::int32_t kOfDescriptor = 3; // CLOCKFD: a clock that is a device

} // namespace

bool is_cpu_clock(std::int32_t number) {
    const auto id = static_cast<ClockId>(number);
    return number < 0 || id == ClockId::process_cpu || id == ClockId::thread_cpu;
}

std::expected<CpuClock, Errno> cpu_clock_of(Call& call, std::int32_t number) {
    const std::int32_t own = call.process.pid();
    switch (static_cast<ClockId>(number)) {
    case ClockId::process_cpu:
        return CpuClock{own, 0};
    case ClockId::thread_cpu:
        return CpuClock{own, call.data().tid};
    default:
        break;
    }
    if (number >= 0 || (number & kWhichMask) == kOfDescriptor) return std::unexpected(kInvalid);
    const std::int32_t named = ~(number >> kNumberShift);
    const bool is_thread = (number & kThreadMark) != 0;
    if (named == 0) return CpuClock{own, is_thread ? call.data().tid : 0};
    ProcessTable& family = call.process.family();
    ProcessTable::Lock::Guard guard(family.lock);
    if (is_thread) {
        const LinuxThread* const thread = family.find_thread_locked(named);
        if (thread == nullptr || thread->process != &call.process) return std::unexpected(kInvalid);
        return CpuClock{own, named};
    }
    const ProcessEntry* const entry = family.find_locked(named);
    if (entry == nullptr || entry->process == nullptr) return std::unexpected(kInvalid);
    return CpuClock{named, 0};
}

CpuStep step_cpu_clock(ProcessTable& family, const CpuClock& clock, CpuWalk& walk) {
    ProcessTable::Lock::Guard guard(family.lock);
    const ProcessEntry* const entry = family.find_locked(clock.pid);
    if (entry == nullptr || entry->process == nullptr) return CpuStep::gone;
    LinuxProcess& process = *entry->process;
    LinuxProcess::ThreadLock::Guard threads(process.thread_lock);
    if (clock.tid != 0) {
        const LinuxThread* const thread = process.threads.find(clock.tid);
        if (thread == nullptr) return CpuStep::gone;
        walk = {thread->thread.cpu_ns(), 1, 0};
        return CpuStep::done;
    }
    if (walk.next == 0) walk = {entry->cpu_ns + process.cpu_ns_of_ended, 0, ProcessTable::kFirst};
    const LinuxThread* thread = process.threads.lower_bound(walk.next);
    for (unsigned i = 0; i < ProcessTable::kAtOnce && thread != nullptr; ++i) {
        walk.ns += thread->thread.cpu_ns();
        ++walk.threads;
        walk.next = thread->tid + 1;
        thread = process.threads.next(*thread);
    }
    return thread == nullptr ? CpuStep::done : CpuStep::more;
}

std::expected<std::uint64_t, Errno> read_cpu_clock(ProcessTable& family, const CpuClock& clock) {
    CpuWalk walk;
    for (;;) {
        const CpuStep step = step_cpu_clock(family, clock, walk);
        if (step == CpuStep::gone) return std::unexpected(kNoProcess);
        if (step == CpuStep::done) return walk.ns;
    }
}

std::uint64_t children_cpu_ns(LinuxProcess& process) {
    ProcessTable::Lock::Guard guard(process.family().lock);
    return process.entry().children_cpu_ns;
}

std::uint64_t least_wait(std::uint64_t ns, std::uint32_t threads) {
    return ns / std::clamp<std::uint64_t>(threads, 1, arch::cpu_count());
}

} // namespace aios::linux_abi
