include(${CMAKE_CURRENT_LIST_DIR}/sources.cmake)
aios_unit_test(mm LIBRARIES crypto.test base.test SOURCES ${aios_mm_sources} tests/support/heap_tally.cpp)
aios_heap_tally(mm)
