aios_unit_test(policy LIBRARIES hostkit.test)
