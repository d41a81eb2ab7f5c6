// What fits nowhere else: random bytes, names, limits, memory figures.
#include <algorithm>
#include <cstring>

#include "kernel/dev/entropy.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kMaxRandomBytes = 1 << 20; // a call; programs go on with the rest
constexpr std::size_t kNameField = 65;

struct UtsName {
    char system[kNameField], node[kNameField], release[kNameField], version[kNameField], machine[kNameField],
        domain[kNameField];
};

struct SystemInfo { // struct sysinfo
    std::int64_t uptime;
    std::uint64_t loads[3], total_ram, free_ram, shared_ram, buffer_ram, total_swap, free_swap;
    std::uint16_t processes, reserved[3];
    std::uint64_t total_high, free_high;
    std::uint32_t unit, reserved2;
};
static_assert(sizeof(SystemInfo) == 112);

Limit limit_of(Call& call, std::uint64_t resource) {
    switch (resource) {
    case kLimitStack:
        return {8ull << 20, 8ull << 20};
    case kLimitFiles:
        return {kMaxFiles, kMaxFiles};
    case kLimitAddressSpace:
        return {kLimitInfinity, kLimitInfinity};
    default:
        (void)call;
        return {kLimitInfinity, kLimitInfinity};
    }
}

struct Usage { // struct rusage
    TimeVal user, system;
    std::int64_t peak_kib, reserved[3], minor_faults, major_faults, rest[8];
};
static_assert(sizeof(Usage) == 144);

} // namespace

Outcome call_getrandom(Call& call) {
    const std::uint64_t wanted = std::min(call.a[1], kMaxRandomBytes);
    if ((call.a[2] & ~7ull) != 0 || (call.a[2] & 6) == 6) return refuse(kInvalid); // NONBLOCK, RANDOM, INSECURE
    std::byte bounce[256];
    std::uint64_t done = 0;
    while (done < wanted && !call.thread.is_killed()) {
        const std::size_t part = std::min<std::uint64_t>(wanted - done, sizeof(bounce));
        if (!dev::random_bytes(MutableBytes(bounce, part))) return refuse(kAgain);
        if (!arch::copy_to_user(call.a[0] + done, bounce, part)) return done != 0 ? Outcome(done) : refuse(kFault);
        done += part;
    }
    std::memset(bounce, 0, sizeof(bounce));
    return done;
}

Outcome call_uname(Call& call) {
    UtsName name{};
    std::strcpy(name.system, "Linux"); // what programs test for; the version says who answers
    std::strcpy(name.node, "aios");
    std::strcpy(name.release, "6.1.0");
    std::strcpy(name.version, "AIOS Linux personality");
    std::strcpy(name.machine, "x86_64");
    return store_user(call.a[0], name);
}

Outcome call_prlimit64(Call& call) {
    if (call.a[1] >= kLimitCount) return refuse(kInvalid);
    call.a[0] &= 0xffff'ffff;
    if (call.a[0] != 0 && call.a[0] != static_cast<std::uint64_t>(call.process.pid())) return refuse(kNoProcess);
    const Limit limit = limit_of(call, call.a[1]);
    if (call.a[2] != 0) {
        const auto wanted = LINUX_TRY(load_user<Limit>(call.a[2]));
        if (wanted.current > wanted.maximum) return refuse(kInvalid);
        if (wanted.maximum > limit.maximum) return refuse(kPerm);
    }
    if (call.a[3] != 0) return store_user(call.a[3], limit);
    return 0;
}

Outcome call_getrlimit(Call& call) {
    if (call.a[0] >= kLimitCount) return refuse(kInvalid);
    return store_user(call.a[1], limit_of(call, call.a[0]));
}

Outcome call_setrlimit(Call& call) {
    if (call.a[0] >= kLimitCount) return refuse(kInvalid);
    const auto wanted = LINUX_TRY(load_user<Limit>(call.a[1]));
    if (wanted.current > wanted.maximum) return refuse(kInvalid);
    return wanted.maximum > limit_of(call, call.a[0]).maximum ? refuse(kPerm) : Outcome(0);
}

// Of the whole agent; all of its time counts as user time.
Outcome call_getrusage(Call& call) {
    const auto who = static_cast<std::int32_t>(call.a[0]);
    constexpr std::int32_t kSelf = 0, kThread = 1, kChildren = -1;
    if (who != kSelf && who != kThread && who != kChildren) return refuse(kInvalid);
    Usage usage{};
    if (who != kChildren) {
        const std::uint64_t ns = who == kThread ? call.thread.cpu_ns() : call.process.agent().share_group().cpu_ns();
        usage.user = {static_cast<std::int64_t>(ns / 1'000'000'000),
                      static_cast<std::int64_t>(ns % 1'000'000'000 / 1000)};
        usage.peak_kib = static_cast<std::int64_t>(call.process.quota().peak(Resource::memory) / 1024);
    }
    return store_user(call.a[1], usage);
}

Outcome call_sysinfo(Call& call) {
    const Quota& quota = call.process.quota();
    SystemInfo info{};
    info.uptime = static_cast<std::int64_t>(sched::now_ns() / 1'000'000'000);
    info.total_ram = quota.limit(Resource::memory);
    const std::uint64_t used = quota.used(Resource::memory);
    info.free_ram = info.total_ram > used ? info.total_ram - used : 0;
    info.processes = 1;
    info.unit = 1;
    return store_user(call.a[0], info);
}

Outcome call_prctl(Call& call) {
    constexpr std::uint64_t kSetName = 15, kGetName = 16;
    LinuxThread& data = call.data();
    switch (call.a[0]) {
    case kSetName: { // at most 15 characters and NUL; fetched byte by byte because the string may end at a page's end
        char name[sizeof(data.name)]{};
        for (std::size_t i = 0; i + 1 < sizeof(name); ++i) {
            name[i] = LINUX_TRY(load_user<char>(call.a[1] + i));
            if (name[i] == '\0') break;
        }
        std::memcpy(data.name, name, sizeof(name));
        return 0;
    }
    case kGetName:
        if (!arch::copy_to_user(call.a[1], data.name, sizeof(data.name))) return refuse(kFault);
        return 0;
    default:
        return refuse(kInvalid);
    }
}

} // namespace aios::linux_abi
