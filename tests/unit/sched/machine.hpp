// A machine in virtual time for tests of fair shares: the kernel's own FairQueue and ShareGroup on any number of CPUs,
// driven as RunQueue drives them, in steps of a fraction of a millisecond.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "kernel/sched/fair.hpp"

namespace aios::sched::test {

struct Agent : ShareGroup {
    Agent(ShareGroup* parent, std::uint32_t weight, CpuBudget budget = {}) : ShareGroup(parent, weight, budget) {
        EXPECT_TRUE(prepare(8));
    }
};

struct Worker : Runnable {
    explicit Worker(ShareGroup& group) { billed = &group; }
    std::uint64_t ran = 0;
    std::uint64_t waiting_since = 0, longest_wait = 0;
    bool has_woken = false;
    std::vector<std::uint64_t> wake_waits; // from each wake-up until it ran
    // Work and sleep in turns; work 0: runs for ever.
    std::uint64_t work = 0, sleep = 0, left = 0, wakes_at = 0;
    bool asleep = true;
    unsigned cpu = 0;
};

class Machine {
public:
    static constexpr std::uint64_t kMs = 1'000'000;
    std::uint64_t now = 0;
    std::uint64_t step_ns = kMs / 4;
    std::uint64_t switches = 0;

    explicit Machine(unsigned cpus, ShareGroup& root) : cpus_(cpus) {
        for (unsigned i = 0; i < cpus; ++i)
            cpus_[i].queue.init(root, i);
    }
    ~Machine() {
        for (Worker* worker : workers_)
            stop(*worker);
    }
    void start(Worker& worker) {
        workers_.push_back(&worker);
        worker.virtual_time = worker.billed->place_of_new();
        begin(worker);
    }
    void stop(Worker& worker) {
        if (worker.asleep) return;
        worker.asleep = true;
        Cpu& cpu = cpus_[worker.cpu];
        if (cpu.current == &worker)
            cpu.current = nullptr;
        else
            remove(worker);
        worker.billed->thread_stops();
    }
    void wake(Worker& worker) {
        worker.virtual_time = worker.billed->place(worker.virtual_time);
        begin(worker);
    }
    void run(std::uint64_t ns) {
        for (const std::uint64_t end = now + ns; now < end;)
            step();
    }
    std::function<void()> each_step;

private:
    struct Cpu {
        FairQueue queue;
        Worker* current = nullptr;
        std::uint64_t slice_end = 0, next_balance = 0;
        unsigned partner = 0;
    };

    void begin(Worker& worker) {
        worker.asleep = false;
        worker.has_woken = true;
        worker.billed->renew_hint(now);
        worker.left = worker.work;
        worker.billed->thread_starts();
        worker.virtual_time = worker.billed->place(worker.virtual_time);
        worker.waiting_since = now;
        unsigned best = worker.cpu;
        for (unsigned i = 0; i < cpus_.size(); ++i)
            if (load(i) < load(best)) best = i;
        enter(worker, best);
    }
    std::size_t load(unsigned i) const { return cpus_[i].queue.size() + (cpus_[i].current != nullptr); }
    void enter(Worker& worker, unsigned at) {
        Cpu& cpu = cpus_[at];
        worker.cpu = at;
        cpu.queue.insert(worker);
        if (cpu.current == nullptr) return;
        if (should_preempt(worker, *cpu.current)) return switch_over(cpu);
        if (cpu.slice_end > now + kSlice && !worker.waits_as_batch) cpu.slice_end = now + slice_among(cpu.queue.size());
    }
    void remove(Worker& worker) { cpus_[worker.cpu].queue.remove(worker); }
    void switch_over(Cpu& cpu) {
        if (cpu.current != nullptr) {
            cpu.current->waiting_since = now;
            cpu.current->billed->renew_hint(now);
            cpu.queue.insert(*cpu.current);
        }
        cpu.current = static_cast<Worker*>(cpu.queue.pop());
        if (cpu.current == nullptr) return;
        cpu.slice_end = now + cpu.queue.slice_of(*cpu.current);
        ++switches;
        const std::uint64_t waited = now - cpu.current->waiting_since;
        cpu.current->longest_wait = std::max(cpu.current->longest_wait, waited);
        if (std::exchange(cpu.current->has_woken, false)) cpu.current->wake_waits.push_back(waited);
    }
    void even_out(unsigned at) {
        if (cpus_.size() == 1) return;
        Cpu& cpu = cpus_[at];
        do
            cpu.partner = (cpu.partner + 1) % static_cast<unsigned>(cpus_.size());
        while (cpu.partner == at);
        Cpu& partner = cpus_[cpu.partner];
        if (partner.current == nullptr) return;
        const Exchange exchange = cpu.queue.compare(partner.queue, cpu.current, partner.current);
        if (exchange.move == Move::none) return;
        auto& moved = static_cast<Worker&>(*exchange.thread);
        remove(moved);
        enter(moved, exchange.move == Move::come ? at : cpu.partner);
    }
    void step() {
        for (Worker* worker : workers_)
            if (worker->asleep && worker->sleep != 0 && worker->wakes_at <= now) wake(*worker);
        if (each_step) each_step();
        for (unsigned i = 0; i < cpus_.size(); ++i) {
            Cpu& cpu = cpus_[i];
            if (cpu.current == nullptr) switch_over(cpu);
            if (cpu.current == nullptr) { // steals
                for (unsigned k = 0; k < cpus_.size() && cpu.current == nullptr; ++k)
                    if (auto* worker = static_cast<Worker*>(cpus_[k].queue.pop())) {
                        worker->cpu = i;
                        cpu.current = worker;
                        cpu.slice_end = now + cpu.queue.slice_of(*worker);
                    }
            }
        }
        now += step_ns;
        for (unsigned i = 0; i < cpus_.size(); ++i) {
            Cpu& cpu = cpus_[i];
            Worker* worker = cpu.current;
            if (worker == nullptr) continue;
            worker->ran += step_ns;
            cpu.queue.charge(*worker, step_ns);
            if (worker->work != 0) {
                worker->left -= std::min(worker->left, step_ns);
                if (worker->left == 0) {
                    worker->wakes_at = now + worker->sleep;
                    stop(*worker);
                    continue;
                }
            }
            const Runnable* first = cpu.queue.first();
            if (first == nullptr || now < cpu.slice_end) continue;
            if (FairQueue::lead(*first, *worker) > 0)
                switch_over(cpu);
            else
                cpu.slice_end = now + cpu.queue.slice_of(*worker);
            if (now >= cpu.next_balance) {
                cpu.next_balance = now + slice_among(cpu.queue.size());
                even_out(i);
            }
        }
    }

    std::vector<Cpu> cpus_;
    std::vector<Worker*> workers_;
};

// Jain's index: 1 if all are equal, 1/n if one has everything.
inline double jain(const std::vector<double>& parts) {
    double sum = 0, squares = 0;
    for (const double part : parts) {
        sum += part;
        squares += part * part;
    }
    return squares == 0 ? 0 : sum * sum / (static_cast<double>(parts.size()) * squares);
}

} // namespace aios::sched::test
