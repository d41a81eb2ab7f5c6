aios_unit_test(broker LIBRARIES cognitive.test orchestration.test ipc.test base.test
    SOURCES services/semantic-ipcd/registry.cpp)
