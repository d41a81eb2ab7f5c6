// What this processor has, read once from CPUID (SDM volume 2, CPUID). All CPUs are taken to be alike.
#pragma once

#include <cstdint>

namespace aios::arch::x86 {

struct Features {
    bool smep, smap, umip, fsgsbase, xsave, xsaveopt, rdrand, tsc_deadline, x2apic, needs_page_table_isolation;
    bool machine_check, sysenter, tsc_aux;
    bool supervisor_state;             // there is IA32_XSS, which stays zero
    bool wide_moves;                   // AVX, and XGETBV says whether it is in use: what wide_move.S needs
    std::uint64_t extended_components; // what we let XSAVE manage: kManagedComponents where present
    std::uint32_t extended_bytes;      // for exactly them, in the standard format
};

// The components of the extended state that an agent may have (SDM volume 1 section 13.1): x87, SSE, AVX, and the three
// of AVX-512. All others (MPX, protection keys, AMX, what is to come) stay off, whatever the processor has.
inline constexpr std::uint64_t kX87 = 1 << 0, kSse = 1 << 1, kAvx = 1 << 2, kAvx512 = 7 << 5;
inline constexpr std::uint64_t kManagedComponents = kX87 | kSse | kAvx | kAvx512;

void read_features(); // once, on the boot CPU
const Features& features();

} // namespace aios::arch::x86
