aios_unit_test(mm LIBRARIES crypto.test base.test
    SOURCES kernel/mm/buddy.cpp kernel/mm/frames.cpp kernel/mm/heap.cpp kernel/mm/kernel_space.cpp kernel/mm/random.cpp)
