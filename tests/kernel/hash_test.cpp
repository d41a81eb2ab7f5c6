// The kernel's batches of hashes: what they give, and that the vector registers are as they were, to the bit, whether
// they were in use or not.
#include <cstring>

#include "kernel/arch/hash_lanes.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "tests/kernel/test.hpp"

namespace aios {
namespace {

constexpr std::size_t kJobs = 21;
alignas(64) std::byte text[kJobs * 700];
crypto::Sha256BatchWorkspace workspace;

// Messages of all sizes up to 700 bytes; the first eight together are longer than one stretch with interrupts off.
unsigned wrong_digests() {
    for (std::size_t i = 0; i < sizeof(text); ++i)
        text[i] = static_cast<std::byte>(i * 7 + i / 251);
    static crypto::Digest256 digests[kJobs];
    static crypto::Sha256Job jobs[kJobs];
    const std::byte prefix[] = {std::byte{1}};
    for (std::size_t i = 0; i < kJobs; ++i)
        jobs[i] = {.prefix = Bytes(prefix).first(i % 2),
                   .message = Bytes(text).subspan(i, 700 - 31 * i % 700),
                   .digest = &digests[i]};
    arch::sha256_batch(jobs, workspace);
    unsigned wrong = 0;
    for (std::size_t i = 0; i < kJobs; ++i) {
        crypto::Sha256 one;
        one.update(jobs[i].prefix);
        one.update(jobs[i].message);
        wrong += one.finish() == digests[i] ? 0 : 1;
    }
    return wrong;
}

std::uint64_t components_in_use() {
    std::uint32_t low = 0, high = 0;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
    return std::uint64_t{high} << 32 | low;
}

KERNEL_TEST(hash_lanes_give_what_one_by_one_gives) {
    KERNEL_EXPECT(wrong_digests() == 0);
    KERNEL_EXPECT(arch::interrupts_enabled());
    arch::InterruptGuard guard;
    KERNEL_EXPECT(wrong_digests() == 0);
    KERNEL_EXPECT(!arch::interrupts_enabled());
}

KERNEL_TEST(hash_lanes_leave_the_registers_as_they_were) {
    if (!arch::has_hash_lanes()) KERNEL_SKIP("this processor has no AVX2");
    alignas(64) static std::uint8_t full[8192], fresh[8192], after[8192];
    KERNEL_EXPECT(arch::extended_state_bytes() <= sizeof(full));
    arch::InterruptGuard guard;
    arch::init_extended_state(fresh);
    arch::restore_extended_state(fresh);
    const bool tells_use = arch::x86::features().wide_moves;
    const std::uint64_t used_before = tells_use ? components_in_use() : 0;
    (void)wrong_digests();
    KERNEL_EXPECT(!tells_use || (components_in_use() & arch::x86::kAvx) == (used_before & arch::x86::kAvx));

    // x87, MXCSR, and every byte of the sixteen registers, upper halves too (SDM volume 1 sections 10.5.1 and 13.5.2).
    constexpr std::size_t kMxcsr = 24, kXmm = 160, kRegisters = 256, kUpper = 576, kInUse = 512;
    std::memcpy(full, fresh, sizeof(full));
    for (std::size_t i = 0; i < kRegisters; ++i) {
        full[kXmm + i] = static_cast<std::uint8_t>(i * 3 + 1);
        full[kUpper + i] = static_cast<std::uint8_t>(i * 5 + 2);
    }
    const std::uint32_t mxcsr = 0x7f80;
    std::memcpy(full + kMxcsr, &mxcsr, sizeof(mxcsr));
    full[kInUse] = 7;
    arch::restore_extended_state(full);
    const unsigned wrong = wrong_digests();
    arch::init_extended_state(after);
    arch::save_extended_state(after);
    arch::restore_extended_state(fresh);
    KERNEL_EXPECT(wrong == 0);
    KERNEL_EXPECT(std::memcmp(after + kXmm, full + kXmm, kRegisters) == 0);
    KERNEL_EXPECT(std::memcmp(after + kUpper, full + kUpper, kRegisters) == 0);
    KERNEL_EXPECT(std::memcmp(after + kMxcsr, full + kMxcsr, sizeof(mxcsr)) == 0);
}

} // namespace
} // namespace aios
