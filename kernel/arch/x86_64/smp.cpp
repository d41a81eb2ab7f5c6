// Starts the other CPUs one after another by INIT and start-up interrupts (SDM volume 3 section 9.4.4). Each gets a
// stack and three exception stacks, takes itself over as the boot CPU did, and goes to upcall::cpu_started. A CPU that
// does not come in time is left out, with those after it, and halts when it comes late.
// SAFETY: the page below 1 MiB is ours (early.cpp took it); the fields that are filled in are those of trampoline.S.
#include <atomic>
#include <cstring>

#include "base/assert.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/clock.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/page_entry.hpp"

extern "C" {
extern const char trampoline_begin[], trampoline_end[], trampoline_gdt_pointer[], trampoline_far32[],
    trampoline_far64[], trampoline_root[], trampoline_stack[], trampoline_index[], trampoline_entry[];
}

namespace aios::arch {
namespace {

using namespace x86;

struct Stacks {
    std::uint64_t own = 0;
    ExceptionStacks exceptions{};
};
Stacks stacks_of[kMaxCpus];
constinit std::atomic<unsigned> arrived{0};

// The CPU that is being called, and whether it has answered. Whoever changes `calling` first decides: a CPU that comes
// after it was given up halts before it has touched anything that is shared.
enum class Phase : std::uint64_t { calling = 1, answered = 2, given_up = 3 };
constexpr std::uint64_t call_word(std::uint64_t index, Phase phase) {
    return index << 2 | static_cast<std::uint64_t>(phase);
}
constinit std::atomic<std::uint64_t> call{0};
bool settle(std::uint64_t index, Phase phase) {
    std::uint64_t expected = call_word(index, Phase::calling);
    return call.compare_exchange_strong(expected, call_word(index, phase), std::memory_order_acq_rel);
}

// A virtual CPU may wait for seconds until a busy host runs it.
constexpr std::uint64_t kPatience = 10'000'000; // microseconds

void wait_microseconds(std::uint64_t microseconds) {
    const std::uint64_t until = read_tsc() + tsc_per_second() / 1'000'000 * microseconds;
    while (read_tsc() < until)
        relax();
}

bool wait_for(unsigned index, std::uint64_t microseconds) {
    const std::uint64_t until = read_tsc() + tsc_per_second() / 1'000'000 * microseconds;
    while (read_tsc() < until) {
        if (arrived.load(std::memory_order_acquire) == index) return true;
        relax();
    }
    return false;
}

[[noreturn]] void ap_entry(std::uint64_t index) {
    if (!settle(index, Phase::answered)) halt_forever();
    write_cr3(boot_facts.kernel_root); // without the trampoline's identity page
    init_cpu(static_cast<unsigned>(index), stacks_of[index].exceptions);
    set_current_thread(nullptr, stacks_of[index].own);
    init_local_apic();
    init_timer();
    arrived.store(static_cast<unsigned>(index), std::memory_order_release);
    upcall::cpu_started(static_cast<unsigned>(index));
}

// A root that has the kernel's half and the trampoline page at its own address, readable and executable.
Result<std::uint64_t> make_trampoline_root(std::uint64_t page) {
    std::uint64_t tables[4];
    for (auto& table : tables) {
        table = early_table();
        if (table == 0) return fail(Error::out_of_memory);
        if (table >= 1ull << 32) return fail(Error::unsupported); // CR3 is loaded in 32-bit mode
    }
    std::memcpy(table_of(tables[0]) + 256, table_of(boot_facts.kernel_root) + 256, kPageSize / 2);
    for (unsigned level = 4; level > 1; --level)
        table_of(tables[4 - level])[index_at(page, level)] = tables[5 - level] | kPtePresent;
    table_of(tables[3])[index_at(page, 1)] = page | kPtePresent;
    return tables[0];
}

class Trampoline {
public:
    Trampoline(std::uint64_t page, std::uint64_t root) : base_(static_cast<char*>(physmap({page}))), page_(page) {
        const auto bytes = static_cast<std::size_t>(trampoline_end - trampoline_begin);
        AIOS_ASSERT(bytes <= kPageSize);
        std::memcpy(base_, trampoline_begin, bytes);
        add_page(trampoline_gdt_pointer + 2);
        add_page(trampoline_far32);
        add_page(trampoline_far64);
        set(trampoline_root, root);
        set(trampoline_entry, reinterpret_cast<std::uint64_t>(&ap_entry));
    }
    void aim(unsigned index) {
        set(trampoline_index, index);
        set(trampoline_stack, stacks_of[index].own);
    }

private:
    char* place(const char* field) { return base_ + (field - trampoline_begin); }
    void set(const char* field, std::uint64_t value) { std::memcpy(place(field), &value, sizeof(value)); }
    void add_page(const char* field) {
        std::uint32_t value;
        std::memcpy(&value, place(field), sizeof(value));
        value += static_cast<std::uint32_t>(page_);
        std::memcpy(place(field), &value, sizeof(value));
    }
    char* base_;
    std::uint64_t page_;
};

Result<> give_stacks(unsigned index, Result<std::uint64_t> (*allocate_stack)()) {
    Stacks& stacks = stacks_of[index];
    stacks.exceptions.double_fault = TRY(allocate_stack());
    stacks.exceptions.nmi = TRY(allocate_stack());
    stacks.exceptions.machine_check = TRY(allocate_stack());
    stacks.own = TRY(allocate_stack());
    return {};
}

bool start_one(unsigned index, std::uint32_t apic_id, std::uint64_t page) {
    call.store(call_word(index, Phase::calling), std::memory_order_release);
    send_init(apic_id);
    wait_microseconds(200);
    for (int tries = 0; tries < 2; ++tries) {
        send_startup(apic_id, static_cast<std::uint8_t>(page >> 12));
        if (wait_for(index, tries == 0 ? 2'000 : kPatience)) return true;
    }
    if (settle(index, Phase::given_up)) return false;
    while (!wait_for(index, kPatience)) {
    } // it is on its way
    return true;
}

} // namespace

Result<unsigned> start_cpus(std::span<const std::uint32_t> apic_ids, Result<std::uint64_t> (*allocate_stack)()) {
    const std::uint64_t page = boot_facts.trampoline_page;
    if (page == 0) return fail(Error::not_found);
    Trampoline trampoline(page, TRY(make_trampoline_root(page)));
    unsigned index = 1;
    for (const std::uint32_t apic_id : apic_ids) {
        if (apic_id == this_cpu().apic_id || index == kMaxCpus) continue;
        if (!apic_reaches(apic_id)) {
            log(LogLevel::warning, "the CPU with APIC id {} is left out: firmware has not switched to x2APIC", apic_id);
            continue;
        }
        TRY(give_stacks(index, allocate_stack));
        trampoline.aim(index);
        if (!start_one(index, apic_id, page)) {
            // Should it come after all it stands on this stack and halts there, so nobody else gets it.
            log(LogLevel::warning, "CPU with APIC id {} does not start; the CPUs after it are left out", apic_id);
            break;
        }
        ++index;
    }
    return index;
}

} // namespace aios::arch
