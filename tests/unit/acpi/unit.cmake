aios_unit_test(acpi LIBRARIES base.test SOURCES kernel/dev/acpi.cpp kernel/dev/acpi_dsdt.cpp kernel/dev/virtio_places.cpp kernel/arch/x86_64/pvh.cpp boot/memory_map.cpp)
