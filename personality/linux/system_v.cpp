#include "personality/linux/system_v.hpp"

#include "kernel/time/clock.hpp"
#include "personality/linux/message_queue.hpp"
#include "personality/linux/semaphore_set.hpp"
#include "personality/linux/shared_segment.hpp"

namespace aios::linux_abi {

std::int64_t wall_seconds() { return static_cast<std::int64_t>(time::wall_ns() / 1'000'000'000); }

IpcPermission permission_of(const Identity& who, std::int32_t key, std::uint32_t flags) {
    IpcPermission made{};
    made.key = key;
    made.user = made.creator_user = who.user.effective;
    made.group = made.creator_group = who.group.effective;
    made.mode = flags & 0777;
    return made;
}

void set_permission(IpcThing& thing, const IpcPermission& wanted) {
    thing.permission.user = wanted.user;
    thing.permission.group = wanted.group;
    thing.permission.mode = (thing.permission.mode & ~0777u) | (wanted.mode & 0777);
    thing.changed = wall_seconds();
}

// Supplementary groups do not count: they stand under a lock that comes before the space's.
bool IpcThing::admits(const Identity& who, std::uint32_t wanted) const {
    std::uint32_t shift = 0;
    if (who.user.effective == permission.user || who.user.effective == permission.creator_user) {
        shift = 6;
    } else if (who.group.effective == permission.group || who.group.effective == permission.creator_group) {
        shift = 3;
    }
    return (wanted & 7 & ~(permission.mode >> shift)) == 0 || who.has(Capability::own_ipc);
}

bool IpcThing::is_owned_by(const Identity& who) const {
    return who.user.effective == permission.user || who.user.effective == permission.creator_user ||
           who.has(Capability::administer);
}

Result<Ref<SystemVSpace>> SystemVSpace::create(Payer& payer) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<SystemVSpace>));
    return Ref<SystemVSpace>::adopt(TRY(mm::make<SystemVSpace>(std::move(charge))));
}

// Nobody waits any more: the agent's last process is gone.
SystemVSpace::~SystemVSpace() {
    for (std::size_t place = 0; place < IpcTable<MessageQueue>::kMost; ++place) {
        Lock::Guard guard(mutex);
        if (MessageQueue* const queue = queues.at(place)) (void)queues.remove(*queue);
        if (SemaphoreSet* const set = semaphores.at(place)) (void)semaphores.remove(*set);
        if (SharedSegment* const segment = segments.at(place)) (void)segments.remove(*segment);
    }
}

} // namespace aios::linux_abi
