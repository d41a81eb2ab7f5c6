// What a revocation costs whoever makes it, in instructions: docs/design/capabilities.md states the bounds that are
// held here. Judged where the clock counts instructions, one a nanosecond. With an argument the program is a holder
// that maps what it was lent and reads it.
#include <atomic>
#include <span>

#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

// Of a call, a node that ends, each level that it stands below the revoked one, an agent that mapped through a node,
// a page that it mapped, and a hold that ends with its node.
constexpr std::uint64_t kCall = 8'000, kNode = 1'200, kLevel = 100, kSpace = 4'000, kPage = 50,
                        kHold = 600; // instructions

constexpr std::string_view kOwn = "bin/test_bounds";
constexpr auto kReadyRole = static_cast<StartupRole>(100), kLostRole = static_cast<StartupRole>(101);
constexpr unsigned kNodes = 1000, kHolders = 16;
constexpr std::uint64_t kChain = kMaxDerivationDepth - 2;
constexpr std::uint64_t kBytes = 4 << 20;
constexpr Rights kLent = rights::read | rights::map | rights::derive | rights::transfer;
Handle nodes[kNodes];

std::uint64_t map_and_touch(Handle memory, std::uint64_t bytes, std::uint64_t protection) {
    const MapRequest request{0, bytes, 0, protection};
    const std::uint64_t at = GET(sys::memory_map(memory, &request));
    for (std::uint64_t offset = 0; offset < bytes; offset += kPageBytes)
        (void)*reinterpret_cast<const volatile char*>(at + offset); // SAFETY: just mapped
    return at;
}

int hold() {
    const std::uint64_t ready = map_and_touch(handle(kReadyRole), kPageBytes, kProtectRead | kProtectWrite);
    const std::uint64_t lost = map_and_touch(handle(kLostRole), kPageBytes, kProtectRead);
    reinterpret_cast<std::atomic<std::uint64_t>*>(ready)->fetch_add(1); // SAFETY: as above
    for (;;) {
        (void)*reinterpret_cast<const volatile char*>(lost); // ends this agent when it is gone
        (void)sys::thread_yield();
    }
}

void judge_revoke(std::string_view what, Handle top, std::uint64_t bound) {
    const auto run_time = [] { return GET(sys::clock_read(static_cast<std::uint64_t>(Clock::thread_cpu))); };
    const std::uint64_t begin = run_time();
    GET(sys::handle_revoke(top));
    const std::uint64_t took = run_time() - begin;
    console_print("revoking {} took {} instructions of {}\n", what, took, bound);
    CHECK(took <= bound);
}

OwnedHandle memory_of(std::uint64_t bytes) { return OwnedHandle(GET(sys::agent_pool_alloc(self, bytes))); }

void test_siblings() {
    const OwnedHandle memory = memory_of(kPageBytes);
    const OwnedHandle top(GET(sys::handle_derive(memory.get(), kLent.bits())));
    for (Handle& node : nodes)
        node = GET(sys::handle_derive(top.get(), kLent.bits()));
    judge_revoke("a thousand siblings", top.get(), kCall + kNodes * kNode);
    for (const Handle node : nodes)
        (void)sys::handle_close(node);
}

void test_chain() {
    const OwnedHandle memory = memory_of(kPageBytes);
    Handle above = memory.get();
    const std::span chain(nodes, kChain);
    for (Handle& node : chain) {
        node = GET(sys::handle_derive(above, kLent.bits()));
        above = node;
    }
    judge_revoke("the longest chain", nodes[0], kCall + kChain * (kNode + kChain / 2 * kLevel));
    for (const Handle node : chain)
        (void)sys::handle_close(node);
}

// A hold that is revoked is settled in doubt, and counted for the log, by whoever revokes the budget.
void test_holds() {
    const OwnedHandle budget(GET(sys::agent_budget(self)));
    const OwnedHandle top(GET(sys::handle_derive(budget.get(), (rights::charge | rights::derive).bits())));
    ResourceAmounts one;
    one.tokens = 1;
    for (Handle& node : nodes)
        node = GET(sys::budget_hold(top.get(), &one));
    judge_revoke("a thousand holds", top.get(), kCall + kNodes * (kNode + kHold));
    for (const Handle node : nodes)
        (void)sys::handle_close(node);
}

void test_pages() {
    const OwnedHandle memory = memory_of(kBytes);
    const OwnedHandle top(GET(sys::handle_derive(memory.get(), kLent.bits())));
    (void)map_and_touch(top.get(), kBytes, kProtectRead);
    constexpr std::uint64_t kBound = kCall + kNode + kSpace + kBytes / kPageBytes * kPage;
    judge_revoke("what 1,024 pages were mapped through", top.get(), kBound);
}

void test_holders() {
    const OwnedHandle memory = memory_of(kPageBytes), ready = memory_of(kPageBytes);
    const OwnedHandle top(GET(sys::handle_derive(memory.get(), kLent.bits())));
    const auto* arrived = reinterpret_cast<const std::atomic<std::uint64_t>*>( // SAFETY: just mapped
        map_and_touch(ready.get(), kPageBytes, kProtectRead | kProtectWrite));
    OwnedHandle holders[kHolders];
    for (auto& holder : holders) {
        const HandleGrant grants[] = {console_grant(),
                                      grant(ready.get(), rights::read | rights::write | rights::map, kReadyRole),
                                      grant(top.get(), rights::read | rights::map, kLostRole)};
        SpawnOptions options;
        options.arguments = std::string_view("hold\0", 5);
        options.handles = grants;
        options.handle_count = std::size(grants);
        holder = OwnedHandle(GET(spawn(kOwn, options)));
    }
    for (const std::uint64_t until = now() + 20 * kSecond; arrived->load() != kHolders && now() < until;)
        (void)sys::thread_yield();
    CHECK(arrived->load() == kHolders);
    judge_revoke("what sixteen agents mapped", top.get(), kCall + kHolders * (kNode + kSpace + kPage));
    for (auto& holder : holders)
        CHECK(ended_with(wait_dead(holder.get()), EndReason::fault, 14));
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "bounds");
    if (block.argument_count != 0) return hold();
    const bool is_exact = counts_instructions();
    const auto judged = [&](std::string_view name, void (*test)()) {
        if (is_exact)
            run(name, test);
        else
            skip(name, "the clock does not count instructions");
    };
    judged("revoke_siblings", test_siblings);
    judged("revoke_chain", test_chain);
    judged("revoke_holds", test_holds);
    judged("revoke_pages", test_pages);
    judged("revoke_holders", test_holders);
    return finish();
}
