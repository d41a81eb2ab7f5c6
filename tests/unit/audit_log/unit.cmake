aios_unit_test(audit_log LIBRARIES hashes.test base.test SOURCES kernel/audit/encode.cpp kernel/audit/audit.cpp kernel/audit/log.cpp
    kernel/audit/log_thread.cpp ${sched_host} ${no_ipc})
