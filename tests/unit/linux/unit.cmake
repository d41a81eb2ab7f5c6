aios_unit_test(linux)
target_compile_definitions(unit_linux PRIVATE AIOS_SOURCE="${CMAKE_SOURCE_DIR}")
