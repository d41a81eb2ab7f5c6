aios_unit_test(abi LIBRARIES base.test SOURCES tools/abigen/reference.cpp)
target_compile_definitions(unit_abi PRIVATE AIOS_SOURCE="${CMAKE_SOURCE_DIR}")
