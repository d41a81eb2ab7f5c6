// The arch interface: all that the rest of the kernel sees of the processor. Implemented in kernel/arch/x86_64, the only place
// with assembler, ports, MMIO primitives and control registers. Header order: this stands before everything else of the kernel.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace aios::arch {

inline constexpr unsigned kMaxCpus = 64;
inline constexpr std::size_t kPageSize = 4096;
inline constexpr std::size_t kKernelStackBytes = 16384;      // plus an unmapped guard page below
inline constexpr std::uint64_t kUserLow = 0x10000;           // lowest user address
inline constexpr std::uint64_t kUserHigh = 0x7fff'ffff'f000; // first address past user space

struct PhysAddr {
    std::uint64_t value = 0;
    constexpr auto operator<=>(const PhysAddr&) const = default;
};

// --- this CPU --------------------------------------------------------------------------------------------------------
[[nodiscard]] unsigned cpu_index(); // 0 .. cpu_count()-1; stable only while interrupts are off
[[nodiscard]] unsigned cpu_count(); // CPUs that are up
[[nodiscard]] bool interrupts_enabled();
bool interrupts_disable(); // returns whether they were on
void interrupts_enable();
void wait_for_interrupt();           // enable and halt as one step; returns with interrupts disabled
void relax();                        // pause in a spin loop
[[nodiscard]] std::uint64_t ticks(); // time stamp counter

// Interrupts are off for the life of the guard; nests.
class [[nodiscard]] InterruptGuard {
public:
    InterruptGuard() : were_enabled_(interrupts_disable()) {}
    ~InterruptGuard() {
        if (were_enabled_) interrupts_enable();
    }
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;

private:
    bool were_enabled_;
};

// One T a CPU, each on its own cache lines. mine() needs interrupts off.
template <typename T>
class PerCpu {
public:
    [[nodiscard]] T& mine() { return slots_[cpu_index()].value; }
    [[nodiscard]] T& of(unsigned cpu) { return slots_[cpu].value; }

private:
    struct alignas(64) Slot {
        T value{};
    };
    Slot slots_[kMaxCpus]{};
};

// What the processor says of itself (CPUID); all CPUs are taken to be alike.
struct CpuDescription {
    char vendor[13], name[49]; // NUL-ended; the name may be empty
    std::uint32_t family, model, stepping, cache_line_bytes, physical_bits, virtual_bits;
};
[[nodiscard]] CpuDescription describe_cpu();
inline constexpr std::size_t kMostCpuFeatures = 64;
// The names of its features that a program may use, in the words that Linux has for them; how many there are.
std::size_t cpu_features(std::string_view (&names)[kMostCpuFeatures]);

// The current thread's pointer lives in the CPU block (one gs-relative load).
[[nodiscard]] void* current_thread();
void set_current_thread(void* thread, std::uint64_t kernel_stack_top); // also sets TSS.RSP0 and the SYSCALL stack

// --- other CPUs ------------------------------------------------------------------------------------------------------
void send_reschedule(unsigned cpu); // that CPU takes upcall::reschedule()
// By IPI; waits until all have run it. Safe with interrupts off.
void run_on_others(void (*function)(void*), void* argument);
[[nodiscard]] std::uint64_t rounds_waited_for(); // how often a CPU has asked others so, for whatever reason
[[noreturn]] void halt_others_and_stop();        // panic

// --- registers of an interrupted or calling context ------------------------------------------------------------------
struct TrapFrame { // laid out as the entry code pushes it
    std::uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    std::uint64_t vector, error;
    std::uint64_t rip, cs, rflags, rsp, ss;
    [[nodiscard]] bool from_user() const { return (cs & 3) == 3; }
};

// --- contexts --------------------------------------------------------------------------------------------------------
struct KernelContext {
    std::uint64_t stack_pointer = 0;
};
// `entry(argument)` runs on the stack when first switched to, with interrupts disabled; it must not return.
void prepare_context(KernelContext& context, std::uint64_t stack_top, void (*entry)(void*), void* argument);
// Saves callee-saved registers into `from`, continues `to`. Interrupts are off.
void switch_context(KernelContext& from, KernelContext& to);
[[noreturn]] void enter_user(const TrapFrame& frame); // IRETQ with all registers; interrupts on in user mode
[[nodiscard]] TrapFrame make_user_frame(std::uint64_t rip, std::uint64_t rsp); // all other registers zero
// System-call argument access so that nobody else knows the register order.
struct CallArguments {
    std::uint64_t number;
    std::uint64_t values[6];
};
[[nodiscard]] CallArguments call_arguments(const TrapFrame& frame);
void set_call_result(TrapFrame& frame, std::int64_t value);
// The thread takes the same call again, with the registers as they are but for the number. Only on a call's own frame.
void restart_call(TrapFrame& frame, std::uint64_t number);

// Extended state (x87, SSE, AVX: size from CPUID 0xD) and the user's fs/gs bases.
[[nodiscard]] std::size_t extended_state_bytes(); // needs 64-byte alignment
void init_extended_state(void* area);
void save_extended_state(void* area);
void restore_extended_state(const void* area);
// For areas that went through user memory (signal frames): which components there are (XCR0's bits), and taking out of
// an area whatever restore would fault at.
[[nodiscard]] std::uint64_t extended_state_components();
void clean_extended_state(void* area);
[[nodiscard]] std::uint64_t user_fs_base();
void set_user_fs_base(std::uint64_t base);
[[nodiscard]] std::uint64_t user_gs_base();
void set_user_gs_base(std::uint64_t base);
struct UserBases {
    std::uint64_t fs = 0, gs = 0;
};
void save_user_bases(UserBases& bases); // interrupts are off
void load_user_bases(const UserBases& bases);

// --- page tables -----------------------------------------------------------------------------------------------------
// `owned` is a mark that mm keeps in a page table entry (a bit that the processor ignores); arch gives it no meaning.
// An entry with none of read, write, execute keeps its frame and mark but is not present: nobody, the kernel included,
// reaches the page through it (mprotect to nothing and back must not lose contents).
enum class Protection : std::uint32_t { none = 0, read = 1, write = 2, execute = 4, owned = 8 };
constexpr Protection operator|(Protection a, Protection b) {
    return static_cast<Protection>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr Protection operator&(Protection a, Protection b) {
    return static_cast<Protection>(static_cast<std::uint32_t>(a) & static_cast<std::uint32_t>(b));
}
constexpr Protection operator~(Protection a) { return static_cast<Protection>(~static_cast<std::uint32_t>(a) & 15u); }
constexpr bool has(Protection set, Protection bit) {
    return (static_cast<std::uint32_t>(set) & static_cast<std::uint32_t>(bit)) != 0;
}
[[nodiscard]] void* physmap(PhysAddr address); // kernel address of any RAM address
[[nodiscard]] PhysAddr physmap_to_phys(const void* pointer);
// Whole pages, by the widest moves that the processor has.
void zero_page(void* page);
void copy_page(void* to, const void* from);

// Where page tables get their frames: given by mm, so that each table page is charged.
class TableFrames {
public:
    virtual Result<PhysAddr> allocate_table() = 0; // zeroed
    virtual void free_table(PhysAddr) = 0;

protected:
    ~TableFrames() = default;
};

// The user half of one address space, 4 KiB pages. The kernel half is shared by all. Callers serialise; flushing is explicit.
class PageTable {
public:
    static Result<PageTable> create(TableFrames& frames);
    PageTable() = default;
    void destroy(); // frees table frames, not the mapped frames
    // Replaces what is there. Needs table frames for new tables only: out_of_memory, or the error of allocate_table().
    Result<> map(std::uint64_t address, PhysAddr frame, Protection protection);
    Result<> map_device(std::uint64_t address, PhysAddr frame, Protection protection); // the same, uncached
    // Removes the entry; the frame that was mapped, or nothing.
    struct Removed {
        bool was_mapped;
        PhysAddr frame;
        bool dirty;
        Protection protection; // with the mark
    };
    Removed unmap(std::uint64_t address);
    void protect(std::uint64_t address, Protection protection); // no effect where nothing is mapped; sets the mark too
    struct Entry {
        bool mapped;
        PhysAddr frame;
        Protection protection;
    };
    [[nodiscard]] Entry query(std::uint64_t address) const;
    // Runs of pages at once, for few of them; the tables are walked once. prepare() makes what tables [from, from + pages*4096)
    // lacks: after it exchange() there cannot fail.
    Result<> prepare(std::uint64_t from, std::size_t pages);
    // Puts `entries` there, one after the other (not mapped: no entry), and answers in them what was there. Whether
    // anything was.
    [[nodiscard]] bool exchange(std::uint64_t from, std::span<Entry> entries);
    // Takes the right to write away, and answers in `entries` what is left. Whether any had it.
    [[nodiscard]] bool freeze(std::uint64_t from, std::span<Entry> entries);
    // First address >= `from` and < `to` that has a mapping, or `to`; skips empty tables.
    [[nodiscard]] std::uint64_t next_mapped(std::uint64_t from, std::uint64_t to) const;
    void activate();                    // load CR3 on this CPU; interrupts off
    static void activate_kernel_only(); // no user half
    // Flush [from, from + pages*4096) on every CPU that runs this table; returns when none can use the old entries.
    void flush(std::uint64_t from, std::size_t pages);
    [[nodiscard]] std::uint64_t root() const { return root_; }

private:
    std::uint64_t root_ = 0;
    TableFrames* frames_ = nullptr;
    std::uint64_t active_mask_ = 0; // CPUs that have this table loaded; atomic access
};

// Kernel mappings outside the physmap (stacks with guard pages, device registers). Address ranges come from mm, which takes
// them out of kernel_range(): at least 1 GiB that nothing else uses, page aligned, at a random place.
struct KernelRange {
    std::uint64_t base, bytes;
};
[[nodiscard]] KernelRange kernel_range();
enum class Caching : std::uint8_t { memory, device_registers }; // the latter are never cached
Result<> map_kernel(std::uint64_t address, PhysAddr frame, Protection protection, Caching caching);
// Each address must be mapped; answers the frames. Flushed on all CPUs in one round of interrupts, whose answers it waits
// for: so whoever has many pages to unmap gives them together, at most kMostUnmapped.
inline constexpr std::size_t kMostUnmapped = 64;
void unmap_kernel(std::span<const std::uint64_t> addresses, PhysAddr* frames);
void set_kernel_table_frames(TableFrames& frames);

// --- user memory -----------------------------------------------------------------------------------------------------
// 0 bytes are one wherever they lie.
[[nodiscard]] constexpr bool is_user_range(std::uint64_t address, std::uint64_t bytes) {
    return bytes == 0 || (address >= kUserLow && address < kUserHigh && bytes <= kUserHigh - address);
}
// For kernel/mm/user_memory.hpp, which every other copy goes through.
// Copy with faults taken: upcall::page_fault resolves demand pages; what cannot be resolved ends the copy with bad_address.
// SMAP is opened for the copy alone. `bytes` may be 0.
Result<> copy_from_user(void* to, std::uint64_t from, std::size_t bytes);
Result<> copy_to_user(std::uint64_t to, const void* from, std::size_t bytes);
Result<std::uint32_t> user_load_u32(std::uint64_t address); // atomic
Result<bool> user_compare_exchange_u32(std::uint64_t address, std::uint32_t& expected, std::uint32_t desired);

// --- time ------------------------------------------------------------------------------------------------------------
void timer_arm(std::uint64_t ticks_deadline); // one shot on this CPU, at that TSC value; past = at once
void timer_disarm();

enum class FaultAccess : std::uint8_t { read, write, execute };

// --- upcalls (docs/design/upcalls.md): answered by the rest of the kernel --------------------------------------------
namespace upcall {
void system_call(TrapFrame& frame); // interrupts on
// A fault. Returns normally when it was handled (retry); for faults of the kernel that nobody handles, arch panics.
// `address` is CR2 for page faults. Called with interrupts as they were at the fault.
bool page_fault(TrapFrame& frame, std::uint64_t address, FaultAccess access);
// Any other exception from user mode, and unresolved page faults.
void user_exception(TrapFrame& frame, std::uint64_t address);
void timer();                         // local timer, interrupts off
void reschedule();                    // reschedule IPI, interrupts off
void device_interrupt(unsigned line); // I/O APIC line (GSI), interrupts off
// Before every return to user mode, interrupts off: preemption, kills, signals. May enable interrupts and block inside.
void before_user(TrapFrame& frame);
// After an interrupt that hit kernel code with interrupts on: preempt if asked. Interrupts off.
void kernel_preempt();
// Around each access to user memory by the kernel, interrupts on; and after an interrupt that hit kernel code, when
// kernel_preempt() is done, interrupts off. Answers whether the thread's extended state is kept when it leaves the CPU:
// only then may a copy use it.
bool user_access_begins();
void user_access_ends();
void user_access_resumes();
[[noreturn]] void cpu_started(unsigned cpu); // an application processor is ready, on its own stack, interrupts off
[[noreturn]] void kernel_main();             // the boot processor, on the boot stack, interrupts off
} // namespace upcall

} // namespace aios::arch
