aios_unit_test(cap LIBRARIES base.test SOURCES kernel/cap/table.cpp kernel/cap/table_derive.cpp kernel/cap/derivation.cpp kernel/cap/in_flight.cpp kernel/cap/paid_list.cpp
    kernel/cap/counters.cpp kernel/object/object.cpp kernel/quota/quota.cpp tests/support/heap_tally.cpp ${kernel_host})
aios_heap_tally(cap)
