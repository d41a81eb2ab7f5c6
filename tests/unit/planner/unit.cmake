aios_unit_test(planner LIBRARIES orchestration.test ipc.test base.test SOURCES services/planner/search.cpp)
