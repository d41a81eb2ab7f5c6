// A failed assertion in host tools, tests and userland with a C library: one line on standard error, then abort.
// The kernel and programs without libc do not link this file; they define assertion_failed themselves.
#include <cstdio>
#include <cstdlib>

#include "base/assert.hpp"

namespace aios {

void assertion_failed(const char* text, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, text);
    std::abort();
}

} // namespace aios
