aios_unit_test(messages LIBRARIES base.test SOURCES tools/abigen/messages.cpp)
target_compile_definitions(unit_messages PRIVATE AIOS_SOURCE="${CMAKE_SOURCE_DIR}")
