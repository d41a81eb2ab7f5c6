set(aios_mm_sources kernel/mm/buddy.cpp kernel/mm/frames.cpp kernel/mm/heap.cpp kernel/mm/kernel_space.cpp
    kernel/mm/random.cpp kernel/mm/pages.cpp kernel/mm/pages_range.cpp kernel/mm/area.cpp kernel/mm/address_space.cpp
    kernel/mm/address_space_map.cpp kernel/mm/address_space_change.cpp kernel/mm/address_space_fault.cpp
    kernel/mm/address_space_clone.cpp)
aios_unit_test(mm LIBRARIES crypto.test base.test SOURCES ${aios_mm_sources})
