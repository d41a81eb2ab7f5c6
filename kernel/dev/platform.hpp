// What the firmware's tables say about this machine, read once.
#pragma once

#include "kernel/dev/acpi.hpp"

namespace aios::dev {

void init_platform(); // reads ACPI and gives the I/O APICs to arch. Without usable tables: one CPU, no HPET.
[[nodiscard]] const AcpiFacts& platform();

} // namespace aios::dev
