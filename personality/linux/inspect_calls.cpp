// Calls that look into another process of the agent, or compare two: process_vm_readv and process_vm_writev, kcmp. And
// membarrier, which looks at nobody, but makes all threads of the process see what was written.
#include <algorithm>
#include <cstring>

#include "personality/linux/process_view.hpp"
#include "personality/linux/signals.hpp"
#include "personality/linux/vectors.hpp"

namespace aios::linux_abi {
namespace {

// The process that a pid or tid names, if the caller may look into it. kNoProcess, kPerm.
std::expected<ProcessView, Errno> look_into(Call& call, std::int32_t number) {
    ProcessTable& family = call.process.family();
    ProcessView view = LINUX_TRY(view_living(family, process_number(family, number), 0));
    if (!may_look_into(call, *view.linux_process)) return std::unexpected(kPerm);
    return view;
}

enum class Direction : bool { from_there, to_there };

struct Copy {
    Direction direction;
    const Vectors& here;
    mm::AddressSpace& there;
    std::byte* bounce;
};

// One run of bytes inside a page of the other process.
bool copy_run(const Copy& copy, std::uint64_t offset, std::uint64_t address, std::size_t bytes) {
    if (copy.direction == Direction::from_there)
        return copy.there.read(address, copy.bounce, bytes) && copy.here.store(offset, Bytes(copy.bounce, bytes));
    return copy.here.fetch(offset, MutableBytes(copy.bounce, bytes)) && copy.there.write(address, copy.bounce, bytes);
}

// What could be moved; kFault if that is nothing.
Outcome copy_all(Call& call, const Copy& copy, const Vectors& remote) {
    std::uint64_t done = 0;
    for (const IoVector& range : remote.ranges()) {
        for (std::uint64_t at = 0; at < range.bytes && done < copy.here.bytes();) {
            const std::uint64_t address = range.base + at;
            const std::uint64_t bytes = std::min({range.bytes - at, copy.here.bytes() - done,
                                                  std::uint64_t{arch::kPageSize} - address % arch::kPageSize});
            if (call.thread.is_killed() || !copy_run(copy, done, address, bytes))
                return done != 0 ? Outcome(done) : refuse(kFault);
            at += bytes;
            done += bytes;
        }
    }
    return done;
}

Outcome copy_across(Call& call, std::int32_t pid, UserIn<IoVector> here, std::uint64_t here_count,
                    UserIn<IoVector> there, std::uint64_t there_count, Direction direction) {
    const Vectors local = LINUX_TRY(Vectors::fetch(call.process.quota(), here, here_count));
    const Vectors remote = LINUX_TRY(Vectors::fetch(call.process.quota(), there, there_count));
    if (local.bytes() == 0 || remote.bytes() == 0) return 0;
    const ProcessView view = LINUX_TRY(look_into(call, pid));
    Bounce bounce = LINUX_TRY(Bounce::make(call.process));
    return copy_all(call, {direction, local, view.linux_process->memory(), bounce.data()}, remote);
}

// Addresses in an order that tells nothing of them: mixed with what is random and the agent's own.
std::uint64_t order_of(ProcessTable& family, const void* object) {
    std::uint64_t random[2];
    std::memcpy(random, family.boot_id().data(), sizeof(random));
    // SAFETY: mixed and compared, never used.
    return (reinterpret_cast<std::uintptr_t>(object) ^ random[0]) * (random[1] | 1);
}

// 0: the same; 1, 2: the first is less or greater.
Outcome compare(Call& call, const void* first, const void* second) {
    if (first == second) return 0;
    ProcessTable& family = call.process.family();
    return order_of(family, first) < order_of(family, second) ? 1 : 2;
}

std::expected<Ref<OpenFile>, Errno> file_at(LinuxProcess& process, std::uint64_t fd) {
    LinuxProcess::Lock::Guard guard(process.lock);
    return process.files.get(Descriptor(fd));
}

} // namespace

Outcome call_process_vm_readv(Call& call, std::int32_t pid, UserIn<IoVector> here, std::uint64_t here_count,
                              UserIn<IoVector> there, std::uint64_t there_count, WideFlags<0> flags) {
    static_cast<void>(flags);
    return copy_across(call, pid, here, here_count, there, there_count, Direction::from_there);
}

Outcome call_process_vm_writev(Call& call, std::int32_t pid, UserIn<IoVector> here, std::uint64_t here_count,
                               UserIn<IoVector> there, std::uint64_t there_count, WideFlags<0> flags) {
    static_cast<void>(flags);
    return copy_across(call, pid, here, here_count, there, there_count, Direction::to_there);
}

Outcome call_kcmp(Call& call, std::int32_t first, std::int32_t second, std::int32_t kind, std::uint64_t first_index,
                  std::uint64_t second_index) {
    enum class Kind : std::int32_t { file, memory, files, directory, actions, io, semaphores, watched };
    const ProcessView a = LINUX_TRY(look_into(call, first));
    const ProcessView b = LINUX_TRY(look_into(call, second));
    switch (static_cast<Kind>(kind)) {
    case Kind::file: {
        const auto file = LINUX_TRY(file_at(*a.linux_process, first_index));
        const auto other = LINUX_TRY(file_at(*b.linux_process, second_index));
        return compare(call, file.get(), other.get());
    }
    case Kind::memory:
        return compare(call, &a.linux_process->memory(), &b.linux_process->memory());
    case Kind::files: // each process has its own, and its threads share it
    case Kind::directory:
    case Kind::actions:
        return compare(call, a.linux_process.get(), b.linux_process.get());
    case Kind::io: // nobody has any
        return 0;
    case Kind::semaphores: { // made with the first SEM_UNDO
        const bool has_any = a.linux_process->has_semaphore_undo || b.linux_process->has_semaphore_undo;
        return has_any ? compare(call, a.linux_process.get(), b.linux_process.get()) : Outcome(0);
    }
    case Kind::watched:
        return refuse(kNotSupported);
    }
    return refuse(kInvalid);
}

// Every thread that runs in the caller's memory at this moment passes a full barrier, by an interrupt of its CPU, whose return
// is a serialising instruction too. CPUs that run others are let alone; so there are no commands that mean all processes.
Outcome call_membarrier(Call& call, std::int32_t command, Flags<0> flags, std::int32_t) {
    constexpr std::uint32_t kQuery = 0, kPrivate = 8, kRegisterPrivate = 16, kPrivateCore = 32, kRegisterCore = 64;
    constexpr std::uint32_t kAll = kPrivate | kRegisterPrivate | kPrivateCore | kRegisterCore;
    static_cast<void>(flags);
    std::atomic<std::uint32_t>& registered = call.process.description.barriers;
    const auto wanted = static_cast<std::uint32_t>(command);
    switch (wanted) {
    case kQuery:
        return kAll;
    case kRegisterPrivate:
    case kRegisterCore:
        registered.fetch_or(wanted);
        return 0;
    case kPrivate:
    case kPrivateCore: // each is registered for by the command behind it
        if ((registered.load() & wanted << 1) == 0) return refuse(kPerm);
        break;
    default:
        return refuse(kInvalid);
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
    call.process.memory().notice(); // interrupts the CPUs that run it, and waits for their answers
    return 0;
}

} // namespace aios::linux_abi
