// What fits nowhere else: random bytes, names, limits, memory figures.
#include <algorithm>
#include <cstring>

#include "kernel/dev/entropy.hpp"
#include "personality/linux/cpu_clock.hpp"
#include "personality/linux/process_view.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kMaxRandomBytes = (1 << 25) - 1; // a call, as on Linux

// Sets and tells one limit of the process; who has not CAP_SYS_RESOURCE may not raise what is the most.
std::expected<Limit, Errno> change_limit(Call& call, LinuxProcess& process, std::uint32_t resource,
                                         const Limit* wanted) {
    if (resource >= kLimitCount) return std::unexpected(kInvalid);
    const bool may_raise = has_capability(call.process, Capability::resource);
    LinuxProcess::Lock::Guard guard(process.lock);
    Limit& limit = process.limits.of[resource];
    const Limit before = limit;
    if (wanted == nullptr) return before;
    if (wanted->current > wanted->maximum) return std::unexpected(kInvalid);
    if (wanted->maximum > limit.maximum && (!may_raise || resource == kLimitFiles)) return std::unexpected(kPerm);
    limit = *wanted;
    process.tell_limits();
    if (resource == kLimitCpu) {
        if (const auto followed = follow_cpu_limit(process); !followed) {
            limit = before;
            return std::unexpected(followed.error());
        }
    }
    return before;
}

} // namespace

Outcome call_getrandom(Call& call, UserOut<std::byte> out, std::uint64_t bytes, Flags<kRandomFlags> flags) {
    const std::uint64_t wanted = std::min(bytes, kMaxRandomBytes);
    if ((flags.bits & 6) == 6) return refuse(kInvalid); // RANDOM and INSECURE at once
    std::byte bounce[256];
    std::uint64_t done = 0;
    while (done < wanted && !call.thread.is_killed()) {
        const std::size_t part = std::min<std::uint64_t>(wanted - done, sizeof(bounce));
        if (!dev::random_bytes(MutableBytes(bounce, part))) return refuse(kAgain);
        if (!out.write_array(done, bounce, part)) return done != 0 ? Outcome(done) : refuse(kFault);
        done += part;
    }
    std::memset(bounce, 0, sizeof(bounce));
    return done;
}

Outcome call_uname(Call&, UserOut<UtsName> out) {
    UtsName name{};
    const auto put = [](char(&to)[65], std::string_view text) { std::memcpy(to, text.data(), text.size()); };
    put(name.system, kSystemName);
    put(name.node, kNodeName);
    put(name.release, kSystemRelease);
    put(name.version, kSystemVersion);
    put(name.machine, "x86_64");
    return answer(out, name);
}

Outcome call_prlimit64(Call& call, std::int32_t pid, std::uint32_t resource, UserIn<Limit> limit, UserOut<Limit> old) {
    if (resource >= kLimitCount) return refuse(kInvalid);
    Limit wanted{};
    if (!limit.is_null()) wanted = LINUX_TRY(limit.read());
    const std::int32_t number = pid == 0 ? call.process.pid() : process_number(call.process.family(), pid);
    const ProcessView view = LINUX_TRY(view_living(call.process.family(), number, 0));
    if (!may_look_into(call, *view.linux_process)) return refuse(kPerm);
    const Limit before =
        LINUX_TRY(change_limit(call, *view.linux_process, resource, limit.is_null() ? nullptr : &wanted));
    return old.is_null() ? Outcome(0) : answer(old, before);
}

Outcome call_getrlimit(Call& call, std::uint32_t resource, UserOut<Limit> out) {
    return answer(out, LINUX_TRY(change_limit(call, call.process, resource, nullptr)));
}

Outcome call_setrlimit(Call& call, std::uint32_t resource, UserIn<Limit> limit) {
    if (resource >= kLimitCount) return refuse(kInvalid);
    const auto wanted = LINUX_TRY(limit.read());
    LINUX_TRY(change_limit(call, call.process, resource, &wanted));
    return 0;
}

// All time counts as user time; the peak is that of the whole agent.
Outcome call_getrusage(Call& call, std::int32_t who, UserOut<Usage> out) {
    constexpr std::int32_t kSelf = 0, kThread = 1, kChildren = -1;
    if (who != kSelf && who != kThread && who != kChildren) return refuse(kInvalid);
    Usage usage{};
    std::uint64_t ns = 0;
    if (who == kChildren) {
        ns = children_cpu_ns(call.process);
    } else {
        const CpuClock clock{call.process.pid(), who == kThread ? call.data().tid : 0};
        ns = LINUX_TRY(read_cpu_clock(call.process.family(), clock));
        usage.peak_kib = static_cast<std::int64_t>(call.process.quota().peak(Resource::memory) / 1024);
    }
    usage.user = {static_cast<std::int64_t>(ns / 1'000'000'000), static_cast<std::int64_t>(ns % 1'000'000'000 / 1000)};
    return answer(out, usage);
}

Outcome call_sysinfo(Call& call, UserOut<SystemInfo> out) {
    const Quota& quota = call.process.quota();
    SystemInfo info{};
    info.uptime = static_cast<std::int64_t>(sched::now_ns() / 1'000'000'000);
    info.total_ram = quota.limit(Resource::memory);
    const std::uint64_t used = quota.used(Resource::memory);
    info.free_ram = info.total_ram > used ? info.total_ram - used : 0;
    info.processes = static_cast<std::uint16_t>(std::min<std::size_t>(call.process.family().count(), 0xffff));
    info.unit = 1;
    return answer(out, info);
}

} // namespace aios::linux_abi
