aios_unit_test(sched LIBRARIES base.test SOURCES ${sched_host} kernel/sched/fair.cpp)
