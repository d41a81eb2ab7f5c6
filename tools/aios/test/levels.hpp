// The levels of `aios test`. Each runs its tests and writes their results into the log; a level that finds nothing to
// run fails.
#pragma once

#include "tools/aios/host/places.hpp"
#include "tools/aios/test/log.hpp"

namespace aios::host {

void test_lint(const Places& places, TestLog& log);
void test_unit(const Places& places, TestLog& log);
void test_kernel(const Places& places, TestLog& log);
void test_guest(const Places& places, TestLog& log);
void test_linux(const Places& places, TestLog& log);
void test_hostile(const Places& places, TestLog& log);
void test_scenario(const Places& places, TestLog& log);
void test_constant_time(const Places& places, TestLog& log);
void test_interop(const Places& places, TestLog& log);
void test_mutation(const Places& places, TestLog& log);

} // namespace aios::host
