aios_unit_test(sync LIBRARIES base.test SOURCES kernel/sync/lock.cpp tests/support/kernel_host.cpp)
