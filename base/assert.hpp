// AIOS_ASSERT(condition): checked in every build. It guards invariants of our own code, never input: bad input gets an
// Error. Each environment defines what a failed assertion does (the kernel panics; base/assert_host.cpp writes a line
// and aborts).
#pragma once

namespace aios {

[[noreturn]] void assertion_failed(const char* text, const char* file, int line);

} // namespace aios

#define AIOS_ASSERT(condition)                                                                                         \
    (__builtin_expect(!!(condition), 1) ? static_cast<void>(0)                                                         \
                                        : ::aios::assertion_failed(#condition, __FILE__, __LINE__))

// For a place that no correct program reaches, such as after a switch that returns in every case.
#define AIOS_UNREACHABLE() ::aios::assertion_failed("unreachable", __FILE__, __LINE__)
