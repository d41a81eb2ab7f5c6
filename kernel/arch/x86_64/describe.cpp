// What CPUID says of the processor, for programs that ask in words: Intel SDM volume 2, CPUID; AMD APM volume 3 appendix E.
#include <algorithm>
#include <cstring>

#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/features.hpp"

namespace aios::arch {
namespace {

using x86::cpuid;
using x86::CpuId;

enum class Word : std::uint8_t { one_edx, one_ecx, seven_ebx, seven_ecx, extended_edx, extended_ecx };

struct Feature {
    Word word;
    std::uint8_t bit;
    bool needs_avx; // registers that the system must keep
    std::string_view name;
};

constexpr Feature kFeatures[] = {
    {Word::one_edx, 0, false, "fpu"},         {Word::one_edx, 4, false, "tsc"},
    {Word::one_edx, 8, false, "cx8"},         {Word::one_edx, 15, false, "cmov"},
    {Word::one_edx, 19, false, "clflush"},    {Word::one_edx, 23, false, "mmx"},
    {Word::one_edx, 24, false, "fxsr"},       {Word::one_edx, 25, false, "sse"},
    {Word::one_edx, 26, false, "sse2"},       {Word::extended_edx, 11, false, "syscall"},
    {Word::extended_edx, 20, false, "nx"},    {Word::extended_edx, 29, false, "lm"},
    {Word::one_ecx, 0, false, "pni"},         {Word::one_ecx, 1, false, "pclmulqdq"},
    {Word::one_ecx, 9, false, "ssse3"},       {Word::one_ecx, 12, true, "fma"},
    {Word::one_ecx, 13, false, "cx16"},       {Word::one_ecx, 19, false, "sse4_1"},
    {Word::one_ecx, 20, false, "sse4_2"},     {Word::one_ecx, 22, false, "movbe"},
    {Word::one_ecx, 23, false, "popcnt"},     {Word::one_ecx, 25, false, "aes"},
    {Word::one_ecx, 26, false, "xsave"},      {Word::one_ecx, 28, true, "avx"},
    {Word::one_ecx, 29, true, "f16c"},        {Word::one_ecx, 30, false, "rdrand"},
    {Word::one_ecx, 31, false, "hypervisor"}, {Word::extended_ecx, 0, false, "lahf_lm"},
    {Word::extended_ecx, 5, false, "abm"},    {Word::extended_ecx, 6, false, "sse4a"},
    {Word::seven_ebx, 0, false, "fsgsbase"},  {Word::seven_ebx, 3, false, "bmi1"},
    {Word::seven_ebx, 5, true, "avx2"},       {Word::seven_ebx, 8, false, "bmi2"},
    {Word::seven_ebx, 9, false, "erms"},      {Word::seven_ebx, 18, false, "rdseed"},
    {Word::seven_ebx, 19, false, "adx"},      {Word::seven_ebx, 29, false, "sha_ni"},
    {Word::seven_ecx, 9, true, "vaes"},       {Word::seven_ecx, 10, true, "vpclmulqdq"},
    {Word::seven_ecx, 22, false, "rdpid"},
};
static_assert(std::size(kFeatures) <= kMostCpuFeatures);

CpuId leaf_or_nothing(std::uint32_t leaf) { return x86::has_leaf(leaf) ? cpuid(leaf) : CpuId{}; }

} // namespace

CpuDescription describe_cpu() {
    CpuDescription out{};
    const CpuId zero = cpuid(0);
    for (std::size_t i = 0; const std::uint32_t word : {zero.ebx, zero.edx, zero.ecx})
        std::memcpy(out.vendor + 4 * i++, &word, sizeof(word));
    if (x86::has_leaf(0x8000'0004)) {
        for (std::uint32_t i = 0; i < 3; ++i) {
            const CpuId part = cpuid(0x8000'0002 + i);
            const std::uint32_t words[] = {part.eax, part.ebx, part.ecx, part.edx};
            std::memcpy(out.name + sizeof(words) * i, words, sizeof(words));
        }
    }
    const CpuId one = cpuid(1);
    const std::uint32_t family = one.eax >> 8 & 0xf;
    out.family = family == 0xf ? family + (one.eax >> 20 & 0xff) : family;
    out.model = one.eax >> 4 & 0xf;
    if (family == 0xf || family == 6) out.model |= one.eax >> 12 & 0xf0;
    out.stepping = one.eax & 0xf;
    out.cache_line_bytes = (one.ebx >> 8 & 0xff) * 8;
    const CpuId sizes = leaf_or_nothing(0x8000'0008);
    out.physical_bits = sizes.eax & 0xff;
    out.virtual_bits = sizes.eax >> 8 & 0xff;
    return out;
}

std::size_t cpu_features(std::string_view (&names)[kMostCpuFeatures]) {
    const CpuId one = cpuid(1), seven = leaf_or_nothing(7), extended = leaf_or_nothing(0x8000'0001);
    const std::uint32_t words[] = {one.edx, one.ecx, seven.ebx, seven.ecx, extended.edx, extended.ecx};
    const bool has_avx = (extended_state_components() & x86::kAvx) != 0;
    std::size_t count = 0;
    for (const Feature& feature : kFeatures) {
        if ((words[static_cast<unsigned>(feature.word)] >> feature.bit & 1) == 0) continue;
        if (feature.needs_avx && !has_avx) continue;
        names[count++] = feature.name;
    }
    return count;
}

} // namespace aios::arch
