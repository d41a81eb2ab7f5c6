aios_unit_test(dev LIBRARIES base.test SOURCES kernel/dev/fw_cfg.cpp)
