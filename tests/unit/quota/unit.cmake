aios_unit_test(quota LIBRARIES base.test SOURCES kernel/quota/quota.cpp ${kernel_host})
