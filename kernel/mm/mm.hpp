// Memory management, what the other folders use of it. Frames (buddy allocator with per-CPU caches), the kernel heap
// (slabs with per-CPU magazines), kernel stacks, Pages (the contents of a memory object) and AddressSpace (mappings of
// Pages).
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "boot/handoff.hpp"
#include "kernel/arch/arch.hpp"
#include "kernel/mm/payer.hpp"

namespace aios::mm {

inline constexpr std::size_t kPageSize = arch::kPageSize;

// --- frames ----------------------------------------------------------------------------------------------------------
// Once, before anything allocates; the physmap must be up. Takes the `usable` ranges; RAM below 1 MiB is left to arch
// (start of the other CPUs). Frames that arch uses itself before this must not lie in a `usable` range.
void init_frames(const boot::HandOff& handoff);
// Adds the `boot` ranges once nothing in them is needed any more (`handoff` is a copy outside them).
void add_boot_frames(const boot::HandOff& handoff);
// 2^order contiguous frames, contents undefined; count 1. Charging is the caller's business.
Result<arch::PhysAddr> allocate_frames(unsigned order);
void split_frames(arch::PhysAddr frame, unsigned order); // one block becomes 2^order single frames, each with count 1
void retain_frame(arch::PhysAddr frame);                 // single frames only (order 0), for copy-on-write sharing
[[nodiscard]] bool
is_managed_frame(arch::PhysAddr frame); // RAM that came from allocate_frames; false for bundle and devices
void release_frames(arch::PhysAddr frame, unsigned order); // order 0: drops one reference
[[nodiscard]] std::uint32_t frame_references(arch::PhysAddr frame);
void zero_frame(arch::PhysAddr frame);
void copy_frame(arch::PhysAddr to, arch::PhysAddr from);
struct FrameCounts {
    std::uint64_t total, free;
};
[[nodiscard]] FrameCounts frame_counts();

// --- kernel heap -----------------------------------------------------------------------------------------------------
// nullptr when out of memory. Any context but NMI. Alignment up to 4096.
[[nodiscard]] void* heap_allocate(std::size_t bytes, std::size_t alignment = 16);
void heap_free(void* pointer);
// Kernel stacks with an unmapped guard page below. Returns the top. Needs init_kernel_space(). Not under a spinlock.
Result<std::uint64_t> allocate_stack();
void free_stack(std::uint64_t top);
// Device registers in kernel address space, uncached, for good. `base` need not be aligned; the answer keeps its page
// offset.
Result<std::uint64_t> map_registers(arch::PhysAddr base, std::uint64_t bytes);
void init_kernel_space(); // after init_frames: takes arch::kernel_range() and gives arch its table frames

// Answered by kernel/dev/entropy.cpp (docs/design/upcalls.md).
namespace upcall {
// A random word, for address-space layout; 0 until the pool is seeded: layout is not random then. Any context.
[[nodiscard]] std::uint64_t random_word();
} // namespace upcall

// What a constructor asks for that is open to make() alone: there are no objects of such a class but those on the heap.
class OnHeap {
    constexpr OnHeap() {}
    template <typename T, typename... Arguments>
    friend Result<T*> make(Arguments&&... arguments);
};

// new for kernel objects: out_of_memory instead of nullptr.
template <typename T, typename... Arguments>
Result<T*> make(Arguments&&... arguments) {
    void* place = heap_allocate(sizeof(T), alignof(T));
    if (place == nullptr) return fail(Error::out_of_memory);
    if constexpr (std::is_constructible_v<T, OnHeap, Arguments...>)
        return ::new (place) T(OnHeap(), std::forward<Arguments>(arguments)...);
    else
        return ::new (place) T(std::forward<Arguments>(arguments)...);
}
template <typename T>
void destroy(T* object) {
    if (object == nullptr) return;
    object->~T();
    heap_free(object);
}

} // namespace aios::mm
