# Sources of kernel/mm for host tests that need real frames, heap and Pages: with tests/unit/mm/fake_arch.cpp.
set(aios_mm_sources kernel/mm/buddy.cpp kernel/mm/frames.cpp kernel/mm/heap.cpp kernel/mm/kernel_space.cpp
    kernel/mm/pages.cpp kernel/mm/pages_range.cpp kernel/mm/pages_over.cpp kernel/mm/area.cpp kernel/mm/address_space.cpp
    kernel/mm/address_space_map.cpp kernel/mm/address_space_change.cpp kernel/mm/address_space_fault.cpp
    kernel/mm/address_space_clone.cpp kernel/mm/address_space_notice.cpp
    kernel/mm/address_space_grant.cpp kernel/mm/grant.cpp)
