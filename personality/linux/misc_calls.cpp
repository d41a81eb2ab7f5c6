// What fits nowhere else: random bytes, names, limits, memory figures.
#include <algorithm>
#include <cstring>

#include "kernel/dev/entropy.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kMaxRandomBytes = 1 << 20; // a call; programs go on with the rest

Limit limit_of(std::uint32_t resource) {
    switch (resource) {
    case kLimitStack:
        return {8ull << 20, 8ull << 20};
    case kLimitFiles:
        return {kMaxFiles, kMaxFiles};
    case kLimitAddressSpace:
        return {kLimitInfinity, kLimitInfinity};
    default:
        return {kLimitInfinity, kLimitInfinity};
    }
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
    std::strcpy(name.system, "Linux"); // what programs test for; the version says who answers
    std::strcpy(name.node, "aios");
    std::strcpy(name.release, "6.1.0");
    std::strcpy(name.version, "AIOS Linux personality");
    std::strcpy(name.machine, "x86_64");
    return answer(out, name);
}

Outcome call_prlimit64(Call& call, std::int32_t pid, std::uint32_t resource, UserIn<Limit> limit, UserOut<Limit> old) {
    if (resource >= kLimitCount) return refuse(kInvalid);
    if (pid != 0 && pid != call.process.pid()) return refuse(kNoProcess);
    const Limit own = limit_of(resource);
    if (!limit.is_null()) {
        const auto wanted = LINUX_TRY(limit.read());
        if (wanted.current > wanted.maximum) return refuse(kInvalid);
        if (wanted.maximum > own.maximum) return refuse(kPerm);
    }
    return old.is_null() ? Outcome(0) : answer(old, own);
}

Outcome call_getrlimit(Call&, std::uint32_t resource, UserOut<Limit> out) {
    if (resource >= kLimitCount) return refuse(kInvalid);
    return answer(out, limit_of(resource));
}

Outcome call_setrlimit(Call&, std::uint32_t resource, UserIn<Limit> limit) {
    if (resource >= kLimitCount) return refuse(kInvalid);
    const auto wanted = LINUX_TRY(limit.read());
    if (wanted.current > wanted.maximum) return refuse(kInvalid);
    return wanted.maximum > limit_of(resource).maximum ? refuse(kPerm) : Outcome(0);
}

// Of the whole agent; all of its time counts as user time.
Outcome call_getrusage(Call& call, std::int32_t who, UserOut<Usage> out) {
    constexpr std::int32_t kSelf = 0, kThread = 1, kChildren = -1;
    if (who != kSelf && who != kThread && who != kChildren) return refuse(kInvalid);
    Usage usage{};
    if (who != kChildren) {
        const std::uint64_t ns = who == kThread ? call.thread.cpu_ns() : call.process.agent().share_group().cpu_ns();
        usage.user = {static_cast<std::int64_t>(ns / 1'000'000'000),
                      static_cast<std::int64_t>(ns % 1'000'000'000 / 1000)};
        usage.peak_kib = static_cast<std::int64_t>(call.process.quota().peak(Resource::memory) / 1024);
    }
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

Outcome call_prctl(Call& call, std::int32_t option, std::uint64_t argument) {
    constexpr std::int32_t kSetName = 15, kGetName = 16, kSetSubreaper = 36, kGetSubreaper = 37;
    LinuxThread& data = call.data();
    switch (option) {
    case kSetName: { // at most 15 characters and NUL; fetched byte by byte because the string may end at a page's end
        char name[sizeof(data.name)]{};
        for (std::size_t i = 0; i + 1 < sizeof(name); ++i) {
            name[i] = LINUX_TRY(UserIn<char>(argument).read(i));
            if (name[i] == '\0') break;
        }
        std::memcpy(data.name, name, sizeof(name));
        return 0;
    }
    case kGetName:
        LINUX_TRY(UserOut<char>(argument).write_array(0, data.name, sizeof(data.name)));
        return 0;
    case kSetSubreaper: {
        ProcessTable::Lock::Guard guard(call.process.family().lock);
        call.process.entry().takes_orphans = argument != 0;
        return 0;
    }
    case kGetSubreaper: {
        std::uint32_t is_set;
        {
            ProcessTable::Lock::Guard guard(call.process.family().lock);
            is_set = call.process.entry().takes_orphans ? 1 : 0;
        }
        return answer(UserOut<std::uint32_t>(argument), is_set);
    }
    default:
        return refuse(kInvalid);
    }
}

} // namespace aios::linux_abi
