aios_unit_test(audit_log LIBRARIES hashes.test base.test SOURCES kernel/audit/encode.cpp kernel/audit/audit.cpp kernel/audit/log.cpp
    kernel/audit/log_thread.cpp tests/support/hash_lanes_host.cpp ${sched_host} ${no_ipc})
