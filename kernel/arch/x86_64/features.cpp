// See features.hpp.
#include "kernel/arch/x86_64/features.hpp"

#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/cpu.hpp"

namespace aios::arch::x86 {
namespace {

Features found;

bool bit(std::uint32_t word, unsigned number) { return (word >> number & 1) != 0; }

// The size of the standard XSAVE format for `components` (SDM volume 1 section 13.5): CPUID leaf 0xd names offset and
// size of each.
std::uint32_t xsave_bytes(std::uint64_t components) {
    std::uint32_t bytes = 576; // legacy area and header
    for (unsigned i = 2; i < 63; ++i) {
        if ((components >> i & 1) == 0) continue;
        const CpuId leaf = cpuid(0xd, i);
        if (leaf.ebx + leaf.eax > bytes) bytes = leaf.ebx + leaf.eax;
    }
    return bytes;
}

bool is_intel() {
    const CpuId leaf = cpuid(0);
    return leaf.ebx == 0x756e'6547; // "Genu"
}

} // namespace

void read_features() {
    found = {};
    const CpuId one = cpuid(1);
    found.machine_check = bit(one.edx, 7);
    found.sysenter = bit(one.edx, 11);
    if (has_leaf(0x8000'0001)) found.tsc_aux = bit(cpuid(0x8000'0001).edx, 27);
    found.xsave = bit(one.ecx, 26);
    found.rdrand = bit(one.ecx, 30);
    found.tsc_deadline = bit(one.ecx, 24);
    found.x2apic = bit(one.ecx, 21);
    CpuId seven{};
    if (has_leaf(7)) seven = cpuid(7);
    found.fsgsbase = bit(seven.ebx, 0);
    found.smep = bit(seven.ebx, 7);
    found.smap = bit(seven.ebx, 20);
    found.umip = bit(seven.ecx, 2);
    // Meltdown: Intel processors that do not say RDCL_NO in IA32_ARCH_CAPABILITIES.
    found.needs_page_table_isolation = is_intel() && !(bit(seven.edx, 29) && (read_msr(0x10a) & 1) != 0);
    found.extended_bytes = 512;
    if (found.xsave && has_leaf(0xd)) {
        const CpuId leaf = cpuid(0xd, 0), more = cpuid(0xd, 1);
        found.extended_components = (leaf.eax & kManagedComponents) | kX87 | kSse; // these two are always there
        if ((found.extended_components & kAvx) == 0) found.extended_components &= kX87 | kSse; // AVX-512 needs AVX
        if ((found.extended_components & kAvx512) != kAvx512) found.extended_components &= ~kAvx512;
        found.extended_bytes = xsave_bytes(found.extended_components);
        found.xsaveopt = bit(more.eax, 0);
        found.supervisor_state = bit(more.eax, 3);
        const bool has_avx = (found.extended_components & kAvx) != 0;
        const bool has_avx512 = (found.extended_components & kAvx512) != 0;
        found.wide_moves = bit(more.eax, 2) && has_avx && !has_avx512 && found.extended_bytes < kPageSize;
        const std::uint64_t saved = found.extended_components & (kX87 | kSse | kAvx | kZmmUpper);
        found.hash_lanes = bit(one.ecx, 28) && bit(seven.ebx, 3) && bit(seven.ebx, 5) && bit(seven.ebx, 8) && has_avx &&
                           xsave_bytes(saved) <= kHashAreaBytes;
    } else {
        found.xsave = false;
    }
}

const Features& features() { return found; }

} // namespace aios::arch::x86
