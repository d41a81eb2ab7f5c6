aios_unit_test(sched LIBRARIES base.test SOURCES ${sched_host} ${no_ipc} kernel/sched/fair.cpp)
