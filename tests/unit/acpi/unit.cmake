aios_unit_test(acpi LIBRARIES base.test SOURCES kernel/dev/acpi.cpp kernel/arch/x86_64/pvh.cpp boot/memory_map.cpp)
