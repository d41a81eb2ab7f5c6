// What Linux asks of scheduling: policies, priorities, nice values and the processors that a thread may run on. They are
// checked, kept and told, go to children and stay over execve; which thread runs when and where is the agent's share alone
// (docs/design/sched.md). Lock: the process table's guards them; walks take a few threads under one hold.
#include <algorithm>

#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::int32_t kOther = 0, kFifo = 1, kRoundRobin = 2, kBatch = 3, kIdle = 5, kDeadlinePolicy = 6;
constexpr std::uint32_t kResetOnFork = 0x4000'0000;                                 // SCHED_RESET_ON_FORK
constexpr std::uint64_t kFlagReset = 1, kFlagsKnown = 0x7f, kFlagsOfDeadline = 0x6; // SCHED_FLAG_...
constexpr std::int32_t kLowestNice = -20, kHighestNice = 19, kLeastPriority = 1, kMostPriority = 99;
constexpr std::uint64_t kSliceNs = 100'000'000; // of SCHED_RR, as told
constexpr std::uint64_t kLimitNice = 13, kLimitPriority = 14;

bool is_known(std::int32_t policy) {
    return policy == kOther || policy == kFifo || policy == kRoundRobin || policy == kBatch || policy == kIdle;
}
bool has_priority(std::int32_t policy) { return policy == kFifo || policy == kRoundRobin; }

// Whether the caller may change what is said of a thread of `process`: whose user is his, or who may change all.
bool may_change(const Identity& who, const LinuxProcess& process) {
    return who.has(Capability::nice) || who.user.effective == process.real_user.load(std::memory_order_relaxed);
}

// The thread that a call means; 0 is the caller's own.
LinuxThread* thread_locked(Call& call, std::int32_t tid) AIOS_REQUIRES(call.process.family().lock) {
    call.process.family().lock.assert_held();
    return tid == 0 ? &call.data() : call.process.family().find_thread_locked(tid);
}

std::expected<Schedule, Errno> schedule_of(Call& call, std::int32_t tid) {
    if (tid < 0) return std::unexpected(kInvalid);
    ProcessTable::Lock::Guard guard(call.process.family().lock);
    const LinuxThread* const thread = thread_locked(call, tid);
    if (thread == nullptr) return std::unexpected(kNoProcess);
    return thread->schedule;
}

std::uint64_t limit_of(LinuxProcess& process, std::uint64_t which) {
    LinuxProcess::Lock::Guard guard(process.lock);
    return process.limits.of[which].current;
}

// Who has not CAP_SYS_NICE may lower himself; up to the limits RLIMIT_NICE and RLIMIT_RTPRIO he may raise himself.
bool may_take(Call& call, const Identity& who, const Schedule& before, const Schedule& wanted) {
    if (who.has(Capability::nice)) return true;
    if (before.resets && !wanted.resets) return false;
    if (has_priority(wanted.policy)) {
        const auto most = limit_of(call.process, kLimitPriority);
        const bool raises = wanted.policy != before.policy || wanted.priority > before.priority;
        if (raises && static_cast<std::uint64_t>(wanted.priority) > most) return false;
    }
    if (wanted.nice >= before.nice) return true;
    return static_cast<std::uint64_t>(20 - wanted.nice) <= limit_of(call.process, kLimitNice);
}

enum class Keeps : std::uint8_t { nothing, policy, nice };
Outcome set_schedule(Call& call, std::int32_t tid, Schedule wanted, Keeps keeps) {
    if (tid < 0) return refuse(kInvalid);
    Schedule before = LINUX_TRY(schedule_of(call, tid));
    if (keeps == Keeps::policy) {
        wanted.policy = before.policy;
        wanted.resets = before.resets;
    }
    if (keeps != Keeps::nothing) wanted.nice = before.nice;
    wanted.processors = before.processors;
    if (has_priority(wanted.policy) ? wanted.priority < kLeastPriority || wanted.priority > kMostPriority
                                    : wanted.priority != 0)
        return refuse(kInvalid);
    const Identity who = identity_of(call.process);
    if (!may_take(call, who, before, wanted)) return refuse(kPerm);
    ProcessTable::Lock::Guard guard(call.process.family().lock);
    LinuxThread* const thread = thread_locked(call, tid);
    if (thread == nullptr) return refuse(kNoProcess);
    if (!may_change(who, *thread->process)) return refuse(kPerm);
    thread->schedule = wanted;
    return 0;
}

} // namespace

Outcome call_sched_setscheduler(Call& call, std::int32_t tid, std::uint32_t policy, UserIn<std::int32_t> parameter) {
    if (static_cast<std::int32_t>(policy) < 0 || tid < 0 || parameter.is_null()) return refuse(kInvalid);
    Schedule wanted;
    wanted.priority = LINUX_TRY(parameter.read());
    wanted.policy = static_cast<std::int32_t>(policy & ~kResetOnFork);
    wanted.resets = (policy & kResetOnFork) != 0;
    if (!is_known(wanted.policy)) return refuse(kInvalid);
    return set_schedule(call, tid, wanted, Keeps::nice);
}

Outcome call_sched_getscheduler(Call& call, std::int32_t tid) {
    const Schedule found = LINUX_TRY(schedule_of(call, tid));
    return static_cast<std::uint32_t>(found.policy) | (found.resets ? kResetOnFork : 0);
}

Outcome call_sched_setparam(Call& call, std::int32_t tid, UserIn<std::int32_t> parameter) {
    if (tid < 0 || parameter.is_null()) return refuse(kInvalid);
    Schedule wanted;
    wanted.priority = LINUX_TRY(parameter.read());
    return set_schedule(call, tid, wanted, Keeps::policy);
}

Outcome call_sched_getparam(Call& call, std::int32_t tid, UserOut<std::int32_t> out) {
    if (tid < 0 || out.is_null()) return refuse(kInvalid);
    return answer(out, LINUX_TRY(schedule_of(call, tid)).priority);
}

Outcome call_sched_get_priority_max(Call&, std::int32_t policy) {
    if (has_priority(policy)) return kMostPriority;
    return is_known(policy) || policy == kDeadlinePolicy ? Outcome(0) : refuse(kInvalid);
}
Outcome call_sched_get_priority_min(Call&, std::int32_t policy) {
    if (has_priority(policy)) return kLeastPriority;
    return is_known(policy) || policy == kDeadlinePolicy ? Outcome(0) : refuse(kInvalid);
}

Outcome call_sched_rr_get_interval(Call& call, std::int32_t tid, UserOut<TimeSpec> out) {
    const Schedule found = LINUX_TRY(schedule_of(call, tid));
    const std::uint64_t ns = found.policy == kFifo ? 0 : found.policy == kRoundRobin ? kSliceNs : 4'000'000;
    return answer(out, {0, static_cast<std::int64_t>(ns)});
}

// The structure grows at its end: what is behind the part that is known must be 0.
Outcome call_sched_setattr(Call& call, std::int32_t tid, UserInOut<ScheduleAttributes> user, std::uint32_t flags) {
    if (user.address() == 0 || tid < 0 || flags != 0) return refuse(kInvalid);
    const std::uint32_t given_bytes = LINUX_TRY(UserIn<std::uint32_t>(user.address()).read());
    const std::uint32_t bytes = given_bytes == 0 ? ScheduleAttributes::kFirstBytes : given_bytes;
    if (bytes < ScheduleAttributes::kFirstBytes || bytes > arch::kPageSize) {
        LINUX_TRY(UserOut<std::uint32_t>(user.address()).write(sizeof(ScheduleAttributes)));
        return refuse(kTooBig);
    }
    ScheduleAttributes given{};
    auto* const to = reinterpret_cast<std::byte*>(&given); // SAFETY: a structure without padding, filled byte by byte
    LINUX_TRY(UserIn<std::byte>(user.address()).read_array(0, to, std::min<std::size_t>(bytes, sizeof(given))));
    for (std::uint32_t at = sizeof(given); at < bytes; ++at) {
        if (LINUX_TRY(UserIn<std::byte>(user.address()).read(at)) != std::byte{0}) return refuse(kTooBig);
    }
    Schedule wanted;
    wanted.policy = static_cast<std::int32_t>(given.policy);
    wanted.priority = static_cast<std::int32_t>(given.priority);
    wanted.nice = std::clamp(given.nice, kLowestNice, kHighestNice);
    wanted.resets = (given.flags & kFlagReset) != 0;
    if (wanted.policy < 0 || (given.flags & ~kFlagsKnown) != 0) return refuse(kInvalid);
    if (wanted.policy == kDeadlinePolicy) return refuse(kPerm); // nobody is promised time: shares are
    if (!is_known(wanted.policy) || (given.flags & kFlagsOfDeadline) != 0) return refuse(kInvalid);
    return set_schedule(call, tid, wanted, has_priority(wanted.policy) ? Keeps::nice : Keeps::nothing);
}

Outcome call_sched_getattr(Call& call, std::int32_t tid, UserOut<ScheduleAttributes> out, std::uint32_t bytes,
                           std::uint32_t flags) {
    if (out.address() == 0 || tid < 0 || bytes < ScheduleAttributes::kFirstBytes || bytes > arch::kPageSize ||
        flags != 0)
        return refuse(kInvalid);
    const Schedule found = LINUX_TRY(schedule_of(call, tid));
    ScheduleAttributes told{};
    told.bytes = std::min<std::uint32_t>(bytes, sizeof(told));
    told.policy = static_cast<std::uint32_t>(found.policy);
    told.flags = found.resets ? kFlagReset : 0;
    told.nice = has_priority(found.policy) ? 0 : found.nice;
    told.priority = static_cast<std::uint32_t>(found.priority);
    const auto* const from = reinterpret_cast<const std::byte*>(&told); // SAFETY: as above
    LINUX_TRY(UserOut<std::byte>(out.address()).write_array(0, from, told.bytes));
    return 0;
}

// --- processors ---------------------------------------------------------------------------------------------------

namespace {
std::uint64_t all_processors() {
    const unsigned cpus = arch::cpu_count();
    return cpus >= 64 ? ~0ull : (1ull << cpus) - 1;
}
} // namespace

Outcome call_sched_getaffinity(Call& call, std::int32_t tid, std::uint32_t bytes, UserOut<std::uint64_t> mask) {
    if (bytes % 8 != 0 || std::uint64_t{bytes} * 8 < arch::cpu_count()) return refuse(kInvalid);
    if (tid < 0) return refuse(kNoProcess);
    const std::uint64_t set = LINUX_TRY(schedule_of(call, tid)).processors & all_processors();
    LINUX_TRY(mask.write(set));
    return sizeof(set);
}

Outcome call_sched_setaffinity(Call& call, std::int32_t tid, std::uint32_t bytes, UserIn<std::byte> mask) {
    std::uint64_t wanted = 0;
    auto* const to = reinterpret_cast<std::byte*>(&wanted); // SAFETY: the bytes of a word
    LINUX_TRY(mask.read_array(0, to, std::min<std::size_t>(bytes, sizeof(wanted))));
    const Identity who = identity_of(call.process);
    ProcessTable::Lock::Guard guard(call.process.family().lock);
    LinuxThread* const thread = tid < 0 ? nullptr : thread_locked(call, tid);
    if (thread == nullptr) return refuse(kNoProcess);
    if (!may_change(who, *thread->process)) return refuse(kPerm);
    if ((wanted & all_processors()) == 0) return refuse(kInvalid);
    thread->schedule.processors = wanted & all_processors();
    return 0;
}

Outcome call_getcpu(Call&, UserOut<std::uint32_t> processor, UserOut<std::uint32_t> node) {
    if (!processor.is_null()) LINUX_TRY(processor.write(arch::cpu_index()));
    if (!node.is_null()) LINUX_TRY(node.write(0));
    return 0;
}

// --- nice values --------------------------------------------------------------------------------------------------

namespace {

enum class Whose : std::int32_t { process = 0, group = 1, user = 2 }; // PRIO_...

bool is_meant(Whose whose, std::uint32_t id, const LinuxThread& thread) {
    const LinuxProcess& process = *thread.process;
    if (whose == Whose::group) return process.entry().group->number == static_cast<std::int32_t>(id);
    return process.real_user.load(std::memory_order_relaxed) == id;
}

// Every thread that is meant, to `one(thread)` under the table's lock. kNoProcess: there is none.
template <typename F>
Errno for_threads(Call& call, std::int32_t which, std::int32_t id, F&& one) {
    if (which < 0 || which > 2) return kInvalid;
    const auto whose = static_cast<Whose>(which);
    ProcessTable& family = call.process.family();
    auto number = static_cast<std::uint32_t>(id);
    if (id == 0 && whose == Whose::group) number = static_cast<std::uint32_t>(call.process.group());
    if (id == 0 && whose == Whose::user) number = identity_of(call.process).user.real;
    if (whose == Whose::process) {
        ProcessTable::Lock::Guard guard(family.lock);
        LinuxThread* const thread = id == 0 ? &call.data() : family.find_thread_locked(id);
        if (thread == nullptr) return kNoProcess;
        one(*thread);
        return Errno{};
    }
    bool any = false;
    std::int32_t next = ProcessTable::kFirst;
    for (bool is_at_end = false; !is_at_end;) {
        ProcessTable::Lock::Guard guard(family.lock);
        LinuxThread* thread = family.find_thread_from_locked(next);
        for (unsigned i = 0; i < ProcessTable::kAtOnce && thread != nullptr; ++i) {
            if (is_meant(whose, number, *thread)) {
                any = true;
                one(*thread);
            }
            next = thread->tid + 1;
            thread = family.next_thread_locked(*thread);
        }
        is_at_end = thread == nullptr;
    }
    return any ? Errno{} : kNoProcess;
}

} // namespace

// The highest of all that are meant, as 20 - nice, so that it is never taken for an errno.
Outcome call_getpriority(Call& call, std::int32_t which, std::int32_t id) {
    std::int32_t lowest = kHighestNice;
    const Errno error =
        for_threads(call, which, id, [&](LinuxThread& thread) { lowest = std::min(lowest, thread.schedule.nice); });
    return error == Errno{} ? Outcome(static_cast<std::uint64_t>(20 - lowest)) : refuse(error);
}

Outcome call_setpriority(Call& call, std::int32_t which, std::int32_t id, std::int32_t nice) {
    const std::int32_t wanted = std::clamp(nice, kLowestNice, kHighestNice);
    const Identity who = identity_of(call.process);
    const std::uint64_t most = limit_of(call.process, kLimitNice);
    Errno refused{};
    const Errno error = for_threads(call, which, id, [&](LinuxThread& thread) {
        const bool may_raise = who.has(Capability::nice) || static_cast<std::uint64_t>(20 - wanted) <= most;
        if (!may_change(who, *thread.process)) {
            refused = kPerm;
        } else if (wanted < thread.schedule.nice && !may_raise) {
            refused = kAccess;
        } else {
            thread.schedule.nice = wanted;
        }
    });
    if (error != Errno{}) return refuse(error);
    return refused == Errno{} ? Outcome(0) : refuse(refused);
}

} // namespace aios::linux_abi
