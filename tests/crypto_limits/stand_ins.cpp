// What crypto/ expects of its environment, for programs that are linked to be measured and never run.
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"

namespace aios {

void assertion_failed(const char*, const char*, int) { __builtin_trap(); }

} // namespace aios

namespace std {

void terminate() noexcept { __builtin_trap(); }

} // namespace std

extern "C" {

std::uintptr_t __stack_chk_guard = 1;
[[noreturn]] void __stack_chk_fail() { __builtin_trap(); }
// Nothing throws, but the host's flags allow it.
int __gxx_personality_v0() { return 0; }
void* __cxa_begin_catch(void* thrown) { return thrown; }
[[noreturn]] void _Unwind_Resume() { __builtin_trap(); }
void* memcpy(void* to, const void*, std::size_t) { return to; }
void* memmove(void* to, const void*, std::size_t) { return to; }
void* memset(void* to, int, std::size_t) { return to; }
int memcmp(const void*, const void*, std::size_t) { return 0; }
std::size_t strlen(const char*) { return 0; }

} // extern "C"
