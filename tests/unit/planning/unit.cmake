aios_unit_test(planning LIBRARIES planning.test base.test)
