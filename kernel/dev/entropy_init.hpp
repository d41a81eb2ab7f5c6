// Start of the entropy pool (boot CPU, once, after the clocks).
#pragma once

namespace aios::dev {

void init_entropy();

} // namespace aios::dev
