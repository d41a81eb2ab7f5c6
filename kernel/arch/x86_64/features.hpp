// What this processor has, read once from CPUID (SDM volume 2, CPUID). All CPUs are taken to be alike.
#pragma once

#include <cstdint>

namespace aios::arch::x86 {

struct Features {
    bool smep, smap, umip, fsgsbase, xsave, xsaveopt, rdrand, tsc_deadline, x2apic, needs_page_table_isolation;
    std::uint64_t extended_components; // what we let XSAVE manage: x87, SSE, AVX, AVX-512 where present
    std::uint32_t extended_bytes;      // for them
};

void read_features(); // once, on the boot CPU
const Features& features();

} // namespace aios::arch::x86
