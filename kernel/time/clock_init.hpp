// Start of the clocks, after arch::init_clocks has found the counter's rate. Boot CPU, once.
#pragma once

namespace aios::time {

void init_clock();

} // namespace aios::time
