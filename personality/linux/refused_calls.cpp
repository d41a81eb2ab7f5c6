// Calls that would change what is not the agent's: mounts, clocks, names of the machine, other processes' memory. Their
// arguments are looked at as far as Linux looks before it asks who calls; then the answer is EPERM, as to a user without
// authority.
#include "kernel/time/clock.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {

Outcome call_mount(Call&) { return refuse(kPerm); }
Outcome call_umount2(Call& call, UserIn<char> path, std::uint32_t flags) {
    constexpr std::uint32_t kForce = 1, kDetach = 2, kExpire = 4, kNoFollow = 8;
    if ((flags & ~(kForce | kDetach | kExpire | kNoFollow)) != 0) return refuse(kInvalid);
    const Lookup lookup = LINUX_TRY(Lookup::resolve(call, kHere, path, Follow::yes));
    LINUX_TRY(lookup.node());
    return refuse(kPerm);
}
Outcome call_pivot_root(Call&) { return refuse(kPerm); }
Outcome call_swapon(Call&) { return refuse(kPerm); }
Outcome call_swapoff(Call&) { return refuse(kPerm); }
Outcome call_reboot(Call&) { return refuse(kPerm); }
Outcome call_sethostname(Call&) { return refuse(kPerm); }
Outcome call_setdomainname(Call&) { return refuse(kPerm); }
Outcome call_iopl(Call&, std::uint32_t level) { return refuse(level > 3 ? kInvalid : kPerm); }
Outcome call_ioperm(Call&) { return refuse(kPerm); }
Outcome call_acct(Call&) { return refuse(kPerm); }
Outcome call_vhangup(Call&) { return refuse(kPerm); }
Outcome call_setns(Call& call, Descriptor fd) {
    LINUX_TRY(file_of(call, fd));
    return refuse(kPerm);
}

// Nobody traces another process here.
Outcome call_ptrace(Call& call, std::uint64_t request, std::int32_t pid) {
    constexpr std::uint64_t kTraceMe = 0;
    if (request == kTraceMe) return refuse(kPerm);
    ProcessTable::Lock::Guard guard(call.process.family().lock);
    return refuse(call.process.family().find_locked(pid) == nullptr ? kNoProcess : kPerm);
}

// What a process has for itself already is given to it: each has its own files and directories, and no process of an agent
// is in another's name space.
Outcome call_unshare(Call& call, std::uint64_t flags) {
    constexpr std::uint64_t kNewTime = 0x80, kNewNames = 0x7e02'0000 | kNewTime,
                            kOwnAlready = kCloneFs | kCloneFiles | kCloneSysvsem;
    constexpr std::uint64_t kOfOneThread = kCloneThread | kCloneSighand | kCloneVm;
    if ((flags & ~(kNewNames | kOwnAlready | kOfOneThread)) != 0) return refuse(kInvalid);
    const bool is_alone = call.process.process().thread_count() == 1;
    if ((flags & kOfOneThread) != 0 && !is_alone) return refuse(kInvalid);
    if ((flags & kNewNames) != 0) return refuse(kPerm);
    return is_alone || (flags & kOwnAlready) == 0 ? Outcome(0) : refuse(kPerm);
}

// The clocks are the machine's.
Outcome call_clock_settime(Call&, std::int32_t clock, UserIn<TimeSpec> time) {
    if (static_cast<ClockId>(clock) != ClockId::realtime) return refuse(kInvalid);
    const TimeSpec given = LINUX_TRY(time.read());
    LINUX_TRY(nanoseconds_of(given));
    return refuse(kPerm);
}
Outcome call_settimeofday(Call&, UserIn<TimeVal> time) {
    if (!time.is_null()) {
        const TimeVal given = LINUX_TRY(time.read());
        if (given.microseconds < 0 || given.microseconds > 1'000'000) return refuse(kInvalid);
    }
    return refuse(kPerm);
}

} // namespace aios::linux_abi
