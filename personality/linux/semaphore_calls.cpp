// semget, semop, semtimedop, semctl. The operations of one call are done together or not at all; who waits looks again after
// every change of the set.
#include <algorithm>

#include "kernel/time/clock.hpp"
#include "personality/linux/semaphore_set.hpp"

namespace aios::linux_abi {
namespace {

using Guard = SystemVSpace::Lock::Guard;
constexpr std::int16_t kNoWait = 04000, kUndo = 0x1000; // IPC_NOWAIT, SEM_UNDO
constexpr std::int32_t kGetPid = 11, kGetValue = 12, kGetAll = 13, kGetWaiting = 14, kGetWaitingZero = 15,
                       kSetValue = 16, kSetAll = 17, kStatAt = 18, kInfo = 19, kStatAny = 20;

SystemVSpace& space_of(Call& call) { return *call.process.family().system_v; }

std::expected<Ref<SemaphoreSet>, Errno> make_set(Call& call, std::int32_t count) {
    if (count <= 0 || static_cast<std::uint32_t>(count) > SemaphoreSet::kMost) return std::unexpected(kInvalid);
    Payer& payer = call.process.quota();
    const auto number = static_cast<std::uint32_t>(count);
    auto charge = LINUX_TRY(Reservation::make(payer, Resource::memory, mm::cost_of<SemaphoreSet>));
    auto text = LINUX_TRY(mm::OwnedBytes::make(payer, number * sizeof(Semaphore)));
    return Ref<SemaphoreSet>::adopt(LINUX_TRY(mm::make<SemaphoreSet>(std::move(charge), std::move(text), number)));
}

std::expected<mm::Owned<SemaphoreUndo>, Errno> make_undo(Call& call, const SemaphoreSet& set) {
    Payer& payer = call.process.quota();
    auto charge = LINUX_TRY(Reservation::make(payer, Resource::memory, mm::cost_of<SemaphoreUndo>));
    auto text = LINUX_TRY(mm::OwnedBytes::make(payer, set.count * sizeof(std::int32_t)));
    auto undo = LINUX_TRY(mm::own<SemaphoreUndo>(std::move(text)));
    undo->charge = std::move(charge);
    undo->pid = call.process.pid();
    std::fill_n(undo->changes(), set.count, 0);
    return undo;
}

struct Operations {
    SemaphoreOperation of[SemaphoreSet::kMostOperations];
    std::size_t count = 0;
};

// kAgain: operation `blocked` has to wait. Everything else is final.
Errno operate(SemaphoreSet& set, const Operations& wanted, std::int32_t pid, SemaphoreUndo* undo,
              std::size_t& blocked) {
    Semaphore* const semaphores = set.of();
    Errno error{};
    std::size_t done = 0;
    for (; done < wanted.count; ++done) {
        const SemaphoreOperation& one = wanted.of[done];
        Semaphore& semaphore = semaphores[one.number];
        const std::int32_t result = semaphore.value + one.change;
        if (one.change == 0 ? semaphore.value != 0 : result < 0) {
            error = kAgain;
            blocked = done;
            break;
        }
        const bool undoes = undo != nullptr && (one.flags & kUndo) != 0;
        const std::int32_t undone = undoes ? undo->changes()[one.number] - one.change : 0; // at most SEMAEM either way
        if (result > SemaphoreSet::kMostValue || undone > SemaphoreSet::kMostValue ||
            undone < -SemaphoreSet::kMostValue) {
            error = kRange;
            break;
        }
        semaphore.value = result;
    }
    if (error != Errno{}) { // back again
        while (done-- != 0)
            semaphores[wanted.of[done].number].value -= wanted.of[done].change;
        return error;
    }
    for (std::size_t i = 0; i < wanted.count; ++i) {
        const SemaphoreOperation& one = wanted.of[i];
        semaphores[one.number].last = pid;
        if (undo != nullptr && (one.flags & kUndo) != 0) undo->changes()[one.number] -= one.change;
    }
    set.operated = wall_seconds();
    return Errno{};
}

Outcome operate_or_wait(Call& call, std::int32_t id, UserIn<SemaphoreOperation> user, std::uint32_t count,
                        sched::Deadline deadline) {
    if (count == 0 || id < 0) return refuse(kInvalid);
    if (count > SemaphoreSet::kMostOperations) return refuse(kTooBig);
    Operations wanted;
    wanted.count = count;
    LINUX_TRY(user.read_array(0, wanted.of, count));
    const auto all = std::span(wanted.of).first(count);
    const bool changes = std::ranges::any_of(all, [](const auto& one) { return one.change != 0; });
    const bool undoes = std::ranges::any_of(all, [](const auto& one) { return (one.flags & kUndo) != 0; });
    const Identity who = identity_of(call.process);
    SystemVSpace& space = space_of(call);
    Ref<SemaphoreSet> set;
    {
        Guard guard(space.mutex);
        SemaphoreSet* const found = LINUX_TRY(space.semaphores.find(id));
        for (const SemaphoreOperation& one : all)
            if (one.number >= found->count) return refuse(kFileTooBig);
        if (!found->admits(who, changes ? kMayWrite : kMayRead)) return refuse(kAccess);
        set = Ref<SemaphoreSet>::share(*found);
    }
    mm::Owned<SemaphoreUndo> fresh;
    if (undoes) {
        fresh = LINUX_TRY(make_undo(call, *set));
        call.process.has_semaphore_undo = true;
    }
    SemaphoreWaiter waiter;
    Errno error{};
    const auto is_over = [&] {
        Guard guard(space.mutex);
        if (waiter.node.is_linked()) set->waiters.remove(waiter);
        error = set->is_removed ? kIdRemoved : Errno{};
        if (set->is_removed) return true;
        SemaphoreUndo* undo = undoes ? set->undo_of(call.process.pid()) : nullptr;
        if (undoes && undo == nullptr) {
            undo = fresh.release();
            set->undos.push_back(*undo);
        }
        std::size_t blocked = 0;
        error = operate(*set, wanted, call.process.pid(), undo, blocked);
        if (error != kAgain || (wanted.of[blocked].flags & kNoWait) != 0) return true;
        waiter.number = wanted.of[blocked].number;
        waiter.for_zero = wanted.of[blocked].change == 0;
        set->waiters.push_back(waiter);
        return false;
    };
    const sched::Outcome outcome = set->queue.wait(deadline, is_over);
    {
        Guard guard(space.mutex);
        if (waiter.node.is_linked()) set->waiters.remove(waiter);
    }
    if (outcome == sched::Outcome::timed_out) return refuse(kAgain);
    if (outcome == sched::Outcome::interrupted) return interrupted_call(call, AfterHandler::ends);
    if (error != Errno{}) return refuse(error);
    if (changes) set->queue.wake_all();
    return 0;
}

} // namespace

SemaphoreSet::~SemaphoreSet() {
    while (!undos.is_empty()) {
        SemaphoreUndo& undo = *undos.begin();
        undos.remove(undo);
        mm::destroy(&undo);
    }
}

// One set under one hold, so that others come between.
void SystemVSpace::undo_of(std::int32_t pid) {
    for (std::size_t place = 0; place < IpcTable<SemaphoreSet>::kMost; ++place) {
        Ref<SemaphoreSet> set;
        mm::Owned<SemaphoreUndo> gone;
        {
            Lock::Guard guard(mutex);
            SemaphoreSet* const there = semaphores.at(place);
            SemaphoreUndo* const undo = there == nullptr ? nullptr : there->undo_of(pid);
            if (undo == nullptr) continue;
            for (std::uint32_t i = 0; i < there->count; ++i) {
                Semaphore& semaphore = there->of()[i];
                if (undo->changes()[i] == 0) continue;
                semaphore.value = std::clamp(semaphore.value + undo->changes()[i], 0, SemaphoreSet::kMostValue);
                semaphore.last = pid;
            }
            there->undos.remove(*undo);
            gone = mm::Owned<SemaphoreUndo>(undo);
            set = Ref<SemaphoreSet>::share(*there);
        }
        set->queue.wake_all();
    }
}

Outcome call_semget(Call& call, std::int32_t key, std::int32_t count, std::uint32_t flags) {
    if (count < 0 || static_cast<std::uint32_t>(count) > SemaphoreSet::kMost) return refuse(kInvalid);
    return get_ipc(
        call, space_of(call), &SystemVSpace::semaphores, key, flags, make_set(call, count),
        [&](const SemaphoreSet& set) { return static_cast<std::uint32_t>(count) > set.count ? kInvalid : Errno{}; });
}

Outcome call_semop(Call& call, std::int32_t id, UserIn<SemaphoreOperation> user, std::uint32_t count) {
    return operate_or_wait(call, id, user, count, sched::kNever);
}

Outcome call_semtimedop(Call& call, std::int32_t id, UserIn<SemaphoreOperation> user, std::uint32_t count,
                        UserIn<TimeSpec> time) {
    sched::Deadline deadline = sched::kNever;
    if (!time.is_null()) {
        const TimeSpec given = LINUX_TRY(time.read());
        deadline = time::deadline_after(LINUX_TRY(nanoseconds_of(given)));
    }
    return operate_or_wait(call, id, user, count, deadline);
}

namespace {

Outcome tell_limits(Call& call, std::int32_t command, std::uint64_t to) {
    struct Limits { // struct seminfo
        std::int32_t map, sets, all, undos, of_set, of_call, undos_of_process, size, most, adjust;
    };
    constexpr std::int32_t kAll = SemaphoreSet::kMost * IpcTable<SemaphoreSet>::kMost;
    Limits told{kAll,
                IpcTable<SemaphoreSet>::kMost,
                kAll,
                kAll,
                SemaphoreSet::kMost,
                SemaphoreSet::kMostOperations,
                SemaphoreSet::kMostOperations,
                20,
                SemaphoreSet::kMostValue,
                SemaphoreSet::kMostValue};
    std::uint64_t last = 0;
    SystemVSpace& space = space_of(call);
    {
        Guard guard(space.mutex);
        last = space.semaphores.last();
        if (command == kInfo) {
            told.size = told.adjust = 0;
            for (std::size_t place = 0; place <= last; ++place) {
                const SemaphoreSet* const set = space.semaphores.at(place);
                if (set == nullptr) continue;
                ++told.size;
                told.adjust += static_cast<std::int32_t>(set->count);
            }
        }
    }
    LINUX_TRY(UserOut<Limits>(to).write(told));
    return last;
}

Outcome tell_state(Call& call, std::int32_t id, std::int32_t command, std::uint64_t to) {
    const Identity who = identity_of(call.process);
    SystemVSpace& space = space_of(call);
    SemaphoreState told{};
    std::uint64_t number = 0;
    {
        Guard guard(space.mutex);
        SemaphoreSet* const set =
            LINUX_TRY(find_ipc(space.semaphores, id, command == kIpcStat ? By::number : By::place));
        if (command != kStatAny && !set->admits(who, kMayRead)) return refuse(kAccess);
        told.permission = set->permission;
        told.operated = set->operated;
        told.changed = set->changed;
        told.count = set->count;
        if (command != kIpcStat) number = static_cast<std::uint64_t>(set->id);
    }
    LINUX_TRY(UserOut<SemaphoreState>(to).write(told));
    return number;
}

// GETALL and SETALL: as many values as there are, fetched before the lock and told after it.
Outcome all_values(Call& call, std::int32_t id, std::int32_t command, std::uint64_t argument) {
    const Identity who = identity_of(call.process);
    SystemVSpace& space = space_of(call);
    std::uint16_t values[SemaphoreSet::kMost];
    Ref<SemaphoreSet> set;
    const bool sets = command == kSetAll;
    {
        Guard guard(space.mutex);
        SemaphoreSet* const found = LINUX_TRY(space.semaphores.find(id));
        if (!found->admits(who, sets ? kMayWrite : kMayRead)) return refuse(kAccess);
        set = Ref<SemaphoreSet>::share(*found);
        for (std::uint32_t i = 0; i < set->count; ++i)
            values[i] = static_cast<std::uint16_t>(set->of()[i].value);
    }
    if (!sets) {
        LINUX_TRY(UserOut<std::uint16_t>(argument).write_array(0, values, set->count));
        return 0;
    }
    LINUX_TRY(UserIn<std::uint16_t>(argument).read_array(0, values, set->count));
    for (const std::uint16_t value : std::span(values).first(set->count))
        if (value > SemaphoreSet::kMostValue) return refuse(kRange);
    {
        Guard guard(space.mutex);
        if (set->is_removed) return refuse(kIdRemoved);
        for (std::uint32_t i = 0; i < set->count; ++i)
            set->of()[i] = {values[i], call.process.pid()};
        for (SemaphoreUndo& undo : set->undos)
            std::fill_n(undo.changes(), set->count, 0);
        set->changed = wall_seconds();
    }
    set->queue.wake_all();
    return 0;
}

Outcome one_value(Call& call, std::int32_t id, std::int32_t number, std::int32_t command, std::uint64_t argument) {
    const Identity who = identity_of(call.process);
    SystemVSpace& space = space_of(call);
    Ref<SemaphoreSet> set;
    {
        Guard guard(space.mutex);
        SemaphoreSet* const found = LINUX_TRY(space.semaphores.find(id));
        const bool sets = command == kSetValue;
        if (!found->admits(who, sets ? kMayWrite : kMayRead)) return refuse(kAccess);
        if (number < 0 || static_cast<std::uint32_t>(number) >= found->count) return refuse(kInvalid);
        Semaphore& semaphore = found->of()[number];
        const auto waiting = [&](bool for_zero) {
            std::uint64_t count = 0;
            for (const SemaphoreWaiter& waiter : found->waiters)
                count += waiter.number == number && waiter.for_zero == for_zero ? 1 : 0;
            return count;
        };
        if (command == kGetValue) return static_cast<std::uint64_t>(semaphore.value);
        if (command == kGetPid) return static_cast<std::uint64_t>(semaphore.last);
        if (!sets) return waiting(command == kGetWaitingZero);
        const auto value = static_cast<std::int32_t>(argument);
        if (value < 0 || value > SemaphoreSet::kMostValue) return refuse(kRange);
        semaphore = {value, call.process.pid()};
        for (SemaphoreUndo& undo : found->undos)
            undo.changes()[number] = 0;
        found->changed = wall_seconds();
        set = Ref<SemaphoreSet>::share(*found);
    }
    set->queue.wake_all();
    return 0;
}

Outcome remove_or_set(Call& call, std::int32_t id, std::int32_t command, std::uint64_t argument) {
    SystemVSpace& space = space_of(call);
    SemaphoreState wanted{};
    if (command == kIpcSet) wanted = LINUX_TRY(UserIn<SemaphoreState>(argument).read());
    const Identity who = identity_of(call.process);
    Ref<SemaphoreSet> set;
    {
        Guard guard(space.mutex);
        SemaphoreSet* const found = LINUX_TRY(space.semaphores.find(id));
        if (!found->is_owned_by(who)) return refuse(kPerm);
        if (command == kIpcRemove) {
            set = space.semaphores.remove(*found);
        } else {
            set_permission(*found, wanted.permission);
        }
    }
    if (set) set->queue.wake_all();
    return 0;
}

} // namespace

Outcome call_semctl(Call& call, std::int32_t id, std::int32_t number, std::int32_t command, std::uint64_t argument) {
    if (id < 0) return refuse(kInvalid);
    switch (command) {
    case kIpcInfo:
    case kInfo:
        return tell_limits(call, command, argument);
    case kIpcStat:
    case kStatAt:
    case kStatAny:
        return tell_state(call, id, command, argument);
    case kGetAll:
    case kSetAll:
        return all_values(call, id, command, argument);
    case kGetPid:
    case kGetValue:
    case kGetWaiting:
    case kGetWaitingZero:
    case kSetValue:
        return one_value(call, id, number, command, argument);
    case kIpcSet:
    case kIpcRemove:
        return remove_or_set(call, id, command, argument);
    default:
        return refuse(kInvalid);
    }
}

} // namespace aios::linux_abi
