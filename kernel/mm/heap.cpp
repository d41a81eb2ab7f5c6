// The kernel heap: one slab cache for each size class, with a magazine of free objects for each CPU; larger sizes are
// blocks of frames. What a pointer belongs to is read from its frame's table entry.
//
// A slab is a block of 1 to 4 frames: a header, then objects of one size (size_classes.hpp). Debug builds put its
// size and a check word behind each object, the slack between is a red zone, and free objects hold a pattern: overruns,
// writes after free and double frees stop the kernel. Locks: Rank::heap, one a size class; magazines are reached with
// interrupts off.
#include <array>
#include <bit>
#include <cstring>
#include <new>

#include "base/bits.hpp"
#include "kernel/mm/frames.hpp"
#include "kernel/mm/poison.hpp"
#include "kernel/mm/size_classes.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::mm {

using namespace size_classes;

namespace {

#ifdef AIOS_DEBUG
constexpr bool kDebug = true;
#else
constexpr bool kDebug = false;
#endif

constexpr std::size_t kMagazine = 16;

struct FreeObject {
    FreeObject* next;
};

struct Slab {
    ListNode node; // in the class's list of slabs that have room
    FreeObject* free = nullptr;
    std::uint16_t used = 0;
    std::uint16_t carved = 0; // objects from here on were never handed out
};

static_assert(sizeof(Slab) == kSlabHeaderBytes);

struct SizeClass {
    sync::SpinLock<sync::Rank::heap> lock;
    IntrusiveList<Slab, &Slab::node> with_room AIOS_GUARDED_BY(lock); // slabs with at least one free object
    std::uint32_t empty AIOS_GUARDED_BY(lock) = 0;                    // how many of them have no used object
};

struct Magazine {
    std::uint32_t count = 0;
    void* objects[kMagazine];
};
struct Magazines {
    Magazine of_class[kClasses];
};

[[clang::no_destroy]] constinit SizeClass classes[kClasses];
constinit arch::PerCpu<Magazines> magazines;

// --- debug builds: what surrounds an object --------------------------------------------------------------------------

struct Trailer { // the last bytes of an allocated object's slot
    std::uint32_t requested;
    std::uint32_t check;
};
constexpr std::uint8_t kRedZone = 0xb1;
constexpr std::uint8_t kFreed = 0xfd;
constexpr std::uint32_t kAllocatedMark = 0x41494f53;
static_assert(kOverhead == (kDebug ? sizeof(Trailer) : 0));

std::uint8_t* bytes_of(void* object) { return static_cast<std::uint8_t*>(object); }

// Fills and checks by eights: slots are multiples of sixteen.
void fill_freed(void* object, std::size_t slot) {
    auto* words = static_cast<std::uint64_t*>(object);
    for (std::size_t i = 1; i < slot / 8; ++i)
        words[i] = 0x0101010101010101ull * kFreed;
}

void debug_allocated(void* object, std::size_t slot, std::size_t requested) {
    auto* words = static_cast<std::uint64_t*>(object);
    for (std::size_t i = 1; i < slot / 8; ++i)
        AIOS_ASSERT(words[i] == 0x0101010101010101ull * kFreed); // else: somebody wrote to a free object
    for (std::size_t i = requested; i < slot - sizeof(Trailer); ++i)
        bytes_of(object)[i] = kRedZone;
    const Trailer trailer{static_cast<std::uint32_t>(requested), kAllocatedMark ^ static_cast<std::uint32_t>(slot)};
    std::memcpy(bytes_of(object) + slot - sizeof(Trailer), &trailer, sizeof trailer);
}

void debug_freed(void* object, std::size_t slot) {
    Trailer trailer;
    std::memcpy(&trailer, bytes_of(object) + slot - sizeof(Trailer), sizeof trailer);
    AIOS_ASSERT(trailer.check == (kAllocatedMark ^ static_cast<std::uint32_t>(slot))); // else: double free or overrun
    AIOS_ASSERT(trailer.requested <= slot - sizeof(Trailer));
    for (std::size_t i = trailer.requested; i < slot - sizeof(Trailer); ++i)
        AIOS_ASSERT(bytes_of(object)[i] == kRedZone); // else: somebody wrote past the end
    fill_freed(object, slot);
}

// --- slabs, under the class's lock -----------------------------------------------------------------------------------

Slab* slab_of(void* object, unsigned index) {
    // SAFETY: slabs are blocks of 2^order frames in the physmap, which keeps the alignment of physical addresses up to
    // 2 MiB; the header stands at the start of the block.
    const auto address = reinterpret_cast<std::uintptr_t>(object);
    return reinterpret_cast<Slab*>(align_down(address, kPageSize << order_of(index)));
}

// SAFETY: the slab's block, header first, as bytes.
std::byte* bytes_of(Slab& slab) { return reinterpret_cast<std::byte*>(&slab); }

Slab* grow_locked(SizeClass& cls, unsigned index) AIOS_REQUIRES(cls.lock) {
    cls.lock.assert_held();
    const Result<arch::PhysAddr> block = allocate_frames(order_of(index));
    if (!block) return nullptr;
    mark_slab(*block, order_of(index), index);
    auto* slab = ::new (arch::physmap(*block)) Slab;
    asan_poison(bytes_of(*slab) + sizeof(Slab), (kPageSize << order_of(index)) - sizeof(Slab));
    cls.with_room.push_front(*slab);
    ++cls.empty;
    return slab;
}

void* take_object(Slab& slab, unsigned index) {
    if (slab.free != nullptr) {
        FreeObject* object = slab.free;
        slab.free = object->next;
        return object;
    }
    std::byte* object = bytes_of(slab) + first_object(index) + std::size_t{kSizes[index]} * slab.carved++;
    asan_unpoison(object, kSizes[index]);
    if (kDebug) fill_freed(object, kSizes[index]);
    asan_poison(object + sizeof(FreeObject), kSizes[index] - sizeof(FreeObject));
    return object;
}

void refill(Magazine& magazine, unsigned index) {
    SizeClass& cls = classes[index];
    sync::SpinLock<sync::Rank::heap>::Guard guard(cls.lock);
    while (magazine.count < kMagazine / 2) {
        Slab* slab = cls.with_room.front();
        if (slab == nullptr) slab = grow_locked(cls, index);
        if (slab == nullptr) return;
        if (slab->used == 0) --cls.empty;
        while (magazine.count < kMagazine / 2 && slab->used < capacity_of(index)) {
            ++slab->used;
            magazine.objects[magazine.count++] = take_object(*slab, index);
        }
        if (slab->used == capacity_of(index)) cls.with_room.remove(*slab);
    }
}

void flush(Magazine& magazine, unsigned index) {
    SizeClass& cls = classes[index];
    sync::SpinLock<sync::Rank::heap>::Guard guard(cls.lock);
    for (std::size_t i = 0; i < kMagazine / 2; ++i) {
        void* object = magazine.objects[i];
        Slab* slab = slab_of(object, index);
        if (slab->used == capacity_of(index)) cls.with_room.push_front(*slab);
        auto* free = static_cast<FreeObject*>(object);
        free->next = slab->free;
        slab->free = free;
        if (--slab->used != 0) continue;
        if (cls.empty == 0) { // one empty slab stays for the next allocation
            ++cls.empty;
            continue;
        }
        cls.with_room.remove(*slab);
        slab->~Slab();
        const arch::PhysAddr block = arch::physmap_to_phys(slab);
        unmark_slab(block, order_of(index));
        release_frames(block, order_of(index));
    }
    for (std::size_t i = kMagazine / 2; i < magazine.count; ++i)
        magazine.objects[i - kMagazine / 2] = magazine.objects[i];
    magazine.count -= kMagazine / 2;
}

void* allocate_small(unsigned index, std::size_t requested) {
    void* object;
    {
        arch::InterruptGuard interrupts;
        Magazine& magazine = magazines.mine().of_class[index];
        if (magazine.count == 0) {
            refill(magazine, index);
            if (magazine.count == 0) return nullptr;
        }
        object = magazine.objects[--magazine.count];
    }
    asan_unpoison(object, kSizes[index]);
    if (kDebug) debug_allocated(object, kSizes[index], requested);
    return object;
}

void free_small(void* object, unsigned index) {
    if (kDebug) debug_freed(object, kSizes[index]);
    asan_poison(bytes_of(object) + sizeof(FreeObject), kSizes[index] - sizeof(FreeObject));
    arch::InterruptGuard interrupts;
    Magazine& magazine = magazines.mine().of_class[index];
    if (magazine.count == kMagazine) flush(magazine, index);
    magazine.objects[magazine.count++] = object;
}

} // namespace

void* heap_allocate(std::size_t bytes, std::size_t alignment) {
    AIOS_ASSERT(is_power_of_two(alignment) && alignment <= kPageSize);
    if (is_large(bytes, alignment)) {
        if (bytes > kPageSize << kMaxOrder) return nullptr;
        const Result<arch::PhysAddr> block = allocate_frames(order_of_large(bytes));
        return block ? arch::physmap(*block) : nullptr;
    }
    return allocate_small(class_of(bytes, alignment), bytes);
}

void heap_free(void* pointer) {
    if (pointer == nullptr) return;
    const arch::PhysAddr at = arch::physmap_to_phys(pointer);
    const FrameInfo::Fields frame = frame_info(at);
    if (frame.state == FrameState::slab) {
        free_small(pointer, frame.value);
        return;
    }
    AIOS_ASSERT(frame.state == FrameState::allocated && is_aligned(at.value, kPageSize));
    release_frames(at, frame.order);
}

} // namespace aios::mm
