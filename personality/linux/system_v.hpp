// System V message queues, semaphores and shared memory (svipc(7)): one space an agent, which its processes share and nobody
// else sees. Things stay until they are removed or the agent ends; each is charged to the agent, and there are at most
// kMost of a kind.
//
// A thing is found by its number: its place, and how often that place was used before. It is counted: who waits for it
// holds a reference, and finds `is_removed` when it is gone from the table. Lock: `mutex` (Rank::open_file), over tables and
// contents; conditions of waits take it for one step.
#pragma once

#include "kernel/mm/owned.hpp"
#include "kernel/sync/lock.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {

// --- the ABI's structures
struct IpcPermission { // struct ipc64_perm
    std::int32_t key;
    std::uint32_t user, group, creator_user, creator_group, mode;
    std::uint16_t sequence, reserved0;
    std::uint32_t reserved1;
    std::uint64_t reserved2[2];
};
static_assert(sizeof(IpcPermission) == 48);

inline constexpr std::int32_t kIpcPrivate = 0;
inline constexpr std::uint32_t kIpcCreate = 01000, kIpcExclusive = 02000, kIpcNoWait = 04000;
inline constexpr std::int32_t kIpcRemove = 0, kIpcSet = 1, kIpcStat = 2, kIpcInfo = 3;

struct MessageQueue;
struct SemaphoreSet;
struct SharedSegment;

// What all three kinds share.
struct IpcThing : Pinned {
    explicit IpcThing(Reservation reservation) : charge(std::move(reservation)) {}
    RefCount references;
    Reservation charge;
    IpcPermission permission{};
    std::int32_t id = 0;
    bool is_removed = false;
    std::int64_t changed = 0; // seconds
    // Whether the caller may do what `wanted` says (bits as of access(2), 4 read and 2 change).
    [[nodiscard]] bool admits(const Identity& who, std::uint32_t wanted) const;
    // Its owner, its creator, or who is above that.
    [[nodiscard]] bool is_owned_by(const Identity& who) const;
};

template <typename T>
class IpcTable {
public:
    static constexpr std::size_t kMost = 256, kPlaces = 1 << 15;
    // kNoEntry: the number means nothing (any more).
    [[nodiscard]] std::expected<T*, Errno> find(std::int32_t id) const {
        if (id < 0) return std::unexpected(kInvalid);
        const std::size_t place = static_cast<std::size_t>(id) % kPlaces;
        T* const thing = place < kMost ? things_[place] : nullptr;
        if (thing == nullptr) return std::unexpected(kInvalid);
        if (thing->id != id) return std::unexpected(kIdRemoved);
        return thing;
    }
    [[nodiscard]] T* at(std::size_t place) const { return place < kMost ? things_[place] : nullptr; }
    [[nodiscard]] T* of_key(std::int32_t key) const {
        for (T* const thing : things_) {
            if (thing != nullptr && thing->permission.key == key && key != kIpcPrivate) return thing;
        }
        return nullptr;
    }
    // Puts it in a free place, which gives it its number. False: there is none.
    bool add(T& thing) {
        for (std::size_t place = 0; place < kMost; ++place) {
            if (things_[place] != nullptr) continue;
            const std::uint16_t sequence = uses_[place]++ & 0x7fff;
            thing.permission.sequence = sequence;
            thing.id = static_cast<std::int32_t>(sequence * kPlaces + place);
            things_[place] = &thing;
            return true;
        }
        return false;
    }
    // Out of the table, whose reference goes to the caller.
    [[nodiscard]] Ref<T> remove(T& thing) {
        thing.is_removed = true;
        things_[static_cast<std::size_t>(thing.id) % kPlaces] = nullptr;
        return Ref<T>::adopt(&thing);
    }
    [[nodiscard]] std::uint32_t count() const {
        std::uint32_t used = 0;
        for (T* const thing : things_)
            used += thing != nullptr ? 1 : 0;
        return used;
    }
    [[nodiscard]] std::uint64_t last() const { // place of the last that is there; 0 if there is none
        std::size_t place = kMost;
        while (place != 0 && things_[place - 1] == nullptr)
            --place;
        return place == 0 ? 0 : place - 1;
    }

private:
    T* things_[kMost]{};
    std::uint16_t uses_[kMost]{};
};

class SystemVSpace {
public:
    static Result<Ref<SystemVSpace>> create(Payer& payer);
    void retain() { references_.retain(); }
    void release() {
        if (references_.release()) mm::destroy(this);
    }
    using Lock = sync::Mutex<sync::Rank::open_file>;
    Lock mutex;
    IpcTable<MessageQueue> queues AIOS_GUARDED_BY(mutex);
    IpcTable<SemaphoreSet> semaphores AIOS_GUARDED_BY(mutex);
    IpcTable<SharedSegment> segments AIOS_GUARDED_BY(mutex);
    // A process ends: what its SEM_UNDO promised is done (semaphore_calls.cpp).
    void undo_of(std::int32_t pid);

    SystemVSpace(mm::OnHeap, Reservation charge) : charge_(std::move(charge)) {}
    ~SystemVSpace();

private:
    RefCount references_;
    Reservation charge_;
};

[[nodiscard]] std::int64_t wall_seconds();
// The permission of a new thing: the caller's.
[[nodiscard]] IpcPermission permission_of(const Identity& who, std::int32_t key, std::uint32_t flags);
// IPC_SET: owner, group and mode alone.
void set_permission(IpcThing& thing, const IpcPermission& wanted);

// What the get calls share. `thing` is new, and goes into the table if the key has none; else the one that is there is asked
// for by `fits(there)`, an errno. Answers the number.
template <typename T, typename Fits>
Outcome get_ipc(Call& call, SystemVSpace& space, IpcTable<T> SystemVSpace::* kind, std::int32_t key,
                std::uint32_t flags, std::expected<Ref<T>, Errno> thing, Fits&& fits) {
    const Identity who = identity_of(call.process);
    SystemVSpace::Lock::Guard guard(space.mutex);
    IpcTable<T>& table = space.*kind;
    if (T* const there = table.of_key(key); there != nullptr) {
        if ((flags & kIpcCreate) != 0 && (flags & kIpcExclusive) != 0) return refuse(kExists);
        if (!there->admits(who, (flags >> 6 | flags >> 3 | flags) & 7)) return refuse(kAccess);
        if (const Errno error = fits(*there); error != Errno{}) return refuse(error);
        return static_cast<std::uint64_t>(there->id);
    }
    if (key != kIpcPrivate && (flags & kIpcCreate) == 0) return refuse(kNoEntry);
    if (!thing) return refuse(thing.error());
    T& made = **thing;
    made.permission = permission_of(who, key, flags);
    made.changed = wall_seconds();
    if (!table.add(made)) return refuse(kNoSpace);
    return static_cast<std::uint64_t>(thing->leak()->id); // the table's reference
}

// The thing that a control call means: by its number, or for the STAT calls of tools by its place.
enum class By : std::uint8_t { number, place };
template <typename T>
std::expected<T*, Errno> find_ipc(const IpcTable<T>& table, std::int32_t id, By by) {
    if (by == By::number) return table.find(id);
    T* const thing = id < 0 ? nullptr : table.at(static_cast<std::size_t>(id));
    if (thing == nullptr) return std::unexpected(kInvalid);
    return thing;
}

} // namespace aios::linux_abi
