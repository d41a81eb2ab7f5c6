// What the kernel's heap has handed out and not got back, in bytes as they are charged (mm::heap_cost). A test that
// links heap_tally.cpp, with the linker's help (heap_tally in tests/unit/CMakeLists.txt), compares an account with it
// to the byte.
#pragma once

#include <cstdint>

namespace aios::test {

[[nodiscard]] std::uint64_t heap_taken();

} // namespace aios::test
