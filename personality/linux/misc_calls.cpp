// What fits nowhere else: random bytes, names, limits, memory figures.
#include <algorithm>
#include <cstring>

#include "kernel/dev/entropy.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kMaxRandomBytes = 1 << 20; // a call; programs go on with the rest

// Sets and tells one limit of the process; nobody may raise what is the most.
std::expected<Limit, Errno> change_limit(LinuxProcess& process, std::uint32_t resource, const Limit* wanted) {
    if (resource >= kLimitCount) return std::unexpected(kInvalid);
    LinuxProcess::Lock::Guard guard(process.lock);
    Limit& limit = process.limits.of[resource];
    const Limit before = limit;
    if (wanted == nullptr) return before;
    if (wanted->current > wanted->maximum) return std::unexpected(kInvalid);
    if (wanted->maximum > limit.maximum) return std::unexpected(kPerm);
    limit = *wanted;
    if (resource == kLimitFiles) process.files.limit_to(limit.current);
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
    if (pid != 0 && pid != call.process.pid()) return refuse(kNoProcess);
    Limit wanted{};
    if (!limit.is_null()) wanted = LINUX_TRY(limit.read());
    const Limit before = LINUX_TRY(change_limit(call.process, resource, limit.is_null() ? nullptr : &wanted));
    return old.is_null() ? Outcome(0) : answer(old, before);
}

Outcome call_getrlimit(Call& call, std::uint32_t resource, UserOut<Limit> out) {
    return answer(out, LINUX_TRY(change_limit(call.process, resource, nullptr)));
}

Outcome call_setrlimit(Call& call, std::uint32_t resource, UserIn<Limit> limit) {
    if (resource >= kLimitCount) return refuse(kInvalid);
    const auto wanted = LINUX_TRY(limit.read());
    LINUX_TRY(change_limit(call.process, resource, &wanted));
    return 0;
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
        call.process.set_name(data, name);
        return 0;
    }
    case kGetName: {
        char name[kThreadNameBytes];
        call.process.copy_name(data, name);
        LINUX_TRY(UserOut<char>(argument).write_array(0, name, sizeof(name)));
        return 0;
    }
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
