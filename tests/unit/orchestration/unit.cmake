# The supervisor's own sources over a fake kernel (fake_kernel.cpp answers the calls).
aios_unit_test(orchestration LIBRARIES units.test crypto.test base.test
    OWN_SOURCES runtime/orchestration/supervisor.cpp runtime/orchestration/supervisor_prepare.cpp
    runtime/orchestration/supervisor_start.cpp runtime/orchestration/supervisor_identity.cpp
    runtime/orchestration/supervisor_end.cpp)
target_compile_definitions(unit_orchestration PRIVATE AIOS_FAKE_KERNEL=1)
