aios_unit_test(identity LIBRARIES base.test)
