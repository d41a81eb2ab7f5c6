// What an agent can do to the processor with its own instructions: privileged ones, interrupts of its choice, flags,
// selectors, stack pointers and bases that are nonsense while it calls or is interrupted, floating point in every bad
// state. Each attack runs in a child of its own, many times where it can go on. It ends with the exception that the
// processor raises for it, or goes on as if nothing had been; nobody else notices. The tests that come after it on the
// same node are part of the test.
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

// How a child may end: by one of these vectors, or by itself with status 0. More than one where QEMU's emulation
// differs.
constexpr std::uint64_t by(unsigned vector) { return std::uint64_t{1} << vector; }
constexpr std::uint64_t kGoesOn = std::uint64_t{1} << 63;
constexpr unsigned kTimes = 1000;
constexpr std::uint64_t kKernelAddress = 0xffff'8000'0000'1000, kNoAddress = 0x0123'4567'89ab'cdef;

struct CpuId {
    std::uint32_t a, b, c, d;
};
CpuId cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
    CpuId r;
    asm volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(subleaf));
    return r;
}
bool has_bases() { return (cpuid(7).b & 1) != 0; } // FSGSBASE
bool has_umip() { return (cpuid(7).c >> 2 & 1) != 0; }
bool has_xsave() { return (cpuid(1).c >> 27 & 1) != 0; } // switched on

// A call that always succeeds, with registers that the caller chose left as they are.
constexpr std::uint64_t kNullCall = 4096;

// SAFETY (whole file): the statements attack on purpose; those that go on restore what the compiler relies on.
void call_with_stack(std::uint64_t stack) {
    asm volatile("movq %%rsp, %%r12\n\t"
                 "movq %0, %%rsp\n\t"
                 "syscall\n\t"
                 "movq %%r12, %%rsp"
                 :
                 : "r"(stack), "a"(kNullCall)
                 : "rcx", "r11", "r12", "memory");
}
// Interrupts hit while the stack pointer is nonsense.
void spin_with_stack(std::uint64_t stack) {
    asm volatile("movq %%rsp, %%r12\n\t"
                 "movq %0, %%rsp\n\t"
                 "movl $30000000, %%ecx\n"
                 "1: decl %%ecx\n\t"
                 "jnz 1b\n\t"
                 "movq %%r12, %%rsp"
                 :
                 : "r"(stack)
                 : "rcx", "r12", "memory");
}
// Sets flags, calls, and answers the flags afterwards.
std::uint64_t call_with_flags(std::uint64_t flags) {
    std::uint64_t after;
    asm volatile("pushfq\n\t"
                 "orq %1, (%%rsp)\n\t"
                 "popfq\n\t"
                 "syscall\n\t"
                 "pushfq\n\t"
                 "popq %0\n\t"
                 "cld\n\t"
                 "pushq $0x202\n\t"
                 "popfq"
                 : "=r"(after)
                 : "r"(flags), "a"(kNullCall)
                 : "rcx", "r11", "memory", "cc");
    return after;
}
void load_selectors(std::uint16_t selector) {
    asm volatile("movw %0, %%ds; movw %0, %%es; movw %0, %%fs; movw %0, %%gs" : : "r"(selector));
}
void set_gs_base(std::uint64_t base) { asm volatile("wrgsbase %0" : : "r"(base)); }

alignas(64) std::uint8_t area[4096]; // for XSAVE; zero

void restore_with_header(unsigned byte, std::uint8_t value) {
    area[512 + byte] = value;
    asm volatile("xrstor64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
}

int check(bool good) { return good ? 0 : 1; }

// All attacks, in order: each(name, ways to end, function). The function answers 0 if the child may end well.
template <typename F>
void attacks(F&& each) {
    constexpr std::uint64_t kDebug = by(1), kBreak = by(3), kOverflow = by(4), kUndefined = by(6), kProtection = by(13),
                            kPage = by(14), kX87 = by(16), kSimd = by(19);
    // Instructions of the kernel's.
#define PRIVILEGED(name, text)                                                                                         \
    each(name, kProtection, [] {                                                                                       \
        asm volatile(text : : "a"(0), "c"(0), "d"(0) : "memory");                                                      \
        return 0;                                                                                                      \
    })
    PRIVILEGED("cli", "cli");
    PRIVILEGED("sti", "sti");
    PRIVILEGED("clts", "clts");
    PRIVILEGED("invd", "invd");
    PRIVILEGED("wbinvd", "wbinvd");
    PRIVILEGED("swapgs", "swapgs");
    PRIVILEGED("rdmsr", "rdmsr");
    PRIVILEGED("wrmsr", "wrmsr");
    PRIVILEGED("sysret", "sysretq");
    PRIVILEGED("read_cr0", "movq %%cr0, %%rax");
    PRIVILEGED("write_cr3", "movq %%rax, %%cr3");
    PRIVILEGED("write_cr4", "movq %%rax, %%cr4");
    PRIVILEGED("read_dr7", "movq %%dr7, %%rax");
    PRIVILEGED("write_dr7", "movq %%rax, %%dr7");
    PRIVILEGED("invlpg", "invlpg (%%rax)");
    PRIVILEGED("lgdt", "lgdt (%%rsp)");
    PRIVILEGED("lidt", "lidt (%%rsp)");
    PRIVILEGED("lldt", "lldt %%ax");
    PRIVILEGED("ltr", "ltr %%ax");
    PRIVILEGED("rdpmc", "rdpmc");
    each("stac", kUndefined, [] {
        asm volatile("stac" : : : "memory");
        return 0;
    });
    each("clac", kUndefined, [] {
        asm volatile("clac" : : : "memory");
        return 0;
    });
    each("vmrun", kUndefined, [] {
        asm volatile("vmrun" : : "a"(0) : "memory");
        return 0;
    });
    each("rdpkru", kUndefined, [] {
        asm volatile("rdpkru" : : "c"(0) : "rax", "rdx");
        return 0;
    });
    each("xsetbv", has_xsave() ? kProtection : kUndefined, [] {
        asm volatile("xsetbv" : : "a"(3), "c"(0), "d"(0));
        return 0;
    });
    each("sgdt", has_umip() ? kProtection : kGoesOn, [] {
        asm volatile("sgdt %0" : "=m"(area));
        return 0;
    });
    each("sidt", has_umip() ? kProtection : kGoesOn, [] {
        asm volatile("sidt %0" : "=m"(area));
        return 0;
    });

    // Interrupts of one's own: the kernel's vectors are closed, three are open to everybody.
    each("int_nmi", kProtection, [] {
        asm volatile("int $2");
        return 0;
    });
    each("int_double_fault", kProtection, [] {
        asm volatile("int $8");
        return 0;
    });
    each("int_page_fault", kProtection, [] {
        asm volatile("int $14");
        return 0;
    });
    each("int_machine_check", kProtection, [] {
        asm volatile("int $18");
        return 0;
    });
    each("int_linux", kProtection, [] {
        asm volatile("int $0x80");
        return 0;
    });
    each("int_timer", kProtection, [] {
        asm volatile("int $0xf0");
        return 0;
    });
    each("int_remote_call", kProtection, [] {
        asm volatile("int $0xf2");
        return 0;
    });
    each("int_spurious", kProtection, [] {
        asm volatile("int $0xff");
        return 0;
    });
    each("int3", kBreak, [] {
        asm volatile("int3");
        return 0;
    });
    each("int_overflow", kOverflow, [] {
        asm volatile("int $4");
        return 0;
    });
    each("icebp", kDebug | kUndefined, [] {
        asm volatile(".byte 0xf1");
        return 0;
    });
    each("stack_segment_then_int3", kBreak, [] {
        asm volatile("movl %%ss, %%eax; movl %%eax, %%ss; int3" : : : "rax");
        return 0;
    });

    // Single steps into a call: the kernel does not step, the program does.
    each("step", kDebug, [] {
        asm volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop" : : : "memory", "cc");
        return 0;
    });
    each("step_into_call", kDebug, [] { return call_with_flags(0x100), 0; });
    each("stack_segment_then_call", kDebug, [] {
        asm volatile("pushfq; orq $0x100, (%%rsp); movl %%ss, %%ebx; popfq; movl %%ebx, %%ss; syscall; nop; nop"
                     :
                     : "a"(kNullCall)
                     : "rbx", "rcx", "r11", "memory", "cc");
        return 0;
    });

    // Flags that the kernel must not run with, or hand back.
    each("flags_in_calls", kGoesOn, [] {
        constexpr std::uint64_t kPrivilege = 3 << 12, kNested = 1 << 14, kDirection = 1 << 10, kAlignment = 1 << 18,
                                kIdentification = 1 << 21;
        bool good = true;
        for (unsigned i = 0; i < kTimes; ++i) {
            good = (call_with_flags(kPrivilege) & kPrivilege) == 0 && good;
            (void)call_with_flags(kNested);
            good = (call_with_flags(kDirection | kAlignment | kIdentification) & kDirection) != 0 && good;
        }
        return check(good);
    });
    each("direction_in_a_fault", kGoesOn, [] {
        const auto page = sys::agent_mem_alloc(self, 1 << 20, kProtectRead | kProtectWrite);
        if (!page) return 1;
        for (unsigned i = 0; i < 256; ++i) // each a page that is not there yet
            asm volatile("std; movb $1, (%0); cld" : : "r"(*page + i * 4096) : "memory", "cc");
        return 0;
    });
    each("alignment_is_not_checked", kGoesOn, [] {
        asm volatile("pushfq; orq $0x40000, (%%rsp); popfq; movl 1(%0), %%eax; pushq $0x202; popfq"
                     :
                     : "r"(area)
                     : "rax", "memory", "cc");
        return 0;
    });
    each("return_with_privilege", kGoesOn | kPage, [] {
        std::uint64_t flags = 0;
        for (unsigned i = 0; i < kTimes; ++i) {
            asm volatile(
                "movq %%rsp, %%rcx; movl %%ss, %%eax; pushq %%rax; pushq %%rcx; pushq $0x3202; movl %%cs, %%eax;"
                "pushq %%rax; leaq 1f(%%rip), %%rax; pushq %%rax; iretq; 1: pushfq; popq %0"
                : "=r"(flags)
                :
                : "rax", "rcx", "memory", "cc");
            if ((flags & 0x3000) != 0) return 1;
        }
        return 0;
    });
    each("return_to_the_kernel", kProtection | kPage, [] {
        asm volatile(
            "pushq $0x10; pushq %%rsp; pushq $0x202; pushq $0x08; leaq 1f(%%rip), %%rax; pushq %%rax; iretq; 1:"
            :
            :
            : "rax", "memory");
        return 0;
    });

    // Selectors and bases.
    each("kernel_data_selector", kProtection, [] { return load_selectors(0x10), 0; });
    each("task_selector", kProtection, [] { return load_selectors(0x30), 0; });
    each("selector_beyond_the_table", kProtection, [] { return load_selectors(0xfffb), 0; });
    each("local_selector", kProtection, [] { return load_selectors(0x0f), 0; });
    each("user_selectors_in_calls", kGoesOn, [] {
        for (unsigned i = 0; i < kTimes; ++i) {
            load_selectors(static_cast<std::uint16_t>(i % 2 == 0 ? 0x23 : i % 4));
            (void)call_with_flags(0);
        }
        return 0;
    });
    each("no_base", (has_bases() ? kProtection : kUndefined) | kGoesOn, [] {
        set_gs_base(kNoAddress);
        for (unsigned i = 0; i < kTimes; ++i) {
            (void)call_with_flags(0);
            (void)sys::thread_yield();
        }
        return 0;
    });
    each("kernel_base_in_calls", has_bases() ? kGoesOn : kUndefined, [] {
        set_gs_base(kKernelAddress);
        for (unsigned i = 0; i < kTimes; ++i) {
            (void)call_with_flags(0);
            (void)sys::thread_yield();
        }
        spin_with_stack(kKernelAddress);
        std::uint64_t base;
        asm volatile("rdgsbase %0" : "=r"(base));
        return check(base == kKernelAddress);
    });
    each("kernel_base_read", has_bases() ? kPage : kUndefined, [] {
        set_gs_base(kKernelAddress);
        asm volatile("movq %%gs:0, %%rax" : : : "rax");
        return 0;
    });

    // Stack pointers.
    each("stacks_in_calls", kGoesOn, [] {
        for (unsigned i = 0; i < kTimes; ++i) {
            for (const std::uint64_t stack : {std::uint64_t{0}, std::uint64_t{7}, kNoAddress, kKernelAddress})
                call_with_stack(stack);
        }
        return 0;
    });
    each("stacks_in_interrupts", kGoesOn, [] {
        for (const std::uint64_t stack : {std::uint64_t{0}, kNoAddress, kKernelAddress})
            spin_with_stack(stack);
        return 0;
    });

    // Floating point.
    each("reserved_mxcsr", kProtection | kGoesOn, [] {
        const std::uint32_t bad = 0xffff'0000;
        asm volatile("ldmxcsr %0" : : "m"(bad));
        for (unsigned i = 0; i < kTimes; ++i)
            (void)sys::thread_yield();
        return 0;
    });
    each("unmasked_simd", kSimd | kGoesOn, [] {
        const std::uint32_t open = 0;
        asm volatile(
            "ldmxcsr %0; xorps %%xmm0, %%xmm0; pcmpeqd %%xmm1, %%xmm1; psrld $31, %%xmm1; cvtdq2ps %%xmm1, %%xmm1;"
            "divps %%xmm0, %%xmm1"
            :
            : "m"(open));
        return 0;
    });
    each("pending_x87", kX87, [] {
        const std::uint16_t open = 0x340;
        asm volatile("fninit; fldcw %0; fld1; fldz; fdivrp"
                     :
                     : "m"(open)); // one by zero: waits for the next of its kind
        for (unsigned i = 0; i < kTimes; ++i)
            (void)sys::thread_yield();
        (void)call_with_flags(0);
        asm volatile("fwait");
        return 0;
    });
    if (has_xsave()) {
        each("restore_unknown_components", kProtection, [] { return restore_with_header(2, 0xff), 0; });
        each("restore_compacted", kProtection, [] { return restore_with_header(15, 0xc0), 0; });
        each("restore_reserved", kProtection, [] { return restore_with_header(16, 1), 0; });
        each("restore_unaligned", kProtection, [] {
            asm volatile("xrstor64 1(%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
            return 0;
        });
    }
#undef PRIVILEGED
}

int attack(std::uint64_t wanted) {
    std::uint64_t number = 0;
    int status = 2; // no such attack
    attacks([&](const char*, std::uint64_t, auto&& function) {
        if (number++ == wanted) status = function();
    });
    return status;
}

void test_attacks() {
    std::uint64_t number = 0, faults = 0, survived = 0;
    attacks([&](const char* name, std::uint64_t expected, auto&&) {
        const char argument[] = {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10), '\0'};
        ++number;
        SpawnOptions options;
        options.arguments = {argument, sizeof(argument)};
        const OwnedHandle child(GET(spawn("bin/test_processor", options)));
        const AgentInfo end = wait_dead(child.get(), 30);
        const bool fault = end.end_reason == static_cast<std::uint32_t>(EndReason::fault) && end.end_status < 32;
        const bool well = ended_with(end, EndReason::exited, 0);
        const std::uint64_t how = fault ? by(static_cast<unsigned>(end.end_status)) : well ? kGoesOn : 0;
        const bool good = (expected & how) != 0;
        if (fault) ++faults;
        if (well) ++survived;
        if (good) return;
        console_print("{}: reason {} status {} at {:x}\n", std::string_view(name), end.end_reason, end.end_status,
                      end.fault_address);
        failed(name, __LINE__);
    });
    console_print("{} attacks: {} end with the exception that is theirs, {} go on\n", number, faults, survived);
    CHECK(number == faults + survived);
    CHECK(faults >= 50);
    CHECK(survived >= 9);
}

// Threads that would start outside of user space, or with a stack there, are refused.
void test_thread_starts() {
    for (const std::uint64_t address : {std::uint64_t{0x8000'0000'0000}, kKernelAddress, kNoAddress}) {
        CHECK_ERROR(sys::thread_create(self, address, address_of(area), 0), bad_address);
        CHECK_ERROR(sys::thread_create(self, address_of(&attack), address, 0), bad_address);
    }
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "processor");
    if (block.argument_count == 1) {
        const char* at = reinterpret_cast<const char*>(block.arguments); // SAFETY: put there by the kernel
        return attack(static_cast<std::uint64_t>((at[0] - '0') * 10 + (at[1] - '0')));
    }
    run("attacks", test_attacks);
    run("thread_starts", test_thread_starts);
    return finish();
}
