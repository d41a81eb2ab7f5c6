// Calls about who a process is (credentials(7)): its user and group numbers, supplementary groups and capabilities. One
// process has one identity, not one a thread: C libraries make all threads say the same.
#include <algorithm>

#include "personality/linux/process.hpp"

namespace aios::linux_abi {

void LinuxProcess::set_identity(const Identity& wanted) {
    identity = wanted;
    real_user.store(wanted.user.real, std::memory_order_relaxed);
    saved_user.store(wanted.user.saved, std::memory_order_relaxed);
    is_held_by_modes.store(wanted.is_held_by_modes(), std::memory_order_relaxed);
}

Identity identity_of(LinuxProcess& process) {
    LinuxProcess::Lock::Guard guard(process.lock);
    return process.identity;
}

bool has_capability(LinuxProcess& process, Capability which) { return identity_of(process).has(which); }

namespace {

// SAFETY: set_groups() alone fills the bytes, with numbers; the heap aligns to 16.
std::uint32_t* numbers_in(const mm::OwnedBytes& bytes) { return reinterpret_cast<std::uint32_t*>(bytes.data()); }

using Numbers = Identity::Numbers;
enum class Ids : bool { users, groups };

Numbers& numbers_of(Identity& identity, Ids which) { return which == Ids::users ? identity.user : identity.group; }
bool may_be_any(const Identity& identity, Ids which) {
    return identity.has(which == Ids::users ? Capability::set_users : Capability::set_groups);
}

// Runs `change(identity, numbers)`, which answers an errno or has changed the numbers.
template <typename F>
Outcome change(Call& call, Ids which, F&& body) {
    LinuxProcess::Lock::Guard guard(call.process.lock);
    Identity wanted = call.process.identity;
    const Numbers before = wanted.user;
    if (const Errno error = body(wanted, numbers_of(wanted, which)); error != Errno{}) return refuse(error);
    if (which == Ids::users) wanted.follow_users(before);
    call.process.set_identity(wanted);
    return 0;
}

// setuid, setgid.
Outcome set_one(Call& call, Ids which, std::uint32_t id) {
    if (id == kUnchangedId) return refuse(kInvalid);
    return change(call, which, [&](const Identity& own, Numbers& numbers) {
        if (may_be_any(own, which)) {
            numbers = {id, id, id, id};
        } else if (id == numbers.real || id == numbers.saved) {
            numbers.effective = numbers.file = id;
        } else {
            return kPerm;
        }
        return Errno{};
    });
}

// setreuid, setregid.
Outcome set_two(Call& call, Ids which, std::uint32_t real, std::uint32_t effective) {
    return change(call, which, [&](const Identity& own, Numbers& numbers) {
        const Numbers old = numbers;
        if (!may_be_any(own, which)) {
            if (real != kUnchangedId && real != old.real && real != old.effective) return kPerm;
            if (effective != kUnchangedId && effective != old.real && effective != old.effective &&
                effective != old.saved)
                return kPerm;
        }
        if (real != kUnchangedId) numbers.real = real;
        if (effective != kUnchangedId) numbers.effective = effective;
        if (real != kUnchangedId || (effective != kUnchangedId && effective != old.real))
            numbers.saved = numbers.effective;
        numbers.file = numbers.effective;
        return Errno{};
    });
}

// setresuid, setresgid.
Outcome set_three(Call& call, Ids which, const std::uint32_t (&ids)[3]) {
    return change(call, which, [&](const Identity& own, Numbers& numbers) {
        const bool may_all = may_be_any(own, which);
        for (const std::uint32_t id : ids) {
            const bool is_own = id == numbers.real || id == numbers.effective || id == numbers.saved;
            if (id != kUnchangedId && !is_own && !may_all) return kPerm;
        }
        if (ids[0] != kUnchangedId) numbers.real = ids[0];
        if (ids[1] != kUnchangedId) numbers.effective = ids[1];
        if (ids[2] != kUnchangedId) numbers.saved = ids[2];
        numbers.file = numbers.effective;
        return Errno{};
    });
}

Outcome tell_three(const Numbers& numbers, UserOut<std::uint32_t> real, UserOut<std::uint32_t> effective,
                   UserOut<std::uint32_t> saved) {
    LINUX_TRY(real.write(numbers.real));
    LINUX_TRY(effective.write(numbers.effective));
    LINUX_TRY(saved.write(numbers.saved));
    return 0;
}

// setfsuid, setfsgid: the number before, and no word about whether it changed.
Outcome set_file(Call& call, Ids which, std::uint32_t id) {
    std::uint32_t before = 0;
    static_cast<void>(change(call, which, [&](const Identity& own, Numbers& numbers) {
        before = numbers.file;
        const bool is_own = id == numbers.real || id == numbers.effective || id == numbers.saved || id == numbers.file;
        if (id == kUnchangedId || (!is_own && !may_be_any(own, which))) return kPerm;
        numbers.file = id;
        return Errno{};
    }));
    return before;
}

} // namespace

bool is_in_group(LinuxProcess& process, std::uint32_t group) {
    LinuxProcess::Lock::Guard guard(process.lock);
    const std::uint32_t* const first = numbers_in(process.groups);
    return process.group_count != 0 && std::binary_search(first, first + process.group_count, group);
}

Outcome call_getuid(Call& call) { return identity_of(call.process).user.real; }
Outcome call_geteuid(Call& call) { return identity_of(call.process).user.effective; }
Outcome call_getgid(Call& call) { return identity_of(call.process).group.real; }
Outcome call_getegid(Call& call) { return identity_of(call.process).group.effective; }
Outcome call_setuid(Call& call, std::uint32_t id) { return set_one(call, Ids::users, id); }
Outcome call_setgid(Call& call, std::uint32_t id) { return set_one(call, Ids::groups, id); }
Outcome call_setreuid(Call& call, std::uint32_t real, std::uint32_t effective) {
    return set_two(call, Ids::users, real, effective);
}
Outcome call_setregid(Call& call, std::uint32_t real, std::uint32_t effective) {
    return set_two(call, Ids::groups, real, effective);
}
Outcome call_setresuid(Call& call, std::uint32_t real, std::uint32_t effective, std::uint32_t saved) {
    return set_three(call, Ids::users, {real, effective, saved});
}
Outcome call_setresgid(Call& call, std::uint32_t real, std::uint32_t effective, std::uint32_t saved) {
    return set_three(call, Ids::groups, {real, effective, saved});
}
Outcome call_getresuid(Call& call, UserOut<std::uint32_t> real, UserOut<std::uint32_t> effective,
                       UserOut<std::uint32_t> saved) {
    return tell_three(identity_of(call.process).user, real, effective, saved);
}
Outcome call_getresgid(Call& call, UserOut<std::uint32_t> real, UserOut<std::uint32_t> effective,
                       UserOut<std::uint32_t> saved) {
    return tell_three(identity_of(call.process).group, real, effective, saved);
}
Outcome call_setfsuid(Call& call, std::uint32_t id) { return set_file(call, Ids::users, id); }
Outcome call_setfsgid(Call& call, std::uint32_t id) { return set_file(call, Ids::groups, id); }

Outcome call_getgroups(Call& call, std::int32_t room, UserOut<std::uint32_t> out) {
    if (room < 0) return refuse(kInvalid);
    mm::OwnedBytes copy;
    std::uint32_t count;
    for (std::uint32_t guess = 0;; guess = count) { // until nobody changed them between making room and copying
        if (guess != 0) copy = LINUX_TRY(mm::OwnedBytes::make(call.process.quota(), guess * sizeof(std::uint32_t)));
        LinuxProcess::Lock::Guard guard(call.process.lock);
        count = call.process.group_count;
        if (room == 0 || count == 0) return count;
        if (count > static_cast<std::uint32_t>(room)) return refuse(kInvalid);
        if (count > guess) continue;
        std::copy_n(numbers_in(call.process.groups), count, numbers_in(copy));
        break;
    }
    LINUX_TRY(out.write_array(0, numbers_in(copy), count));
    return count;
}

Outcome call_setgroups(Call& call, std::int32_t count, UserIn<std::uint32_t> user) {
    if (!has_capability(call.process, Capability::set_groups)) return refuse(kPerm);
    if (count < 0 || static_cast<std::uint32_t>(count) > kMostGroups) return refuse(kInvalid);
    const auto wanted = static_cast<std::uint32_t>(count);
    mm::OwnedBytes groups;
    if (wanted != 0) {
        groups = LINUX_TRY(mm::OwnedBytes::make(call.process.quota(), wanted * sizeof(std::uint32_t)));
        std::uint32_t* const first = numbers_in(groups);
        LINUX_TRY(user.read_array(0, first, wanted));
        // With an order of its own: that of the library is compiled elsewhere.
        std::sort(first, first + wanted, [](std::uint32_t a, std::uint32_t b) { return a < b; });
    }
    LinuxProcess::Lock::Guard guard(call.process.lock);
    std::swap(call.process.groups, groups);
    call.process.group_count = wanted;
    return 0;
}

namespace {

struct Version { // of capget and capset; how many words of 32 bits each set has
    std::uint32_t number;
    std::uint32_t words;
};
constexpr Version kVersions[] = {{0x19980330, 1}, {0x20071026, 2}, {0x20080522, 2}};
constexpr std::uint32_t kNewest = 0x20080522;

// The version that is asked for. kInvalid: none that there is; the newest is told then.
std::expected<Version, Errno> version_of(UserInOut<CapabilityHeader> user, CapabilityHeader& header) {
    header = LINUX_TRY(user.read());
    for (const Version& version : kVersions) {
        if (version.number == header.version) return version;
    }
    header.version = kNewest;
    LINUX_TRY(user.out().write(header));
    return std::unexpected(kInvalid);
}

std::uint32_t word_of(std::uint64_t set, std::uint32_t index) { return static_cast<std::uint32_t>(set >> 32 * index); }

} // namespace

Outcome call_capget(Call& call, UserInOut<CapabilityHeader> user, UserOut<CapabilitySets> out) {
    CapabilityHeader header{};
    const auto version = version_of(user, header);
    if (!version) return out.is_null() && version.error() == kInvalid ? Outcome(0) : refuse(version.error());
    if (header.pid < 0) return refuse(kInvalid);
    Identity who = identity_of(call.process);
    if (header.pid != 0 && header.pid != call.process.pid() && header.pid != call.data().tid) {
        ProcessTable::Lock::Guard guard(call.process.family().lock);
        const ProcessEntry* const entry = call.process.family().find_locked(header.pid);
        if (entry == nullptr || entry->process == nullptr) return refuse(kNoProcess);
        who = {}; // of others it is known whether modes hold them: those that are held have none
        if (entry->process->is_held_by_modes.load(std::memory_order_relaxed)) who.effective = who.permitted = 0;
    }
    for (std::uint32_t i = 0; i < version->words; ++i)
        LINUX_TRY(out.write_array(i,
                                  std::array{CapabilitySets{word_of(who.effective, i), word_of(who.permitted, i),
                                                            word_of(who.inheritable, i)}}
                                      .data(),
                                  1));
    return 0;
}

Outcome call_capset(Call& call, UserInOut<CapabilityHeader> user, UserIn<CapabilitySets> sets) {
    CapabilityHeader header{};
    const Version version = LINUX_TRY(version_of(user, header));
    if (header.pid != 0 && header.pid != call.process.pid() && header.pid != call.data().tid) return refuse(kPerm);
    std::uint64_t effective = 0, permitted = 0, inheritable = 0;
    for (std::uint32_t i = 0; i < version.words; ++i) {
        const CapabilitySets given = LINUX_TRY(sets.read(i));
        effective |= std::uint64_t{given.effective} << 32 * i;
        permitted |= std::uint64_t{given.permitted} << 32 * i;
        inheritable |= std::uint64_t{given.inheritable} << 32 * i;
    }
    effective &= Identity::kAll;
    permitted &= Identity::kAll;
    inheritable &= Identity::kAll;
    LinuxProcess::Lock::Guard guard(call.process.lock);
    Identity wanted = call.process.identity;
    const bool may_all = wanted.has(Capability::set_capabilities);
    if (!may_all && (inheritable & ~(wanted.inheritable | wanted.permitted)) != 0) return refuse(kPerm);
    if ((inheritable & ~(wanted.inheritable | wanted.bounding)) != 0) return refuse(kPerm);
    if ((permitted & ~wanted.permitted) != 0 || (effective & ~permitted) != 0) return refuse(kPerm);
    wanted.effective = effective;
    wanted.permitted = permitted;
    wanted.inheritable = inheritable;
    call.process.set_identity(wanted);
    return 0;
}

} // namespace aios::linux_abi
