// Shares in random trees, up to six groups deep, with weights from 1 to 1000 and all threads runnable, against what is
// due: each group divides what it gets by weight among its members, none of which can use more than one CPU a thread,
// and what one cannot use goes to its siblings (water filling). On one CPU shares are what is due. On several they are
// not always, and the test holds how far off they may be; docs/design/sched.md says why.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/unit/sched/machine.hpp"

namespace aios::sched::test {
namespace {

struct Node {
    Agent* group;
    unsigned depth, weight;
    std::vector<std::size_t> members;
    Worker* worker = nullptr; // a leaf
    double most = 0, due = 0; // in CPUs
};

class Tree {
public:
    Tree(std::uint32_t seed, unsigned cpus) : random_(seed), machine_(cpus, root_) {
        nodes_.push_back({&first_, 0, 100, {}});
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            if (is_inner_.size() <= i || is_inner_[i]) add_members(i);
        for (auto& worker : workers_)
            machine_.start(*worker);
        limit(0);
        divide(0, std::min<double>(cpus, nodes_[0].most));
    }
    ~Tree() {
        for (auto& worker : workers_)
            machine_.stop(*worker);
        while (!agents_.empty())
            agents_.pop_back(); // children before parents
    }

    // What leaves that are due a fiftieth of a CPU got in ten seconds, divided by what was due. Three slices are no
    // error.
    std::vector<double> measure() {
        constexpr double kLength = 10e9, kSlack = 12e6;
        machine_.run(1'000 * Machine::kMs);
        for (const Node& node : nodes_)
            if (node.worker != nullptr) node.worker->ran = 0;
        machine_.run(10'000 * Machine::kMs);
        std::vector<double> parts;
        for (const Node& node : nodes_) {
            if (node.worker == nullptr || node.due < 0.02) continue;
            const auto got = static_cast<double>(node.worker->ran);
            const double due = node.due * kLength;
            parts.push_back(got > due ? std::max(1.0, (got - kSlack) / due) : std::min(1.0, (got + kSlack) / due));
        }
        return parts;
    }

private:
    void add_members(std::size_t parent) {
        const unsigned count = 1 + random_() % 4;
        for (unsigned i = 0; i < count; ++i) {
            const unsigned depth = nodes_[parent].depth + 1, weight = 1 + random_() % (random_() % 3 == 0 ? 30 : 1000);
            agents_.push_back(std::make_unique<Agent>(nodes_[parent].group, weight));
            const std::size_t child = nodes_.size();
            nodes_.push_back({agents_.back().get(), depth, weight, {}});
            nodes_[parent].members.push_back(child);
            const bool is_inner = depth < 6 && nodes_.size() < 80 && random_() % 100 < 70;
            is_inner_.resize(child + 1);
            is_inner_[child] = is_inner;
            if (is_inner) continue;
            for (unsigned threads = random_() % 4 == 0 ? 2 : 1; threads != 0; --threads) {
                workers_.push_back(std::make_unique<Worker>(*nodes_[child].group));
                nodes_[child].members.push_back(nodes_.size());
                nodes_.push_back({nullptr, depth + 1, kUsualWeight, {}, workers_.back().get()});
                is_inner_.resize(nodes_.size());
            }
        }
    }
    double limit(std::size_t at) {
        double most = nodes_[at].worker != nullptr ? 1 : 0;
        for (const std::size_t member : nodes_[at].members)
            most += limit(member);
        return nodes_[at].most = most;
    }
    void divide(std::size_t at, double amount) {
        nodes_[at].due = amount;
        std::vector<std::size_t> open = nodes_[at].members;
        for (bool found = true; found && !open.empty();) {
            double weights = 0;
            for (const std::size_t member : open)
                weights += nodes_[member].weight;
            const auto full = std::find_if(open.begin(), open.end(), [&](std::size_t member) {
                return amount * nodes_[member].weight / weights >= nodes_[member].most - 1e-12;
            });
            found = full != open.end();
            if (found) {
                divide(*full, nodes_[*full].most);
                amount -= nodes_[*full].most;
                open.erase(full);
            } else {
                for (const std::size_t member : open)
                    divide(member, amount * nodes_[member].weight / weights);
            }
        }
    }

    std::mt19937 random_;
    Agent root_{nullptr, 100}, first_{&root_, 100};
    std::vector<Node> nodes_;
    std::vector<bool> is_inner_{true};
    std::vector<std::unique_ptr<Agent>> agents_;
    std::vector<std::unique_ptr<Worker>> workers_;
    Machine machine_;
};

class FairTrees : public ::testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Cpus, FairTrees, ::testing::Values(1u, 2u, 4u),
                         [](const auto& info) { return std::to_string(info.param) + "_cpus"; });

TEST_P(FairTrees, random_trees_come_near_what_is_due) {
    std::vector<double> parts;
    // In the first two a thread starved when only the way to the next thread was compared, not what runs.
    for (const std::uint32_t seed : {39u, 70u, 1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 10u}) {
        Tree tree(seed, GetParam());
        const std::vector<double> some = tree.measure();
        parts.insert(parts.end(), some.begin(), some.end());
    }
    ASSERT_GE(parts.size(), 60u);
    double least = 1, most = 1, near = 0;
    for (const double part : parts) {
        least = std::min(least, part);
        most = std::max(most, part);
        near += part > 1 / 1.1 && part < 1.1;
    }
    near /= static_cast<double>(parts.size());
    SCOPED_TRACE(std::to_string(parts.size()) + " leaves, within 1.1: " + std::to_string(near) + ", from " +
                 std::to_string(least) + " to " + std::to_string(most) + " of what is due");
    if (GetParam() == 1) {
        EXPECT_GE(least, 0.99);
        EXPECT_LE(most, 1.01);
        return;
    }
    EXPECT_GE(least, 0.3); // nobody starves
    EXPECT_GE(near, GetParam() == 2 ? 0.95 : 0.84);
}

} // namespace
} // namespace aios::sched::test
