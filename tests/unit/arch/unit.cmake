# Sources of kernel/arch on a processor made of variables: fake/ stands before the real header of instructions.
aios_unit_test(arch LIBRARIES base.test OWN_SOURCES kernel/arch/x86_64/features.cpp kernel/arch/x86_64/control.cpp
    kernel/arch/x86_64/requirements.cpp kernel/arch/x86_64/apic.cpp kernel/arch/x86_64/timer.cpp
    kernel/arch/x86_64/calibrate.cpp)
target_include_directories(unit_arch BEFORE PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/arch/fake)
