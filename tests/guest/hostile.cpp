// Agents that attack or break: each ends alone, its parent hears why, what it had comes back, and the node goes on.
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr std::string_view kChild = "bin/child";

struct Fault {
    std::string_view mode; // ended by NUL
    std::uint64_t vector;
};

bool settles(const AgentInfo& before) {
    const std::uint64_t until = now() + 20 * kSecond;
    do {
        const AgentInfo info = info_of(self);
        if (info.memory_bytes <= before.memory_bytes + kTableSlack &&
            info.quota.memory_bytes == before.quota.memory_bytes && info.quota.agents == before.quota.agents)
            return true;
        (void)sys::thread_yield();
    } while (now() < until);
    return false;
}

void test_faults() {
    constexpr std::uint64_t kPage = 14, kProtection = 13, kStack = 12;
    const Fault faults[] = {
        {std::string_view("null\0", 5), kPage},
        {std::string_view("kernel\0", 7), kPage},
        {std::string_view("code\0", 5), kPage},
        {std::string_view("jump\0", 5), kPage},
        {std::string_view("stack\0", 6), kPage},
        {std::string_view("execute\0", 8), kPage},
        {std::string_view("privileged\0", 11), kProtection},
        {std::string_view("halt\0", 5), kProtection},
        {std::string_view("port\0", 5), kProtection},
        {std::string_view("undefined\0", 10), 6},
        {std::string_view("divide\0", 7), 0},
        {std::string_view("noncanonical\0", 13), kProtection},
        {std::string_view("badstack\0", 9), kStack},
        {std::string_view("kernelstack\0", 12), kPage},
    };
    for (const Fault& fault : faults) {
        SpawnOptions options;
        options.arguments = fault.mode;
        const OwnedHandle child(GET(spawn(kChild, options)));
        const AgentInfo end = wait_dead(child.get());
        // A stack outside the canonical range is vector 12; QEMU's emulation says 13.
        const bool known = fault.vector == kStack && ended_with(end, EndReason::fault, kProtection);
        if (!known && !ended_with(end, EndReason::fault, fault.vector)) {
            console_print("{}: reason {} status {} at {:x}\n", fault.mode.data(), end.end_reason, end.end_status,
                          end.fault_address);
            failed(fault.mode, __LINE__);
        }
    }
}

// Runs a child that never stops by itself for a moment, kills it, and looks whether all came back.
void run_and_kill(std::string_view mode, const QuotaGrant& quota, std::uint64_t nanoseconds) {
    const AgentInfo before = info_of(self);
    {
        const OwnedHandle channel(GET(sys::channel_create(self, 16, 16384)));
        const HandleGrant grants[] = {grant(channel.get(), rights::send, StartupRole::parent),
                                      grant(handle(StartupRole::bundle),
                                            rights::read | rights::execute | rights::derive | rights::transfer,
                                            StartupRole::bundle)};
        SpawnOptions options;
        options.arguments = mode;
        options.quota = quota;
        options.handles = grants;
        options.handle_count = 2;
        const OwnedHandle child(GET(spawn(kChild, options)));
        const std::uint64_t until = now() + nanoseconds;
        while (now() < until)
            (void)sys::thread_yield();
        GET(sys::agent_kill(child.get(), 1));
        const AgentInfo end = wait_dead(child.get(), 60);
        CHECK(ended_with(end, EndReason::killed, 1));
        CHECK(end.memory_peak_bytes <= quota.memory_bytes);
    }
    CHECK(settles(before));
}

constexpr std::uint64_t kMoment = 200'000'000;

void test_fuzz() {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const char digits[] = {'f', 'u', 'z', 'z', '\0', static_cast<char>('0' + seed), '\0'};
        SpawnOptions options;
        options.arguments = {digits, sizeof(digits)};
        options.quota = {2 << 20, 500, 16, 0};
        const OwnedHandle child(GET(spawn(kChild, options)));
        const AgentInfo end = wait_dead(child.get(), 60);
        // It may unmap or overwrite itself and fault; it must not hang or hurt anybody else.
        CHECK(end.state == static_cast<std::uint32_t>(AgentState::dead));
    }
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "hostile");
    run("faults", test_faults);
    run("spin", [] { run_and_kill(std::string_view("spin\0", 5), {2 << 20, 16, 2, 0}, kMoment); });
    run("wait", [] { run_and_kill(std::string_view("wait\0", 5), {2 << 20, 16, 2, 0}, kMoment); });
    run("spawn_bomb",
        [] { run_and_kill(std::string_view("spawn_bomb\0", 11), {24 << 20, 1000, 64, 16}, 3 * kMoment); });
    run("handle_bomb", [] { run_and_kill(std::string_view("handle_bomb\0", 12), {8 << 20, 3000, 2, 0}, 2 * kMoment); });
    run("memory_bomb", [] { run_and_kill(std::string_view("memory_bomb\0", 12), {16 << 20, 16, 2, 0}, 2 * kMoment); });
    run("thread_bomb", [] { run_and_kill(std::string_view("thread_bomb\0", 12), {8 << 20, 100, 24, 0}, 2 * kMoment); });
    run("flood", [] { run_and_kill(std::string_view("flood\0", 6), {2 << 20, 16, 2, 0}, 2 * kMoment); });
    run("fuzz", test_fuzz);
    return finish();
}
