// prctl, personality, and what else a process or thread says of itself alone.
#include <algorithm>

#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

// Names and numbers of include/uapi/linux/prctl.h.
enum class Option : std::int32_t {
    set_parent_death = 1,
    get_parent_death = 2,
    get_dumpable = 3,
    set_dumpable = 4,
    get_keep_capabilities = 7,
    set_keep_capabilities = 8,
    get_timing = 13,
    set_timing = 14,
    set_name = 15,
    get_name = 16,
    get_seccomp = 21,
    set_seccomp = 22,
    has_bounding = 23,
    drop_bounding = 24,
    get_secure_bits = 27,
    set_secure_bits = 28,
    set_timer_slack = 29,
    get_timer_slack = 30,
    set_subreaper = 36,
    get_subreaper = 37,
    set_no_new_privileges = 38,
    get_no_new_privileges = 39,
    get_tid_address = 40,
    set_no_huge_pages = 41,
    get_no_huge_pages = 42,
    ambient = 47,
};
constexpr std::uint64_t kUsualSlack = 50'000; // ns
constexpr std::uint64_t kMostCapability = 40;

Outcome set_name(Call& call, std::uint64_t address) {
    char name[kThreadNameBytes]{}; // at most 15 characters and NUL; byte by byte, as it may end at a page's end
    for (std::size_t i = 0; i + 1 < sizeof(name); ++i) {
        name[i] = LINUX_TRY(UserIn<char>(address).read(i));
        if (name[i] == '\0') break;
    }
    call.process.set_name(call.data(), name);
    return 0;
}

Outcome tell_name(Call& call, std::uint64_t address) {
    char name[kThreadNameBytes];
    call.process.copy_name(call.data(), name);
    LINUX_TRY(UserOut<char>(address).write_array(0, name, sizeof(name)));
    return 0;
}

Outcome drop_bounding(Call& call, std::uint64_t which) {
    LinuxProcess::Lock::Guard guard(call.process.lock);
    Identity wanted = call.process.identity;
    if (!wanted.has(Capability::set_capabilities)) return refuse(kPerm);
    if (which > kMostCapability) return refuse(kInvalid);
    wanted.bounding &= ~(1ull << which);
    call.process.set_identity(wanted);
    return 0;
}

// Ambient capabilities: there are none, and none can be raised, since no file gives any up.
Outcome ambient(std::uint64_t what, std::uint64_t which) {
    constexpr std::uint64_t kIsSet = 1, kRaise = 2, kLower = 3, kClearAll = 4;
    if (what == kClearAll) return which == 0 ? Outcome(0) : refuse(kInvalid);
    if (which > kMostCapability) return refuse(kInvalid);
    if (what == kIsSet || what == kLower) return 0;
    return refuse(what == kRaise ? kPerm : kInvalid);
}

Outcome set_flag(std::atomic<bool>& flag, std::uint64_t value) {
    if (value > 1) return refuse(kInvalid);
    flag = value != 0;
    return 0;
}

} // namespace

Outcome call_prctl(Call& call, std::int32_t option, std::uint64_t second, std::uint64_t third, std::uint64_t fourth,
                   std::uint64_t fifth) {
    LinuxProcess& process = call.process;
    SelfDescription& own = process.description;
    const bool has_rest = third != 0 || fourth != 0 || fifth != 0;
    switch (static_cast<Option>(option)) {
    case Option::set_parent_death:
        if (second > static_cast<std::uint64_t>(kSignalCount)) return refuse(kInvalid);
        own.parent_death_signal = static_cast<std::int32_t>(second);
        return 0;
    case Option::get_parent_death:
        return answer(UserOut<std::int32_t>(second), own.parent_death_signal.load());
    case Option::get_dumpable:
        return own.is_dumpable ? 1 : 0;
    case Option::set_dumpable:
        return set_flag(own.is_dumpable, second);
    case Option::get_keep_capabilities:
        return identity_of(process).keeps_capabilities ? 1 : 0;
    case Option::set_keep_capabilities: {
        if (second > 1) return refuse(kInvalid);
        LinuxProcess::Lock::Guard guard(process.lock);
        process.identity.keeps_capabilities = second != 0;
        return 0;
    }
    case Option::get_timing: // PR_TIMING_STATISTICAL, the only one
        return 0;
    case Option::set_timing:
        return second == 0 ? Outcome(0) : refuse(kInvalid);
    case Option::set_name:
        return set_name(call, second);
    case Option::get_name:
        return tell_name(call, second);
    case Option::get_seccomp: // there are no filters
        return 0;
    case Option::set_seccomp:
        return refuse(kInvalid);
    case Option::has_bounding:
        if (second > kMostCapability) return refuse(kInvalid);
        return identity_of(process).bounding >> second & 1;
    case Option::drop_bounding:
        return drop_bounding(call, second);
    case Option::get_secure_bits:
        return 0;
    case Option::set_secure_bits:
        if (!has_capability(process, Capability::set_capabilities)) return refuse(kPerm);
        return second == 0 ? Outcome(0) : refuse(kInvalid);
    case Option::set_timer_slack: // kept and told: timers come when they are due
        call.data().timer_slack = second == 0 ? kUsualSlack : second;
        return 0;
    case Option::get_timer_slack:
        return call.data().timer_slack == 0 ? kUsualSlack : call.data().timer_slack;
    case Option::set_subreaper: {
        ProcessTable::Lock::Guard guard(process.family().lock);
        process.entry().takes_orphans = second != 0;
        return 0;
    }
    case Option::get_subreaper: {
        std::uint32_t is_set;
        {
            ProcessTable::Lock::Guard guard(process.family().lock);
            is_set = process.entry().takes_orphans ? 1 : 0;
        }
        return answer(UserOut<std::uint32_t>(second), is_set);
    }
    case Option::set_no_new_privileges: // nobody gains any by execve, with it or without
        if (second != 1 || has_rest) return refuse(kInvalid);
        own.gains_nothing = true;
        return 0;
    case Option::get_no_new_privileges:
        if (second != 0 || has_rest) return refuse(kInvalid);
        return own.gains_nothing ? 1 : 0;
    case Option::get_tid_address:
        return answer(UserOut<std::uint64_t>(second), call.data().clear_child_tid);
    case Option::set_no_huge_pages: // there are none
        if (has_rest) return refuse(kInvalid);
        own.has_no_huge_pages = second != 0;
        return 0;
    case Option::get_no_huge_pages:
        if (second != 0 || has_rest) return refuse(kInvalid);
        return own.has_no_huge_pages ? 1 : 0;
    case Option::ambient:
        return fourth != 0 || fifth != 0 ? refuse(kInvalid) : ambient(second, third);
    }
    return refuse(kInvalid);
}

// The execution domain: kept and told. Places of mappings are random whatever it says, and readable memory is never
// executable for that.
Outcome call_personality(Call& call, std::uint32_t wanted) {
    constexpr std::uint32_t kAsk = ~0u;
    std::atomic<std::uint32_t>& domain = call.process.description.domain;
    return wanted == kAsk ? domain.load() : domain.exchange(wanted);
}

void SelfDescription::follow(const SelfDescription& from, Heir heir) {
    is_dumpable = from.is_dumpable.load() || heir == Heir::program;
    gains_nothing = from.gains_nothing.load();
    has_no_huge_pages = from.has_no_huge_pages.load();
    domain = from.domain.load();
    barriers = heir == Heir::child ? from.barriers.load() : 0;
    parent_death_signal = heir == Heir::program ? from.parent_death_signal.load() : 0;
}

} // namespace aios::linux_abi
