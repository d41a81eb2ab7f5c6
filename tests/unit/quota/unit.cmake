aios_unit_test(quota LIBRARIES base.test SOURCES kernel/quota/quota.cpp kernel/quota/hold.cpp kernel/object/object.cpp kernel/cap/table.cpp
    kernel/cap/table_derive.cpp kernel/cap/derivation.cpp kernel/cap/paid_list.cpp kernel/cap/counters.cpp ${kernel_host})
