// Who pays for time on a CPU, and what place it costs: weights, lent time, yielding.
#include <atomic>
#include <optional>

#include "kernel/quota/quota.hpp"
#include "kernel/sched/thread.hpp"
#include "tests/kernel/test.hpp"

namespace aios {

namespace {

constexpr std::uint64_t kMs = 1'000'000;

// An owner whose threads run in the kernel and are billed to a group of their own.
class GroupOwner final : public sched::ThreadOwner {
public:
    explicit GroupOwner(std::uint32_t weight) : group(&sched::root_group(), weight) {}
    sched::ShareGroup& share_group() override { return group; }
    mm::AddressSpace* address_space() override { return nullptr; }
    void thread_exited(Thread&) override { ++exited; }
    void retain() override {}
    void release() override {}
    sched::ShareGroup group;
    std::atomic<int> exited{0};
};

} // namespace

KERNEL_TEST(weights_divide_the_cpu) {
    // One spinner of weight 300 a CPU, and two of weight 100 a CPU that share one group: 3 to 1, whatever the number of
    // threads.
    static GroupOwner heavy(300), light(100);
    static std::atomic<bool> stop;
    stop = false;
    heavy.exited = light.exited = 0;
    auto payer = Quota::create_root({16u << 20, 10, 100, 10});
    KERNEL_EXPECT(payer);
    const int cpus = static_cast<int>(arch::cpu_count());
    KERNEL_EXPECT(heavy.group.prepare(arch::cpu_count()) && light.group.prepare(arch::cpu_count()));
    const std::uint64_t heavy_before = heavy.group.cpu_ns(), light_before = light.group.cpu_ns();
    for (int i = 0; i < 3 * cpus; ++i) {
        GroupOwner& owner = i < cpus ? heavy : light;
        auto thread = Thread::create_in_kernel(
            **payer, Ref<sched::ThreadOwner>::adopt(&owner),
            [](void*) {
                while (!stop)
                    arch::relax();
                Thread::exit_current();
            },
            nullptr);
        KERNEL_EXPECT(thread);
        (*thread)->start();
    }
    sched::sleep_until(sched::now_ns() + 1500 * kMs);
    stop = true;
    while (heavy.exited != cpus || light.exited != 2 * cpus)
        sched::sleep_until(sched::now_ns() + kMs);
    sched::settle_accounts();
    const std::uint64_t heavy_ran = heavy.group.cpu_ns() - heavy_before;
    const std::uint64_t light_ran = light.group.cpu_ns() - light_before;
    KERNEL_EXPECT(heavy_ran != 0 && light_ran != 0);
    KERNEL_EXPECT_EXACT(heavy_ran * 100 > light_ran * 285 && heavy_ran * 100 < light_ran * 315);
    while ((*payer)->used(Resource::memory) != 0) // the reaper buries the last ones
        sched::sleep_until(sched::now_ns() + kMs);
}

KERNEL_TEST(lent_time_is_charged_to_the_caller) {
    // One thread sleeps; another runs on its share for a while, and then on its own.
    static GroupOwner caller_owner(100), server_owner(100);
    static std::atomic<Thread*> payer;
    static std::atomic<std::uint64_t> caller_paid, server_paid;
    static std::atomic<bool> done;
    payer = nullptr;
    done = false;
    caller_owner.exited = server_owner.exited = 0;
    KERNEL_EXPECT(caller_owner.group.prepare(arch::cpu_count()) && server_owner.group.prepare(arch::cpu_count()));
    auto quota = Quota::create_root({16u << 20, 10, 100, 10});
    KERNEL_EXPECT(quota);
    const auto start = [&](GroupOwner& owner, void (*function)(void*)) {
        auto thread = Thread::create_in_kernel(**quota, Ref<sched::ThreadOwner>::adopt(&owner), function, nullptr);
        if (thread) (*thread)->start();
        return thread.has_value();
    };
    const auto sleeper = [](void*) {
        payer = &Thread::current();
        while (!done)
            sched::park(sched::now_ns() + kMs);
        Thread::exit_current();
    };
    const auto worker = [](void*) {
        const auto spin = [](std::uint64_t ms) {
            for (const std::uint64_t end = sched::now_ns() + ms * kMs; sched::now_ns() < end;)
                arch::relax();
        };
        Thread& me = Thread::current();
        const auto lending = [&](auto change) {
            arch::InterruptGuard guard;
            payer.load()->lend_lock.acquire();
            me.lend_lock.acquire_peer();
            change();
            me.lend_lock.release();
            payer.load()->lend_lock.release();
        };
        const std::uint64_t own_before = server_owner.group.cpu_ns(), callers_before = caller_owner.group.cpu_ns();
        lending([&] { sched::lend_from(*payer); });
        spin(30);
        lending([&] { sched::lend_end(me, *payer); });
        caller_paid = caller_owner.group.cpu_ns() - callers_before;
        server_paid = server_owner.group.cpu_ns() - own_before;
        done = true;
        Thread::exit_current();
    };
    KERNEL_EXPECT(start(caller_owner, sleeper));
    while (payer == nullptr)
        sched::sleep_until(sched::now_ns() + kMs);
    KERNEL_EXPECT(start(server_owner, worker));
    while (caller_owner.exited != 1 || server_owner.exited != 1)
        sched::sleep_until(sched::now_ns() + kMs);
    // Other threads may have taken turns on this CPU meanwhile; a server that pays itself misses this by all of it.
    KERNEL_EXPECT(caller_paid >= 5 * kMs);
    KERNEL_EXPECT_EXACT(server_paid < 2 * kMs);
    while ((*quota)->used(Resource::memory) != 0)
        sched::sleep_until(sched::now_ns() + kMs);
}

KERNEL_TEST(yielding_costs_what_was_run) {
    // Who is behind the others, runs, and lets them go first stands where the first of them stands, or where running
    // has brought it: not before, and not at the sum of the two. One spinner a CPU; what else happens on the machine
    // spoils a trial, but not most of them.
    constexpr unsigned kTrials = 20;
    static GroupOwner owner(100);
    static std::atomic<bool> stop;
    static std::atomic<unsigned> tried, good;
    static Thread* spinners[64];
    stop = false;
    tried = good = 0;
    owner.exited = 0;
    const int cpus = static_cast<int>(arch::cpu_count());
    KERNEL_EXPECT(owner.group.prepare(arch::cpu_count()) && arch::cpu_count() <= std::size(spinners));
    auto quota = Quota::create_root({16u << 20, 10, 100, 10});
    KERNEL_EXPECT(quota);
    const auto start = [&](void (*function)(void*)) {
        auto thread = Thread::create_in_kernel(**quota, Ref<sched::ThreadOwner>::adopt(&owner), function, nullptr);
        if (thread) (*thread)->start();
        return thread ? thread->get() : nullptr;
    };
    for (int i = 0; i < cpus; ++i) {
        spinners[i] = start([](void*) { // they stay until `stop`
            while (!stop)
                arch::relax();
            Thread::exit_current();
        });
        KERNEL_EXPECT(spinners[i] != nullptr);
    }
    const Thread* yielder = start([](void*) {
        Thread& me = Thread::current();
        // The place of the waiting spinner of this CPU, if it is ahead of ours.
        const auto place_ahead = [&](sched::VirtualTime mine) -> std::optional<sched::VirtualTime> {
            std::optional<sched::VirtualTime> found;
            for (unsigned i = 0; i < arch::cpu_count(); ++i) {
                const Thread& one = *spinners[i];
                if (one.cpu.load(std::memory_order_relaxed) != arch::cpu_index() ||
                    one.state() != ThreadState::runnable)
                    continue;
                if (found || !sched::is_before(mine, one.virtual_time)) return {};
                found = one.virtual_time;
            }
            return found;
        };
        for (unsigned i = 0; i < kTrials * 20 && tried < kTrials; ++i) {
            (void)sched::sleep_until(sched::now_ns() + 8 * kMs); // comes back behind those who ran
            for (const std::uint64_t end = sched::now_ns() + kMs; sched::now_ns() < end;)
                arch::relax();
            std::optional<sched::VirtualTime> first;
            {
                arch::InterruptGuard guard;
                const std::uint64_t ran = sched::now_ns() - me.started_running;
                if (ran >= kMs / 2) first = place_ahead(me.virtual_time + sched::virtual_ns(ran));
            }
            if (!first) continue;
            ++tried;
            sched::yield();
            const sched::VirtualTime place = me.virtual_time;
            good += !sched::is_before(place, *first) && sched::is_before(place, *first + sched::virtual_ns(kMs / 4));
        }
        stop = true;
        Thread::exit_current();
    });
    KERNEL_EXPECT(yielder != nullptr);
    while (owner.exited != cpus + 1)
        sched::sleep_until(sched::now_ns() + kMs);
    KERNEL_EXPECT(tried == kTrials && good * 2 > tried);
    while ((*quota)->used(Resource::memory) != 0)
        sched::sleep_until(sched::now_ns() + kMs);
}

KERNEL_TEST(handing_over_takes_no_turn_from_others) {
    // Two threads a CPU that hand it to each other all the time, and as many others that just run: the slice of those
    // who hand over goes on, and ends. Else the others would not run as long as the pairs go on.
    static GroupOwner pairs(100), others(100);
    static std::atomic<bool> stop;
    struct Pair {
        Thread* threads[2];
        std::atomic<unsigned> turn;
    };
    static Pair pair[64];
    stop = false;
    pairs.exited = others.exited = 0;
    const unsigned cpus = arch::cpu_count();
    KERNEL_EXPECT(pairs.group.prepare(cpus) && others.group.prepare(cpus) && cpus <= std::size(pair));
    auto quota = Quota::create_root({16u << 20, 10, 400, 10});
    KERNEL_EXPECT(quota);
    const auto make = [&](GroupOwner& owner, void (*function)(void*), void* argument) {
        auto thread = Thread::create_in_kernel(**quota, Ref<sched::ThreadOwner>::adopt(&owner), function, argument);
        return thread ? *thread : Ref<Thread>();
    };
    const auto hands_over = [](void* argument) {
        Pair& mine = *static_cast<Pair*>(argument);
        const unsigned me = mine.threads[0] == &Thread::current() ? 0 : 1;
        while (!stop) {
            Ref<Thread> next;
            if (mine.turn == me) {
                for (const std::uint64_t end = sched::now_ns() + kMs / 10; sched::now_ns() < end;)
                    arch::relax();
                mine.turn = 1 - me;
                next = Ref<Thread>::share(*mine.threads[1 - me]);
            }
            sched::park(sched::now_ns() + 20 * kMs, &next);
        }
        Thread::exit_current();
    };
    Ref<Thread> threads[2 * std::size(pair)];
    for (unsigned i = 0; i < 2 * cpus; ++i) {
        threads[i] = make(pairs, hands_over, &pair[i / 2]);
        KERNEL_EXPECT(threads[i]);
        pair[i / 2].threads[i % 2] = threads[i].get();
        pair[i / 2].turn = 0;
    }
    const std::uint64_t before = others.group.cpu_ns();
    for (unsigned i = 0; i < cpus; ++i) {
        auto other = make(
            others,
            [](void*) {
                while (!stop)
                    arch::relax();
                Thread::exit_current();
            },
            nullptr);
        KERNEL_EXPECT(other);
        other->start();
    }
    for (unsigned i = 0; i < 2 * cpus; ++i)
        threads[i]->start();
    sched::sleep_until(sched::now_ns() + 400 * kMs);
    sched::settle_accounts();
    const std::uint64_t ran = others.group.cpu_ns() - before;
    stop = true;
    while (pairs.exited != static_cast<int>(2 * cpus) || others.exited != static_cast<int>(cpus))
        sched::sleep_until(sched::now_ns() + kMs);
    KERNEL_EXPECT_EXACT(ran >= cpus * 180 * kMs && ran <= cpus * 220 * kMs);
    for (Ref<Thread>& thread : threads)
        thread.reset();
    while ((*quota)->used(Resource::memory) != 0)
        sched::sleep_until(sched::now_ns() + kMs);
}

KERNEL_TEST(the_sleep_of_a_group_is_not_saved_up) {
    // A group sleeps while another one runs; when it comes back it has its half from then on, not what it missed.
    static GroupOwner sleeping(100), busy(100);
    static std::atomic<bool> stop;
    static std::atomic<std::uint64_t> wake_at;
    stop = false;
    sleeping.exited = busy.exited = 0;
    const unsigned cpus = arch::cpu_count();
    KERNEL_EXPECT(sleeping.group.prepare(cpus) && busy.group.prepare(cpus));
    auto quota = Quota::create_root({16u << 20, 10, 400, 10});
    KERNEL_EXPECT(quota);
    wake_at = sched::now_ns() + 300 * kMs;
    const auto start = [&](GroupOwner& owner) {
        auto thread = Thread::create_in_kernel(
            **quota, Ref<sched::ThreadOwner>::adopt(&owner),
            [](void* sleeps) {
                if (sleeps != nullptr) (void)sched::sleep_until(wake_at);
                while (!stop)
                    arch::relax();
                Thread::exit_current();
            },
            &owner == &sleeping ? &owner : nullptr);
        if (thread) (*thread)->start();
        return thread.has_value();
    };
    for (unsigned i = 0; i < cpus; ++i)
        KERNEL_EXPECT(start(sleeping) && start(busy));
    (void)sched::sleep_until(wake_at);
    const std::uint64_t before = sleeping.group.cpu_ns();
    (void)sched::sleep_until(wake_at + 100 * kMs);
    sched::settle_accounts();
    const std::uint64_t ran = sleeping.group.cpu_ns() - before;
    stop = true;
    while (sleeping.exited != static_cast<int>(cpus) || busy.exited != static_cast<int>(cpus))
        (void)sched::sleep_until(sched::now_ns() + kMs);
    KERNEL_EXPECT_EXACT(ran >= cpus * 40 * kMs && ran <= cpus * 60 * kMs);
    while ((*quota)->used(Resource::memory) != 0)
        (void)sched::sleep_until(sched::now_ns() + kMs);
}

} // namespace aios
