// Parts of a level that know nothing of each other, such as test programs and boots, side by side.
#pragma once

#include <functional>
#include <vector>

#include "tools/aios/test/log.hpp"

namespace aios::host {

// Writes its results into the log it is given, which no other part uses.
using TestPart = std::function<void(TestLog&)>;

// Runs the parts, as many at a time as this machine has processors. `log` takes what they wrote in the order of the
// parts, each as soon as all before it are done, so that what is printed does not depend on who ends first. Parts that
// have not begun when the program is asked to stop do not run.
void run_parts(const std::vector<TestPart>& parts, TestLog& log);

} // namespace aios::host
