// A crowd: as many idle agents as the memory of the machine allows for, up to 10,000 (in 1 GiB), all alive at once; each
// of them answers. On a small machine a few hundred do, so that the test stays short. And crowds that die at once: what a
// death costs does not depend on how many die.
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

// Memory quota of one: what an idle agent has, and room for the page tables of a layout that is scattered widely.
constexpr std::uint64_t kEach = 88 * 1024;
constexpr std::uint64_t kMost = 10'000;
constexpr std::uint64_t kLargeMachine = 900ull << 20; // what 1 GiB leaves to the first agent

Handle crowd[kMost];

// Agents that wait for a question each; how many could be made.
std::uint64_t bring_up(std::uint64_t wanted, Handle answers, Handle questions) {
    const HandleGrant grants[] = {grant(answers, rights::send, StartupRole::parent),
                                  {questions, (rights::receive | rights::wait).bits(), 100}};
    SpawnOptions options;
    options.arguments = std::string_view("answer\0", 7);
    options.quota = {kEach, 16, 1, 0};
    options.handles = grants;
    options.handle_count = 2;
    for (std::uint64_t alive = 0; alive < wanted; ++alive) {
        auto child = spawn("bin/child", options);
        if (!child) {
            console_print("agent {} of {}: {}\n", alive, wanted, child.error());
            return alive;
        }
        crowd[alive] = child->leak();
    }
    return wanted;
}

void test_idle_agents_answer() {
    const AgentInfo before = info_of(self);
    const std::uint64_t free_bytes = before.quota.memory_bytes - before.memory_bytes;
    const std::uint64_t wanted = free_bytes < kLargeMachine ? 200 : kMost;
    const OwnedHandle answers(GET(sys::channel_create(self, 64, 4096)));
    const OwnedHandle questions(GET(sys::channel_create(self, 64, 4096)));
    const std::uint64_t began = now();
    const std::uint64_t alive = bring_up(wanted, answers.get(), questions.get());
    CHECK(alive == wanted);
    const std::uint64_t born = now();
    // Everybody waits on one queue of questions: each answers one, with its name, and ends.
    std::uint64_t answered = 0;
    for (std::uint64_t i = 0; i < alive; ++i) {
        Message question{};
        while (true) {
            const auto sent = sys::ipc_send(questions.get(), &question);
            if (sent) break;
            if (sent.error() != Error::would_block) break;
            (void)sys::thread_yield();
        }
        if (!wait_for(answers.get(), kSignalReadable)) break;
        Message answer{};
        if (sys::ipc_recv(answers.get(), &answer)) ++answered;
    }
    CHECK(answered == alive);
    console_print("{} idle agents of {} KiB: born in {} ms, all answered in {} ms\n", alive, kEach / 1024,
                  (born - began) / 1'000'000, (now() - born) / 1'000'000);
    for (std::uint64_t i = 0; i < alive; ++i) {
        CHECK(ended_with(wait_dead(crowd[i]), EndReason::exited, 0));
        GET(sys::handle_close(crowd[i]));
    }
    CHECK(info_of(self).quota.memory_bytes == before.quota.memory_bytes);
}

// What one of so many deaths costs (ns) that are asked for one after the other, before anybody looks whether they are done.
std::uint64_t cost_of_death(std::uint64_t count) {
    const OwnedHandle answers(GET(sys::channel_create(self, 64, 4096)));
    const OwnedHandle questions(GET(sys::channel_create(self, 64, 4096)));
    CHECK(bring_up(count, answers.get(), questions.get()) == count);
    const std::uint64_t began = now();
    for (std::uint64_t i = 0; i < count; ++i)
        GET(sys::agent_kill(crowd[i], 1));
    std::uint64_t most = 0; // memory that one of them had
    for (std::uint64_t i = 0; i < count; ++i) {
        const AgentInfo end = wait_dead(crowd[i]);
        most = end.memory_peak_bytes > most ? end.memory_peak_bytes : most;
        CHECK(ended_with(end, EndReason::killed, 1));
        if (!ended_with(end, EndReason::killed, 1))
            console_print("agent {} of {}: state {}, reason {}, status {}, peak {}\n", i, count, end.state,
                          end.end_reason, end.end_status, end.memory_peak_bytes);
    }
    const std::uint64_t each = (now() - began) / count;
    console_print("at most {} of {} bytes each\n", most, kEach);
    for (std::uint64_t i = 0; i < count; ++i)
        GET(sys::handle_close(crowd[i]));
    return each;
}

void test_deaths_of_many_cost_no_more_each() {
    const AgentInfo before = info_of(self);
    const bool is_exact = counts_instructions();
    const std::uint64_t many = is_exact ? 2000 : 500;
    const std::uint64_t few_each = cost_of_death(200), many_each = cost_of_death(many);
    console_print("a death costs {} ns among 200, {} ns among {}\n", few_each, many_each, many);
    if (is_exact) CHECK(many_each <= few_each * 5 / 4);
    CHECK(info_of(self).quota.memory_bytes == before.quota.memory_bytes);
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "crowd");
    run("idle_agents_answer", test_idle_agents_answer);
    run("deaths_of_many_cost_no_more_each", test_deaths_of_many_cost_no_more_each);
    return finish();
}
