#include "personality/linux/robust_list.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kPriorityMark = 1; // in the lowest bit of a pointer: the futex inherits priority

std::uint64_t place_of(std::uint64_t entry) { return entry & ~kPriorityMark; }

enum class Pending : bool { no, yes };

// The word says who holds the lock. (1) It names the thread: the owner becomes nobody who has died, and the mark of waiters
// stays. (2) It names nobody, and the thread was about to take or to leave it: whoever it would have woken is woken.
void release_lock(LinuxProcess& process, const LinuxThread& data, std::uint64_t address, Pending pending) {
    if (address % sizeof(std::uint32_t) != 0 || address >= arch::kUserHigh) return;
    const auto loaded = arch::user_load_u32(address);
    if (!loaded) return;
    std::uint32_t word = *loaded;
    if (pending == Pending::yes && word == 0) { // (2)
        (void)futex_wake(process, address, FutexScope::shared, 1, ~0u);
        return;
    }
    while ((word & kFutexOwner) == static_cast<std::uint32_t>(data.tid)) { // (1)
        const std::uint32_t wanted = (word & kFutexWaiters) | kFutexOwnerDied;
        const std::uint32_t before = word;
        const auto changed = arch::user_compare_exchange_u32(address, word, wanted);
        if (!changed) return;
        if (!*changed) continue; // `word` is what is there by now
        if ((before & kFutexWaiters) != 0) (void)futex_wake(process, address, FutexScope::shared, 1, ~0u);
        return;
    }
}

} // namespace

void release_robust_list(LinuxProcess& process, const LinuxThread& data) {
    const std::uint64_t head = data.robust_list;
    if (head == 0) return;
    std::uint64_t fields[3]; // the first entry, the offset of the word from its entry, the entry that is pending
    if (!UserIn<std::uint64_t>(head).read_array(0, fields, 3)) return;
    const std::uint64_t pending = place_of(fields[2]);
    std::uint64_t entry = fields[0];
    for (unsigned i = 0; i < kMostRobust && place_of(entry) != head; ++i) {
        // The next one first: the lock may be another's as soon as its word says so.
        const auto next = UserIn<std::uint64_t>(place_of(entry)).read();
        if (place_of(entry) != pending) release_lock(process, data, place_of(entry) + fields[1], Pending::no);
        if (!next) break;
        entry = *next;
    }
    if (pending != 0) release_lock(process, data, pending + fields[1], Pending::yes);
}

Outcome call_set_robust_list(Call& call, std::uint64_t head, std::uint64_t bytes) {
    if (bytes != kRobustHeadBytes) return refuse(kInvalid);
    call.data().robust_list = head;
    return 0;
}

Outcome call_get_robust_list(Call& call, std::int32_t tid, UserOut<std::uint64_t> head, UserOut<std::uint64_t> bytes) {
    std::uint64_t found = 0;
    if (tid == 0) {
        found = call.data().robust_list;
    } else {
        const Identity who = identity_of(call.process);
        ProcessTable::Lock::Guard guard(call.process.family().lock);
        const LinuxThread* const thread = call.process.family().find_thread_locked(tid);
        if (thread == nullptr) return refuse(kNoProcess);
        const auto user = thread->process->real_user.load(std::memory_order_relaxed);
        if (user != who.user.file && !who.has(Capability::trace)) return refuse(kPerm);
        found = thread->robust_list;
    }
    LINUX_TRY(bytes.write(kRobustHeadBytes));
    LINUX_TRY(head.write(found));
    return 0;
}

} // namespace aios::linux_abi
