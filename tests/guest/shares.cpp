// CPU time as agents see it: what a hostile neighbour leaves of it, who is billed for it, and budgets. Bounds are wide:
// a host that takes the machine away for a while fails none of them, and every defect that they are for misses them by
// far. The exact figures of the same rules are in the unit tests, in virtual time.
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr QuotaGrant kRoomy{8 << 20, 4200, 80, 0};

void sleep_ms(std::uint64_t ms) {
    const OwnedHandle queue(GET(sys::queue_create(self)));
    EventPacket packet;
    (void)sys::event_wait(queue.get(), &packet, 1, now() + ms * kMs);
}

void kill_and_wait(Handle agent) {
    (void)sys::agent_kill(agent, 1);
    CHECK(ended_with(wait_dead(agent, 60), EndReason::killed, 1));
}

// What part of the time (of 100) this thread gets while it wants all of it.
std::uint64_t own_part(std::uint64_t ms) {
    const std::uint64_t start = now(), before = GET(sys::clock_read(static_cast<std::uint64_t>(Clock::thread_cpu)));
    while (now() < start + ms * kMs) {
    }
    const std::uint64_t ran = GET(sys::clock_read(static_cast<std::uint64_t>(Clock::thread_cpu))) - before;
    return ran * 100 / (now() - start);
}

// Who runs for a moment and sleeps before anything else looks at the clock pays for it all the same.
void test_short_bursts() {
    const auto billed = [] { return GET(sys::clock_read(static_cast<std::uint64_t>(Clock::thread_cpu))); };
    const std::uint64_t before = billed();
    std::uint64_t ran = 0;
    for (unsigned i = 0; i < 400; ++i) {
        const std::uint64_t start = now();
        while (now() < start + kMs / 5) {
        }
        ran += now() - start;
        sleep_ms(1);
    }
    CHECK((billed() - before) * 10 >= ran * 9); // and the calls between them
}

// 4,000 periodic timers of one nanosecond in a child that sleeps. They are its own business.
void test_timers_of_others() {
    SpawnOptions options;
    options.arguments = std::string_view("timers\0004000\0", 12);
    options.quota = kRoomy;
    options.weight = 1;
    auto child = spawn("bin/share_child", options);
    if (!child) return failed("spawn", __LINE__);
    sleep_ms(300);
    const std::uint64_t before = info_of(child->get()).cpu_ns;
    CHECK(own_part(500) >= 80);
    CHECK(info_of(child->get()).cpu_ns > before); // and it pays for them
    kill_and_wait(child->get());
}

// Sixty threads in one agent of the usual weight count as much as one thread.
void test_crowd() {
    SpawnOptions options;
    options.arguments = std::string_view("threads\00060\0", 11);
    options.quota = kRoomy;
    auto child = spawn("bin/share_child", options);
    if (!child) return failed("spawn", __LINE__);
    sleep_ms(100);
    CHECK(own_part(600) >= 35); // 50 on one CPU, 100 on more; by the number of threads it would be 2
    kill_and_wait(child->get());
}

// Threads that live for one slice and are replaced: neither debt nor credit goes with them.
void test_churn() {
    SpawnOptions options;
    options.arguments = std::string_view("churn\00030\0", 9);
    options.quota = kRoomy;
    options.weight = 1;
    auto child = spawn("bin/share_child", options);
    if (!child) return failed("spawn", __LINE__);
    sleep_ms(100);
    CHECK(own_part(600) >= 75); // 99 is due
    kill_and_wait(child->get());
}

// An agent that says something else all the time gets its share and no more.
void test_liar() {
    SpawnOptions options;
    options.arguments = std::string_view("liar\0004\0", 7);
    options.quota = kRoomy;
    auto child = spawn("bin/share_child", options);
    if (!child) return failed("spawn", __LINE__);
    sleep_ms(100);
    CHECK(own_part(600) >= 35); // 50 on one CPU
    kill_and_wait(child->get());
}

constexpr auto kInteractive = static_cast<std::uint64_t>(AgentHint::interactive);
constexpr auto kDeadline = static_cast<std::uint64_t>(AgentHint::deadline);

void test_hint_arguments() {
    CHECK_ERROR(sys::agent_hint(self, 5, 0, 0), bad_argument);
    CHECK_ERROR(sys::agent_hint(self, ~0ull, 0, 0), bad_argument);
    CHECK_ERROR(sys::agent_hint(self, kInteractive, 1, 0), bad_argument);
    CHECK_ERROR(sys::agent_hint(self, kInteractive, 0, 1), bad_argument);
    CHECK_ERROR(sys::agent_hint(self, kDeadline, 0, now() + kSecond), bad_argument);
    CHECK_ERROR(sys::agent_hint(self, kDeadline, 1, 0), bad_argument);
    GET(sys::agent_hint(self, kDeadline, ~0ull, ~0ull));
    GET(sys::agent_hint(self, kDeadline, 1, 1)); // long past
    for (std::uint64_t hint : {1, 2, 4, 0})
        GET(sys::agent_hint(self, hint, 0, 0));
}

// Whoever starts an agent may keep hints from it, and give them himself.
void test_hints_withheld() {
    for (const bool withheld : {false, true}) {
        SpawnOptions options;
        options.arguments = std::string_view("hint\0001\0", 7);
        options.flags = withheld ? kSpawnWithoutHints : 0;
        auto child = spawn("bin/share_child", options);
        if (!child) return failed("spawn", __LINE__);
        CHECK(ended_with(wait_dead(child->get(), 60), EndReason::exited,
                         withheld ? static_cast<std::uint64_t>(Error::missing_right) : 0));
    }
    SpawnOptions options;
    options.arguments = std::string_view("threads\0001\0", 10);
    options.flags = kSpawnWithoutHints;
    auto child = spawn("bin/share_child", options);
    if (!child) return failed("spawn", __LINE__);
    GET(sys::agent_hint(child->get(), kInteractive, 0, 0));
    const OwnedHandle blind(GET(sys::handle_derive(child->get(), rights::inspect.bits())));
    CHECK_ERROR(sys::agent_hint(blind.get(), kInteractive, 0, 0), missing_right);
    kill_and_wait(child->get());
    GET(sys::agent_hint(child->get(), kInteractive, 0, 0)); // of a dead one nobody hears
}

struct Served {
    std::uint64_t server = 0, caller = 0; // what each was billed
};

// A server, and a caller that calls it so often and does nothing itself.
Served serve_and_call(std::string_view server_mode, std::string_view caller_mode) {
    const OwnedHandle channel(GET(sys::channel_create(self, 4, 4096)));
    const HandleGrant to_server[] = {grant(channel.get(), rights::receive, StartupRole::parent)};
    const HandleGrant to_caller[] = {grant(channel.get(), rights::send, StartupRole::parent)};
    SpawnOptions options;
    options.arguments = server_mode;
    options.handles = to_server;
    options.handle_count = 1;
    auto server = spawn("bin/share_child", options);
    options.arguments = caller_mode;
    options.handles = to_caller;
    auto caller = spawn("bin/share_child", options);
    Served billed;
    if (!server || !caller) {
        failed("spawn", __LINE__);
        return billed;
    }
    const AgentInfo end = wait_dead(caller->get(), 60);
    CHECK(ended_with(end, EndReason::exited, 0));
    billed = {info_of(server->get()).cpu_ns, end.cpu_ns};
    kill_and_wait(server->get());
    return billed;
}

// A server works for half a second, in all, for a caller that itself does nothing: the caller's account has it.
void test_served_time() {
    const Served billed = serve_and_call(std::string_view("serve\00010\0", 9), std::string_view("call\00050\0", 8));
    CHECK(billed.caller >= 50 * 10 * kMs * 4 / 5);
    CHECK(billed.server * 4 < billed.caller); // its start, and what it does between calls
}

// What a server does for itself, up to the moment in which it takes a call and from that of the answer on, is its own.
void test_time_beside_serving() {
    const Served billed = serve_and_call(std::string_view("late\00010\0", 8), std::string_view("call\00050\0", 8));
    CHECK(billed.server >= 49 * 10 * kMs * 4 / 5);
    CHECK(billed.caller * 4 < billed.server);
}

// 20 ms in each 100 ms, alone on the machine, and nothing is lost of it.
void test_budget() {
    SpawnOptions options;
    options.arguments = std::string_view("threads\0002\0", 10); // on all CPUs together
    options.cpu_quota_us = 20'000;
    options.cpu_period_us = 100'000;
    options.quota = kRoomy;
    auto child = spawn("bin/share_child", options);
    if (!child) return failed("spawn", __LINE__);
    sleep_ms(100);
    const std::uint64_t before = info_of(child->get()).cpu_ns, start = now();
    sleep_ms(1500);
    const std::uint64_t ran = info_of(child->get()).cpu_ns - before, passed = now() - start;
    // A processor that the host takes away counts as used, so only counted instructions tell how near to the budget it is.
    // Without one the child would run on all of them, all the time.
    CHECK(ran <= passed * (counts_instructions() ? 35 : 90) / 100);
    CHECK(ran >= passed * 5 / 100);
    kill_and_wait(child->get()); // also while it waits for its next period
}

// The parent's budget holds for what its children run.
void test_budget_of_descendants() {
    SpawnOptions options;
    const HandleGrant bundle[] = {grant(handle(StartupRole::bundle),
                                        rights::read | rights::execute | rights::derive | rights::transfer,
                                        StartupRole::bundle)};
    options.arguments = std::string_view("family\0002\0", 9);
    options.handles = bundle;
    options.handle_count = 1;
    options.quota = {16 << 20, 200, 40, 4};
    options.cpu_quota_us = 20'000;
    options.cpu_period_us = 100'000;
    auto child = spawn("bin/share_child", options);
    if (!child) return failed("spawn", __LINE__);
    sleep_ms(500);
    // What they run is what we do not get of a machine with one CPU; on more there is room for both.
    CHECK(own_part(1000) >= 60);
    kill_and_wait(child->get());
}

void test_budget_arguments() {
    SpawnOptions options;
    constexpr std::uint64_t kBad[][2] = {
        {0, 1000}, {1000, 0}, {99, 1000}, {1000, 999}, {1000, 10'000'001}, {1'000'000'001, 1000}, {~0ull, ~0ull}};
    for (const auto& [quota, period] : kBad) {
        options.cpu_quota_us = quota;
        options.cpu_period_us = period;
        const SpawnRequest request = make_request("bin/share_child", options);
        CHECK_ERROR(sys::agent_spawn(self, &request), bad_argument);
    }
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "shares");
    run("short_bursts", test_short_bursts);
    run("timers_of_others", test_timers_of_others);
    run("crowd", test_crowd);
    run("churn", test_churn);
    run("liar", test_liar);
    run("hint_arguments", test_hint_arguments);
    run("hints_withheld", test_hints_withheld);
    run("served_time", test_served_time);
    run("time_beside_serving", test_time_beside_serving);
    run("budget", test_budget);
    run("budget_of_descendants", test_budget_of_descendants);
    run("budget_arguments", test_budget_arguments);
    return finish();
}
