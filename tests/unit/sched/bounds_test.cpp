// How many keys a walk brings up to date when an agent does its worst: a chain of groups as deep as they can be, on each
// level as many members as a walk refreshes there, all of which ran on another CPU since they were looked at, and the way
// down leads through all levels. Such a walk runs with interrupts off, under one lock or two.
#include <memory>
#include <vector>

#include "tests/unit/sched/machine.hpp"

namespace aios::sched {
namespace {

using test::Agent;
using test::Worker;

class Chain {
public:
    static constexpr unsigned kLeaves = 7; // and the next group of the chain: as many as are refreshed at a level
    Chain(ShareGroup& root, unsigned depth) {
        for (unsigned cpu = 0; cpu < 3; ++cpu)
            queues[cpu].init(root, cpu);
        ShareGroup* above = &root;
        for (unsigned level = 0; level < depth; ++level) {
            for (unsigned i = 0; i < kLeaves; ++i)
                add(*above, 1); // light: what it runs moves it far
            above = &add(*above, 10'000);
        }
    }
    ~Chain() {
        for (unsigned cpu = 0; cpu < 2; ++cpu)
            while (queues[cpu].pop() != nullptr) {
            }
        while (!groups.empty())
            groups.pop_back(); // children first
    }
    // All run a little on the third CPU: no key on the first two is right any more.
    void run_elsewhere(std::uint64_t ns) {
        for (const auto& worker : elsewhere)
            queues[2].charge(*worker, ns);
    }
    // Keys on the first two CPUs that differ from the time of their group.
    [[nodiscard]] std::size_t lagging() const {
        std::size_t count = 0;
        for (const auto& group : groups)
            for (unsigned cpu = 0; cpu < 2; ++cpu)
                count += group->part(cpu).key != group->time();
        return count;
    }
    FairQueue queues[3];
    std::vector<std::unique_ptr<Agent>> groups;

private:
    Agent& add(ShareGroup& parent, std::uint32_t weight) {
        groups.push_back(std::make_unique<Agent>(&parent, weight));
        for (unsigned cpu = 0; cpu < 3; ++cpu) {
            auto worker = std::make_unique<Worker>(*groups.back());
            worker->virtual_time = virtual_ns(1'000'000'000); // behind the groups beside it: the way goes on down
            if (cpu < 2) queues[cpu].insert(*worker);
            (cpu < 2 ? waiting : elsewhere).push_back(std::move(worker));
        }
        return *groups.back();
    }
    std::vector<std::unique_ptr<Worker>> waiting, elsewhere;
};

TEST(SchedBounds, AWalkRefreshesNoMoreThanItsLimit) {
    Agent root(nullptr, 100);
    Chain chain(root, 120);
    ASSERT_EQ(chain.groups.back()->depth(), 120u);
    std::size_t most_of_one = 0, most_of_two = 0;
    for (unsigned round = 0; round < 20; ++round) {
        chain.run_elsewhere(1000 + round);
        const std::size_t all = chain.lagging();
        ASSERT_GT(all, 1800u);
        EXPECT_NE(chain.queues[0].first(), nullptr);
        const std::size_t after_first = chain.lagging();
        most_of_one = std::max(most_of_one, all - after_first);
        Worker running(*chain.groups.back());
        running.virtual_time = virtual_ns(1'000'000'000);
        (void)chain.queues[0].compare(chain.queues[1], &running, &running);
        most_of_two = std::max(most_of_two, after_first - chain.lagging());
    }
    RecordProperty("first", static_cast<int>(most_of_one));
    RecordProperty("compare", static_cast<int>(most_of_two));
    EXPECT_LE(most_of_one, FairQueue::kRefreshesInWalk);
    EXPECT_LE(most_of_two, 2 * FairQueue::kRefreshesInWalk);
    EXPECT_EQ(most_of_one, FairQueue::kRefreshesInWalk) << "the chain is not what it should be: the limit is not met";
}

// What a walk leaves behind is done by the next ones: with nobody running elsewhere all on the way is right soon.
TEST(SchedBounds, KeysCatchUp) {
    Agent root(nullptr, 100);
    Chain chain(root, 120);
    chain.run_elsewhere(1000);
    std::size_t lagging = chain.lagging();
    for (unsigned i = 0; i < 200; ++i) {
        (void)chain.queues[0].first();
        (void)chain.queues[1].first();
        const std::size_t now = chain.lagging();
        EXPECT_LE(now, lagging);
        if (now == lagging) break;
        lagging = now;
    }
    const Runnable* const chosen = chain.queues[0].first();
    for (const ShareGroup* group = chosen->billed; group->parent() != nullptr; group = group->parent())
        EXPECT_EQ(const_cast<ShareGroup*>(group)->part(0).key, group->time());
}

} // namespace
} // namespace aios::sched
