// Contexts, extended state, traps and the timer of one CPU.
#include <atomic>
#include <cstring>

#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/control.hpp"
#include "kernel/arch/x86_64/cpu.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/features.hpp"
#include "tests/kernel/test.hpp"

namespace aios {
namespace {

alignas(4096) std::uint8_t other_stack[16384];

struct PingPong {
    arch::KernelContext here, there;
    int rounds = 0;
    bool interrupts_were_off = false;
};

// Loads the callee-saved registers with a pattern, switches, and says whether they came back.
[[gnu::noinline]] bool switch_keeps_registers(arch::KernelContext& from, arch::KernelContext& to,
                                              std::uint64_t pattern) {
    register std::uint64_t r12 asm("r12") = pattern + 1;
    register std::uint64_t r13 asm("r13") = pattern + 2;
    register std::uint64_t r14 asm("r14") = pattern + 3;
    register std::uint64_t r15 asm("r15") = pattern + 4;
    register std::uint64_t rbx asm("rbx") = pattern + 5;
    asm volatile("" : "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15), "+r"(rbx));
    arch::switch_context(from, to);
    asm volatile("" : "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15), "+r"(rbx));
    return r12 == pattern + 1 && r13 == pattern + 2 && r14 == pattern + 3 && r15 == pattern + 4 && rbx == pattern + 5;
}

void other_side(void* argument) {
    auto& game = *static_cast<PingPong*>(argument);
    game.interrupts_were_off = !arch::interrupts_enabled();
    for (;;) {
        if (switch_keeps_registers(game.there, game.here, 0x7700'0000'0000'0000 + static_cast<unsigned>(game.rounds)))
            ++game.rounds;
    }
}

KERNEL_TEST(cpu_context_switch_keeps_registers) {
    arch::InterruptGuard guard;
    PingPong game;
    arch::prepare_context(game.there, reinterpret_cast<std::uint64_t>(other_stack) + sizeof(other_stack), other_side,
                          &game);
    for (unsigned i = 0; i < 100; ++i)
        KERNEL_EXPECT(switch_keeps_registers(game.here, game.there, 0x1100'0000'0000'0000 + i));
    KERNEL_EXPECT(game.rounds == 99);
    KERNEL_EXPECT(game.interrupts_were_off);
}

KERNEL_TEST(cpu_extended_state_keeps_a_sentinel) {
    KERNEL_EXPECT(arch::extended_state_bytes() >= 512);
    alignas(64) static std::uint8_t first[8192], second[8192];
    KERNEL_EXPECT(arch::extended_state_bytes() <= sizeof(first));
    arch::InterruptGuard guard;
    arch::init_extended_state(first);
    arch::init_extended_state(second);
    arch::restore_extended_state(first);
    const std::uint64_t sentinel = 0x0123'4567'89ab'cdef;
    const bool avx = (arch::x86::features().extended_components & 4) != 0;
    std::uint64_t low = 0, high = 0, high_wanted = 0;
    // SAFETY: the kernel's own code does not use these registers; the test leaves them at their initial state.
    asm volatile("movq %0, %%xmm3" : : "r"(sentinel));
    if (avx) asm volatile("vmovq %0, %%xmm9; vinsertf128 $1, %%xmm9, %%ymm9, %%ymm9" : : "r"(sentinel));
    asm volatile("fldpi");
    arch::save_extended_state(first);
    arch::restore_extended_state(second);
    asm volatile("movq %%xmm3, %0" : "=r"(low));
    KERNEL_EXPECT(low == 0);
    arch::restore_extended_state(first);
    asm volatile("movq %%xmm3, %0" : "=r"(low));
    if (avx) {
        asm volatile("vextractf128 $1, %%ymm9, %%xmm9; vmovq %%xmm9, %0" : "=r"(high));
        high_wanted = sentinel;
    }
    double pi = 0;
    asm volatile("fstpl %0" : "=m"(pi));
    arch::restore_extended_state(second);
    KERNEL_EXPECT(low == sentinel);
    KERNEL_EXPECT(high == high_wanted);
    std::uint64_t pi_bits;
    std::memcpy(&pi_bits, &pi, sizeof(pi));
    KERNEL_EXPECT(pi_bits == 0x4009'21fb'5444'2d18);
}

KERNEL_TEST(cpu_protections_are_on) {
    const auto& has = arch::x86::features();
    const std::uint64_t cr4 = arch::x86::read_cr4(), cr0 = arch::x86::read_cr0();
    KERNEL_EXPECT((cr0 & arch::x86::kCr0WriteProtect) != 0);
    KERNEL_EXPECT(!has.smep || (cr4 & arch::x86::kCr4Smep) != 0);
    KERNEL_EXPECT(!has.smap || (cr4 & arch::x86::kCr4Smap) != 0);
    KERNEL_EXPECT(!has.umip || (cr4 & arch::x86::kCr4Umip) != 0);
    KERNEL_EXPECT((arch::x86::read_msr(arch::x86::kMsrEfer) & arch::x86::kEferNoExecute) != 0);
}

// Constant sets, on every CPU: nothing that firmware left on, nothing that the kernel does not save.
KERNEL_TEST(cpu_control_registers_are_exact) {
    static std::atomic<unsigned> wrong;
    wrong = 0;
    const auto look = [](void*) {
        using namespace arch::x86;
        if (read_cr4() != cr4_for(features()) || read_cr0() != kCr0 || read_msr(kMsrEfer) != kEfer) ++wrong;
        if (read_msr(kMsrPageAttributes) != kPageAttributes || read_msr(kMsrSysenterSelector) != 0) ++wrong;
    };
    arch::run_on_others(look, nullptr);
    arch::InterruptGuard guard;
    look(nullptr);
    KERNEL_EXPECT(wrong == 0);
}

// An NMI may hit between any two instructions: in a handler, on the way in or out, while interrupts are off. Without a
// panic it means nothing.
KERNEL_TEST_ON(cpu_nmis_do_no_harm, 2) {
    static std::atomic<unsigned> rounds;
    rounds = 0;
    for (unsigned i = 0; i < 2000; ++i) {
        arch::x86::send_nmi_to_others();
        arch::run_on_others([](void*) { ++rounds; }, nullptr);
        arch::x86::send_nmi_to_others();
    }
    KERNEL_EXPECT(rounds == 2000 * (arch::cpu_count() - 1));
}

// Fails on processors with Meltdown: the kernel starts no agents there, so a virtual machine on them is of no use.
KERNEL_TEST(cpu_is_fit_for_untrusted_agents) {
    KERNEL_EXPECT(!arch::needs_page_table_isolation() || arch::command_line_value("unsafe") == "meltdown");
}

KERNEL_TEST(cpu_user_frames_are_made_safe) {
    const auto frame = arch::make_user_frame(0xffff'8000'0000'1234, 0x7000);
    KERNEL_EXPECT(frame.from_user());
    KERNEL_EXPECT(frame.rip == arch::kUserHigh);
    KERNEL_EXPECT((frame.rflags & arch::x86::kFlagInterrupt) != 0);
    KERNEL_EXPECT(arch::make_user_frame(0x401000, 0x7000).rip == 0x401000);
}

KERNEL_TEST(cpu_user_segment_bases) {
    arch::InterruptGuard guard;
    const std::uint64_t fs = arch::user_fs_base(), gs = arch::user_gs_base();
    arch::set_user_fs_base(0x1234'5000);
    arch::set_user_gs_base(0x2345'6000);
    const bool good = arch::user_fs_base() == 0x1234'5000 && arch::user_gs_base() == 0x2345'6000;
    arch::set_user_fs_base(fs);
    arch::set_user_gs_base(gs);
    KERNEL_EXPECT(good);
    KERNEL_EXPECT(&arch::x86::this_cpu() == &arch::x86::cpu_blocks[arch::cpu_index()]);
}

} // namespace
} // namespace aios
