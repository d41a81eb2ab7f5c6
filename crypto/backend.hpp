// Which code paths the library takes: portable C++, or AVX2 (with AES-NI, VAES, ADX and the SHA instructions where they
// are there too). All give the same bits. AVX-512 is never used.
//
// The choice is the only global state of crypto/. It is made at the first use and can be changed by use_backend(),
// which is for tests, benchmarks and tools. The AVX2 path is taken only where CPUID names the instructions and XCR0
// says that the operating system keeps the registers (Intel SDM volume 1, section 14.3). The kernel never uses vector
// registers: there the portable path is chosen when it is compiled, and the other one is not linked.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace aios::crypto {

// avx2 is all that the processor has. avx2_plain leaves out VAES and ADX, as processors with AVX2 were before they had
// them: for tests.
enum class Backend : std::uint8_t { portable, avx2, avx2_plain };

#ifdef AIOS_KERNEL

[[nodiscard]] constexpr bool is_supported(Backend backend) { return backend == Backend::portable; }
[[nodiscard]] constexpr bool use_avx2() { return false; }
[[nodiscard]] constexpr bool use_aes_instructions() { return false; }
[[nodiscard]] constexpr bool use_wide_aes_instructions() { return false; }
[[nodiscard]] constexpr bool use_carry_instructions() { return false; }
[[nodiscard]] constexpr bool use_sha_instructions() { return false; }

#else

// Whether this processor and its operating system can run `backend`.
[[nodiscard]] bool is_supported(Backend backend);

// Takes `backend` from now on, in the whole program. Error: unsupported, and the choice stays.
[[nodiscard]] Result<> use_backend(Backend backend);

// The choice in force: what an algorithm asks before it branches.
[[nodiscard]] bool use_avx2();
// AES-NI and PCLMULQDQ; never when the portable path is chosen.
[[nodiscard]] bool use_aes_instructions();
// VAES and VPCLMULQDQ on registers of 256 bits, besides the former.
[[nodiscard]] bool use_wide_aes_instructions();
// BMI2 and ADX: MULX, and two chains of carries at once by ADCX and ADOX.
[[nodiscard]] bool use_carry_instructions();
// The instructions for SHA-256, which need no AVX; never when the portable path is chosen.
[[nodiscard]] bool use_sha_instructions();

#endif

} // namespace aios::crypto
