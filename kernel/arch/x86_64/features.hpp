// What this processor has, read once from CPUID (SDM volume 2, CPUID). All CPUs are taken to be alike.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aios::arch::x86 {

struct Features {
    bool smep, smap, umip, fsgsbase, xsave, xsaveopt, rdrand, tsc_deadline, x2apic, needs_page_table_isolation;
    bool machine_check, sysenter, tsc_aux;
    bool supervisor_state; // there is IA32_XSS, which stays zero
    // What wide_move.S needs: AVX, and XGETBV says whether it is in use. Not beside AVX-512: a move to YMM clears the rest
    // of ZMM, which wide_move.S does not save.
    bool wide_moves;
    bool hash_lanes;                   // AVX2, BMI and BMI2, and the registers in use: what hash_lanes.cpp needs
    std::uint64_t extended_components; // what we let XSAVE manage: kManagedComponents where present
    std::uint32_t extended_bytes;      // for exactly them, in the standard format
};

// The components of the extended state that an agent may have (SDM volume 1 section 13.1): x87, SSE, AVX, and the three
// of AVX-512. All others (MPX, protection keys, AMX, what is to come) stay off, whatever the processor has.
inline constexpr std::uint64_t kX87 = 1 << 0, kSse = 1 << 1, kAvx = 1 << 2, kAvx512 = 7 << 5;
inline constexpr std::uint64_t kZmmUpper = 1 << 6; // the upper halves of ZMM0 to ZMM15
inline constexpr std::uint64_t kManagedComponents = kX87 | kSse | kAvx | kAvx512;

// What hash_lanes.cpp saves its registers in: legacy area, header, and the components up to kZmmUpper.
inline constexpr std::size_t kHashAreaBytes = 1664;

void read_features(); // once, on the boot CPU
const Features& features();

} // namespace aios::arch::x86
