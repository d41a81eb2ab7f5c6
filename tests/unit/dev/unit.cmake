aios_unit_test(dev LIBRARIES base.test)
