// The first program of the guest tests: runs each bin/test_* of the bundle as an agent of its own, with a copy of every
// handle and most of the quota, and says how it ended. Exits with 0 if all went well, which is the status of the node.
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr std::uint64_t kSecondsEach = 600;
constexpr std::uint64_t kOfEachSpent = 1'000'000; // tokens and the like, for each program

bool run_program(std::string_view path) {
    HandleGrant grants[kMaxStartupHandles];
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < startup->count; ++i) {
        const StartupEntry& entry = startup->entries[i];
        if (entry.role != static_cast<std::uint32_t>(StartupRole::self))
            grants[count++] = {entry.handle, entry.rights, entry.role};
    }
    const AgentInfo own = info_of(self);
    SpawnOptions options;
    options.name = path.substr(path.rfind('/') + 1);
    options.quota = {own.quota.memory_bytes - own.memory_bytes - (8 << 20), own.quota.handles / 2,
                     own.quota.threads - 64, own.quota.agents - 64};
    for (const Resource resource : kSpentResources)
        options.quota.set(resource, kOfEachSpent);
    options.handles = grants;
    options.handle_count = count;
    auto child = spawn(path, options);
    if (!child) {
        console_print("TEST {} fail cannot be started: {}\n", path, child.error());
        return false;
    }
    const AgentInfo end = wait_dead(child->get(), kSecondsEach);
    if (end.state != static_cast<std::uint32_t>(AgentState::dead)) {
        console_print("TEST {} fail does not end\n", path);
        (void)sys::agent_kill(child->get(), 1);
        (void)wait_dead(child->get());
        return false;
    }
    const bool good = ended_with(end, EndReason::exited, 0);
    if (good) {
        console_print("TEST {} pass\n", path);
    } else {
        console_print("TEST {} fail ended by reason {} status {} at {:x}\n", path, end.end_reason, end.end_status,
                      end.fault_address);
    }
    return good;
}

// All that was given to a child and all that it used is back.
bool quota_is_whole(const AgentInfo& before) {
    for (const std::uint64_t until = now() + 20 * kSecond; now() < until;) {
        const AgentInfo after = info_of(self);
        if (after.memory_bytes == before.memory_bytes && after.quota.memory_bytes == before.quota.memory_bytes &&
            after.quota.handles == before.quota.handles && after.quota.threads == before.quota.threads &&
            after.quota.agents == before.quota.agents) {
            return true;
        }
        (void)sys::thread_yield();
    }
    const AgentInfo after = info_of(self);
    console_print("memory {} of {} before, {} of {} after\n", before.memory_bytes, before.quota.memory_bytes,
                  after.memory_bytes, after.quota.memory_bytes);
    return false;
}

// Touches the stack that is used later, so that it is charged already when accounts are compared.
[[gnu::noinline]] void warm_stack() {
    volatile char warm[32768];
    for (std::size_t i = 0; i < sizeof(warm); i += 1024)
        warm[i] = 0;
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "init");
    bool good = true;
    TreeEntry entry;
    std::uint64_t programs = 0;
    const Handle bundle = handle(StartupRole::bundle);
    warm_stack();
    for (std::uint64_t index = 0; sys::tree_list(bundle, index, &entry); ++index) {
        const std::string_view path(entry.name, entry.name_bytes);
        if (!path.starts_with("bin/test_") || path == "bin/test_init") continue;
        const AgentInfo before = info_of(self);
        good = run_program(path) && good;
        ++programs;
        if (programs > 1) run("quota_is_whole", [&] { CHECK(quota_is_whole(before)); });
    }
    run("found_programs", [&] { CHECK(programs >= 6); });
    return good && failures == 0 ? 0 : 1;
}
