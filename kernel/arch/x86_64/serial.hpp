// COM1, a 16550 (National Semiconductor PC16550D): polled, bounded waits, no lock, no interrupt; usable in a panic.
// Kernel text and panics only.
#pragma once

#include <string_view>

namespace aios::arch::x86 {

void serial_init();
void serial_write(std::string_view text); // "\n" goes out as "\r\n"

} // namespace aios::arch::x86
