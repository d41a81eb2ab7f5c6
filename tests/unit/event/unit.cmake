aios_unit_test(event LIBRARIES base.test SOURCES ${sched_host} ${no_ipc})
