aios_unit_test(linux SOURCES personality/linux/line_discipline.cpp personality/linux/line_output.cpp)
target_compile_definitions(unit_linux PRIVATE AIOS_SOURCE="${CMAKE_SOURCE_DIR}")
