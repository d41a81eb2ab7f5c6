// Memory on the real machine: frames and heap on all CPUs at once, stacks with guards, address spaces through the
// processor's own page tables and translation caches. The algorithms themselves have host tests (tests/unit/mm).
#include <atomic>
#include <cstring>

#include "kernel/arch/x86_64/layout.hpp"
#include "kernel/arch/x86_64/table_walk.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/thread.hpp"
#include "tests/kernel/payer.hpp"
#include "tests/kernel/test.hpp"

namespace aios {
namespace {

using arch::Protection;
using mm::AddressSpace;
using mm::kPageSize;
using Access = AddressSpace::Access;
constexpr Protection kReadWrite = Protection::read | Protection::write;

// Runs `function(argument)` on `count` kernel threads and waits for their end.
bool run_threads(unsigned count, void (*function)(void*), void* argument) {
    Ref<Thread> threads[8];
    bool good = true;
    for (unsigned i = 0; i < count; ++i) {
        auto thread = Thread::create_kernel("test", function, argument);
        good = good && thread.has_value();
        if (!thread) continue;
        threads[i] = std::move(*thread);
        threads[i]->start();
    }
    for (unsigned i = 0; i < count; ++i)
        while (threads[i] && threads[i]->state() != ThreadState::dead)
            sched::sleep_until(sched::now_ns() + 500'000);
    return good;
}

std::uint64_t next_random(std::uint64_t& state) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

} // namespace

KERNEL_TEST(mm_frames_come_back) {
    const mm::FrameCounts before = mm::frame_counts();
    KERNEL_EXPECT(before.free > 1000 && before.free <= before.total);
    arch::PhysAddr frames[200];
    for (unsigned i = 0; i < 200; ++i) {
        const auto frame = mm::allocate_frames(i % 5);
        KERNEL_EXPECT(frame.has_value());
        frames[i] = *frame;
        std::memset(arch::physmap(*frame), static_cast<int>(i), kPageSize << (i % 5));
    }
    for (unsigned i = 0; i < 200; ++i) {
        const auto* bytes = static_cast<const unsigned char*>(arch::physmap(frames[i]));
        KERNEL_EXPECT(bytes[0] == i && bytes[(kPageSize << (i % 5)) - 1] == i);
        mm::release_frames(frames[i], i % 5);
    }
    KERNEL_EXPECT(mm::frame_counts().free == before.free);
    KERNEL_EXPECT(!mm::allocate_frames(18).has_value() || before.total > 1u << 18);
}

// Objects that one CPU allocates are freed by another; each holds its own address and size.
KERNEL_TEST(mm_heap_on_all_cpus_at_once) {
    struct Shared {
        std::atomic<std::uint64_t*> slots[64];
        std::atomic<std::uint64_t> seed{88172645463325252ull}, mistakes{0};
    };
    static Shared shared;
    const auto work = [](void*) {
        std::uint64_t random = shared.seed.fetch_add(0x9e3779b97f4a7c15ull);
        for (int i = 0; i < 5000; ++i) {
            const std::uint64_t bytes = 16 + next_random(random) % (i % 64 == 0 ? 9000 : 600);
            auto* mine = static_cast<std::uint64_t*>(mm::heap_allocate(bytes));
            if (mine != nullptr) {
                mine[0] = reinterpret_cast<std::uint64_t>(mine);
                mine[1] = bytes;
                reinterpret_cast<unsigned char*>(mine)[bytes - 1] = bytes == 16 ? 0 : 0x5a;
            }
            std::uint64_t* other = shared.slots[next_random(random) % 64].exchange(mine);
            if (other == nullptr) continue;
            const std::uint64_t size = other[1];
            if (other[0] != reinterpret_cast<std::uint64_t>(other)) ++shared.mistakes;
            if (size > 16 && reinterpret_cast<unsigned char*>(other)[size - 1] != 0x5a) ++shared.mistakes;
            mm::heap_free(other);
        }
    };
    KERNEL_EXPECT(run_threads(4, work, nullptr));
    for (auto& slot : shared.slots)
        mm::heap_free(slot.exchange(nullptr));
    KERNEL_EXPECT(shared.mistakes == 0);
}

KERNEL_TEST(mm_stacks_have_guards) {
    struct Look {
        std::uint64_t top, mapped = 0, guard = 0;
    };
    const auto stack = mm::allocate_stack();
    KERNEL_EXPECT(stack.has_value());
    std::memset(reinterpret_cast<void*>(*stack - arch::kKernelStackBytes), 0xaa, arch::kKernelStackBytes);
    Look look{*stack};
    arch::x86::walk_table(
        arch::x86::boot_facts.kernel_root,
        [](void* context, const arch::x86::Leaf& leaf) {
            auto& l = *static_cast<Look*>(context);
            if (leaf.address >= l.top - arch::kKernelStackBytes && leaf.address < l.top && leaf.writable &&
                !leaf.executable)
                ++l.mapped;
            if (leaf.address == l.top - arch::kKernelStackBytes - kPageSize) ++l.guard;
        },
        &look);
    mm::free_stack(*stack);
    KERNEL_EXPECT(look.mapped == arch::kKernelStackBytes / kPageSize);
    KERNEL_EXPECT(look.guard == 0);
}

KERNEL_TEST(mm_processor_sees_what_a_space_maps) {
    kernel_test::TestPayer payer;
    {
        auto space = AddressSpace::create(payer);
        KERNEL_EXPECT(space.has_value());
        const auto at = (*space)->map_anonymous(3 * kPageSize, kReadWrite, mm::ChargeWhen::at_touch);
        KERNEL_EXPECT(at.has_value());
        const std::uint32_t words[2] = {0x11223344, 0x55667788};
        KERNEL_EXPECT((*space)->write(*at + kPageSize - 4, words, 8).has_value());
        auto child = (*space)->clone_copy_on_write(payer);
        KERNEL_EXPECT(child.has_value());
        const auto load = [](AddressSpace& where, std::uint64_t address) {
            arch::InterruptGuard guard;
            where.activate();
            const Result<std::uint32_t> word = arch::user_load_u32(address);
            arch::PageTable::activate_kernel_only();
            return word;
        };
        KERNEL_EXPECT(load(**space, *at + kPageSize).value_or(0) == 0x55667788);
        KERNEL_EXPECT(!load(**space, *at + 2 * kPageSize).has_value()); // not touched
        KERNEL_EXPECT(!load(**child, *at + 4 * kPageSize).has_value());
        const std::uint32_t changed = 7;
        KERNEL_EXPECT((*child)->write(*at + kPageSize, &changed, 4).has_value());
        KERNEL_EXPECT(load(**child, *at + kPageSize).value_or(0) == 7);
        KERNEL_EXPECT(load(**space, *at + kPageSize).value_or(0) == 0x55667788);
        KERNEL_EXPECT(load(**child, *at + kPageSize - 4).value_or(0) == 0x11223344);
        {
            arch::InterruptGuard guard; // a shared page is read-only to the processor too
            (*space)->activate();
            const bool written = arch::copy_to_user(*at, &changed, 4).has_value();
            arch::PageTable::activate_kernel_only();
            KERNEL_EXPECT(!written);
        }
        KERNEL_EXPECT((*space)->fault(*at, Access::write).has_value());
        KERNEL_EXPECT((*space)->protect(*at, kPageSize, Protection::none).has_value());
        KERNEL_EXPECT(!load(**space, *at).has_value());
        KERNEL_EXPECT((*space)->protect(*at, kPageSize, kReadWrite).has_value());
        KERNEL_EXPECT(load(**space, *at + kPageSize - 4).value_or(0) == 0x11223344);
        KERNEL_EXPECT((*space)->is_consistent() && (*child)->is_consistent());
    }
    KERNEL_EXPECT(payer.used() == 0);
}

// Gives readers time to be at it.
static void wait_for_more(std::atomic<std::uint64_t>& counter) {
    const std::uint64_t wanted = counter + 20, until = sched::now_ns() + 20'000'000;
    while (counter < wanted && sched::now_ns() < until)
        sched::sleep_until(sched::now_ns() + 50'000);
}

// Readers on other CPUs hammer a page; once unmap() has returned, none of them may read it again.
KERNEL_TEST(mm_unmapping_reaches_all_cpus) {
    struct Shared {
        AddressSpace* space = nullptr;
        std::uint64_t address = 0;
        std::atomic<std::uint64_t> phase{0}; // odd: the page may be mapped; even: unmap() has returned
        std::atomic<std::uint64_t> reads{0}, misses{0}, stale{0};
        std::atomic<bool> stop{false};
    };
    static Shared shared;
    kernel_test::TestPayer payer;
    {
        auto space = AddressSpace::create(payer);
        KERNEL_EXPECT(space.has_value());
        shared.space = space->get();
        shared.address = 0x5000'0000;
        shared.stop = false;
        const auto drive = [](void*) {
            for (int round = 0; round < 40; ++round) {
                ++shared.phase;
                mm::MapOptions options;
                options.address = shared.address;
                options.fixed = true;
                const auto at = shared.space->map_anonymous(kPageSize, kReadWrite, mm::ChargeWhen::at_touch, options);
                if (!at || !shared.space->fault(*at, Access::write)) break;
                wait_for_more(shared.reads);
                if (!shared.space->unmap(*at, kPageSize)) break;
                ++shared.phase;
                wait_for_more(shared.misses);
            }
            shared.stop = true;
        };
        auto driver = Thread::create_kernel("test", drive, nullptr);
        KERNEL_EXPECT(driver.has_value());
        (*driver)->start();
        const auto read = [](void*) {
            while (!shared.stop) {
                {
                    arch::InterruptGuard guard;
                    shared.space->activate();
                }
                for (int i = 0; i < 1000 && !shared.stop; ++i) {
                    const std::uint64_t phase = shared.phase;
                    if (!arch::user_load_u32(shared.address)) {
                        ++shared.misses;
                        continue;
                    }
                    ++shared.reads;
                    if (phase % 2 == 0 && shared.phase == phase) ++shared.stale;
                }
            }
        };
        const bool ran = run_threads(3, read, nullptr);
        while ((*driver)->state() != ThreadState::dead)
            sched::sleep_until(sched::now_ns() + 500'000);
        KERNEL_EXPECT(ran);
        KERNEL_EXPECT(shared.phase == 80);
        KERNEL_EXPECT(shared.stale == 0);
        KERNEL_EXPECT(shared.reads > 40);
    }
    KERNEL_EXPECT(payer.used() == 0);
}

} // namespace aios
