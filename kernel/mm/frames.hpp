// What the heap sees of frames beyond mm.hpp: marking the frames of a slab, and telling from an address what its frame
// is.
#pragma once

#include "kernel/mm/buddy.hpp"
#include "kernel/mm/mm.hpp"

namespace aios::mm {

// An allocated block becomes a slab (every frame of it says class and order), and back.
void mark_slab(arch::PhysAddr block, unsigned order, std::uint32_t size_class);
void unmark_slab(arch::PhysAddr block, unsigned order);
[[nodiscard]] FrameInfo::Fields frame_info(arch::PhysAddr frame);

} // namespace aios::mm
