// A crowd: as many idle agents as the memory of the machine allows for, up to 10,000 (in 1 GiB), all alive at once; each
// of them answers. On a small machine a few hundred do, so that the test stays short.
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr std::uint64_t kEach = 80 * 1024; // memory quota of one
constexpr std::uint64_t kMost = 10'000;
constexpr std::uint64_t kLargeMachine = 880ull << 20; // what 1 GiB leaves to the first agent

Handle crowd[kMost];

void test_idle_agents_answer() {
    const AgentInfo before = info_of(self);
    const std::uint64_t free_bytes = before.quota.memory_bytes - before.memory_bytes;
    const std::uint64_t wanted = free_bytes < kLargeMachine ? 200 : kMost;
    const OwnedHandle answers(GET(sys::channel_create(self, 64, 4096)));
    const OwnedHandle questions(GET(sys::channel_create(self, 64, 4096)));
    const HandleGrant grants[] = {grant(answers.get(), rights::send, StartupRole::parent),
                                  {questions.get(), (rights::receive | rights::wait).bits(), 100}};
    SpawnOptions options;
    options.arguments = std::string_view("answer\0", 7);
    options.quota = {kEach, 16, 1, 0};
    options.handles = grants;
    options.handle_count = 2;
    std::uint64_t alive = 0;
    const std::uint64_t began = now();
    for (; alive < wanted; alive++) {
        auto child = spawn("bin/child", options);
        if (!child) {
            console_print("agent {} of {}: {}\n", alive, wanted, child.error());
            break;
        }
        crowd[alive] = child->leak();
    }
    CHECK(alive == wanted);
    const std::uint64_t born = now();
    // Everybody waits on one queue of questions: each answers one, with its name, and ends.
    std::uint64_t answered = 0;
    for (std::uint64_t i = 0; i < alive; i++) {
        Message question{};
        while (true) {
            const auto sent = sys::ipc_send(questions.get(), &question);
            if (sent) break;
            if (sent.error() != Error::would_block) break;
            (void)sys::thread_yield();
        }
        if (!wait_for(answers.get(), kSignalReadable)) break;
        Message answer{};
        if (sys::ipc_recv(answers.get(), &answer)) answered++;
    }
    CHECK(answered == alive);
    console_print("{} idle agents of {} KiB: born in {} ms, all answered in {} ms\n", alive, kEach / 1024,
                  (born - began) / 1'000'000, (now() - born) / 1'000'000);
    for (std::uint64_t i = 0; i < alive; i++) {
        CHECK(ended_with(wait_dead(crowd[i]), EndReason::exited, 0));
        GET(sys::handle_close(crowd[i]));
    }
    CHECK(info_of(self).quota.memory_bytes == before.quota.memory_bytes);
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "crowd");
    run("idle_agents_answer", test_idle_agents_answer);
    return finish();
}
