// Several CPUs: interrupts between them, calls on others, and flushes that two CPUs ask of each other at once.
#include <atomic>

#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/mm/mm.hpp"
#include "kernel/mm/size_classes.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/time/clock.hpp"
#include "tests/kernel/payer.hpp"
#include "tests/kernel/test.hpp"

namespace aios {
namespace {

bool wait_until(const std::atomic<unsigned>& value, unsigned wanted, std::uint64_t milliseconds = 60'000) {
    const std::uint64_t end = time::deadline_after(milliseconds * 1'000'000);
    while (value.load(std::memory_order_acquire) != wanted) {
        if (time::now_ns() > end) return false;
        sched::yield();
    }
    return true;
}

KERNEL_TEST_ON(smp_runs_on_every_other_cpu, 2) {
    struct State {
        std::atomic<std::uint64_t> mask{0};
        std::atomic<unsigned> runs{0};
    } state;
    const auto note = [](void* argument) {
        auto& s = *static_cast<State*>(argument);
        s.mask.fetch_or(1ull << arch::cpu_index());
        s.runs.fetch_add(1);
    };
    for (unsigned round = 1; round <= 20; ++round) {
        arch::InterruptGuard guard;
        state.mask = 0;
        state.runs = 0;
        arch::run_on_others(note, &state);
        // All have run when it returns, each once, and not this one.
        KERNEL_EXPECT(state.runs == arch::cpu_count() - 1);
        KERNEL_EXPECT(state.mask == (((1ull << arch::cpu_count()) - 1) & ~(1ull << arch::cpu_index())));
    }
}

// Two threads that unmap kernel pages with interrupts off, again and again: each needs the other's CPU to answer
// meanwhile.
std::atomic<unsigned> flushers_done;

void flush_often(void*) {
    for (unsigned i = 0; i < 12; ++i) {
        arch::InterruptGuard guard;
        arch::run_on_others([](void*) {}, nullptr);
    }
    flushers_done.fetch_add(1, std::memory_order_release);
}

KERNEL_TEST_ON(smp_mutual_requests_do_not_deadlock, 2) {
    flushers_done = 0;
    const unsigned threads = arch::cpu_count() * 2;
    for (unsigned i = 0; i < threads; ++i) {
        auto thread = Thread::create_kernel("flusher", flush_often, nullptr);
        KERNEL_EXPECT(thread.has_value());
        (*thread)->start();
    }
    KERNEL_EXPECT(wait_until(flushers_done, threads));
}

// A stack that is freed and mapped again is the same address with another frame: no CPU may see the old one.
KERNEL_TEST(smp_unmapped_kernel_pages_are_gone_everywhere) {
    auto first = mm::allocate_frames(0), second = mm::allocate_frames(0);
    KERNEL_EXPECT(first.has_value() && second.has_value());
    auto* first_word = static_cast<volatile std::uint64_t*>(arch::physmap(*first));
    auto* second_word = static_cast<volatile std::uint64_t*>(arch::physmap(*second));
    *first_word = 1;
    *second_word = 2;
    static constexpr std::uint64_t kAt = 0xffff'e07f'ff00'0000; // the far end of the window space
    struct Seen {
        std::atomic<unsigned> wrong{0};
        std::uint64_t wanted = 0;
    } seen;
    const auto look = [](void* argument) {
        auto& s = *static_cast<Seen*>(argument);
        if (*reinterpret_cast<volatile std::uint64_t*>(kAt) != s.wanted) s.wrong.fetch_add(1);
    };
    for (unsigned round = 0; round < 10; ++round) {
        for (const auto& [frame, value] : {std::pair{*first, 1ull}, std::pair{*second, 2ull}}) {
            KERNEL_EXPECT(arch::map_kernel(kAt, frame, arch::Protection::read, arch::Caching::memory).has_value());
            seen.wanted = value;
            look(&seen);
            arch::run_on_others(look, &seen);
            arch::PhysAddr was{};
            arch::unmap_kernel({&kAt, 1}, &was);
            KERNEL_EXPECT(was == frame);
        }
    }
    mm::release_frames(*first, 0);
    mm::release_frames(*second, 0);
    KERNEL_EXPECT(seen.wrong == 0);
}

// Stacks of threads that ended are unmapped many at a time: the other CPUs are not asked for each.
KERNEL_TEST(smp_stacks_are_freed_with_few_rounds) {
    constexpr std::size_t kStacks = 160; // more than are kept
    static std::uint64_t tops[kStacks];
    for (auto& top : tops) {
        const auto made = mm::allocate_stack();
        KERNEL_EXPECT(made.has_value());
        top = *made;
        *reinterpret_cast<volatile std::uint64_t*>(top - 8) = top;
    }
    const std::uint64_t before = arch::rounds_waited_for();
    for (const std::uint64_t top : tops)
        mm::free_stack(top);
    KERNEL_EXPECT(arch::rounds_waited_for() - before <= kStacks / 16 + 4); // others may ask for something meanwhile
}

// An owner with an address space, as a process is one.
class SpaceOwner final : public sched::ThreadOwner {
public:
    explicit SpaceOwner(mm::AddressSpace& space) : space_(space) {}
    sched::ShareGroup& share_group() override { return sched::root_group(); }
    mm::AddressSpace* address_space() override { return &space_; }
    void thread_exited(Thread&) override {}
    void retain() override {}
    void release() override {}

private:
    mm::AddressSpace& space_;
};

// The CPU on which the last thread of a process ended has left its address space: whoever frees it asks nobody.
KERNEL_TEST_ON(smp_the_dead_leave_their_address_space, 2) {
    static constinit kernel_test::TestPayer payer;
    for (unsigned i = 0; i < 8; ++i) {
        auto space = mm::AddressSpace::create(payer);
        KERNEL_EXPECT(space.has_value());
        SpaceOwner owner(**space);
        {
            auto thread = Thread::create_in_kernel(payer, Ref<sched::ThreadOwner>::share(owner), [](void*) {}, nullptr);
            KERNEL_EXPECT(thread.has_value());
            (*thread)->start();
            while ((*thread)->state() != ThreadState::dead)
                sched::yield();
        }
        while (payer.used() > mm::cost_of<mm::AddressSpace> + mm::kPageSize) // until it is buried
            sched::yield();
        const std::uint64_t before = arch::rounds_waited_for();
        space->reset();
        KERNEL_EXPECT(arch::rounds_waited_for() == before);
    }
    KERNEL_EXPECT(payer.used() == 0);
}

KERNEL_TEST(smp_every_cpu_has_its_own_block) {
    for (unsigned cpu = 0; cpu < arch::cpu_count(); ++cpu) {
        const auto& block = arch::x86::cpu_blocks[cpu];
        KERNEL_EXPECT(block.self == &block);
        KERNEL_EXPECT(block.index == cpu);
        for (unsigned other = 0; other < cpu; ++other)
            KERNEL_EXPECT(arch::x86::cpu_blocks[other].apic_id != block.apic_id);
        KERNEL_EXPECT(block.task.interrupt_stack[0] != 0);
    }
}

} // namespace
} // namespace aios
