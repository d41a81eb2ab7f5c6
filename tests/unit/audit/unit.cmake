aios_unit_test(audit LIBRARIES base.test SOURCES kernel/audit/encode.cpp kernel/audit/audit.cpp ${sched_host} ${no_ipc})
