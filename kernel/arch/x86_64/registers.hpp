// Numbers of model-specific registers, and bits of control registers (Intel SDM volumes 3 and 4). No instruction: host
// tests use them with registers of their own.
#pragma once

#include <cstdint>

namespace aios::arch::x86 {

inline constexpr std::uint32_t kMsrApicBase = 0x1b;
inline constexpr std::uint32_t kMsrSysenterSelector = 0x174;
inline constexpr std::uint32_t kMsrPageAttributes = 0x277;
inline constexpr std::uint32_t kMsrTscDeadline = 0x6e0;
inline constexpr std::uint32_t kMsrSupervisorState = 0xda0; // IA32_XSS
inline constexpr std::uint32_t kMsrEfer = 0xc000'0080;
inline constexpr std::uint32_t kMsrStar = 0xc000'0081;
inline constexpr std::uint32_t kMsrLstar = 0xc000'0082;
inline constexpr std::uint32_t kMsrCstar = 0xc000'0083;
inline constexpr std::uint32_t kMsrSfmask = 0xc000'0084;
inline constexpr std::uint32_t kMsrFsBase = 0xc000'0100;
inline constexpr std::uint32_t kMsrGsBase = 0xc000'0101;
inline constexpr std::uint32_t kMsrKernelGsBase = 0xc000'0102;
inline constexpr std::uint32_t kMsrTscAux = 0xc000'0103;

inline constexpr std::uint64_t kEferSyscall = 1 << 0, kEferLongMode = 1 << 8, kEferLongModeActive = 1 << 10,
                               kEferNoExecute = 1 << 11;
inline constexpr std::uint64_t kCr0Protected = 1 << 0, kCr0Monitor = 1 << 1, kCr0Extension = 1 << 4,
                               kCr0Numeric = 1 << 5, kCr0WriteProtect = 1 << 16, kCr0Paging = 1u << 31;
inline constexpr std::uint64_t kCr4Pae = 1 << 5, kCr4MachineCheck = 1 << 6, kCr4GlobalPages = 1 << 7,
                               kCr4FxSave = 1 << 9, kCr4SimdExceptions = 1 << 10, kCr4Umip = 1 << 11,
                               kCr4FiveLevels = 1 << 12, kCr4FsGsBase = 1 << 16, kCr4XSave = 1 << 18,
                               kCr4Smep = 1 << 20, kCr4Smap = 1 << 21;
inline constexpr std::uint64_t kFlagInterrupt = 1 << 9, kFlagTrap = 1 << 8, kFlagDirection = 1 << 10,
                               kFlagAlignment = 1 << 18, kFlagNestedTask = 1 << 14;

struct CpuId {
    std::uint32_t eax, ebx, ecx, edx;
};

} // namespace aios::arch::x86
