// The null call, clocks, unknown calls; handles: type before rights, generations, derivation, revocation.
#include "tests/guest/test.hpp"

using namespace aios;
using namespace guest;

namespace {

std::int64_t raw(std::uint64_t number) { return sys::detail::call(number, 0, 0, 0, 0, 0, 0); }

void test_null() {
    CHECK(GET(sys::null()) == 0);
    GET(sys::thread_yield());
}

void test_unknown_calls() {
    for (std::uint64_t number :
         {0ull, 1ull, 39ull, 4095ull, 4104ull, 4127ull, 4184ull, 4500ull, 1ull << 32, (1ull << 32) + 4096, ~0ull})
        CHECK(raw(number) == -static_cast<std::int64_t>(Error::unsupported));
}

void test_clocks() {
    const std::uint64_t a = now();
    const std::uint64_t b = now();
    CHECK(a != 0 && b >= a);
    GET(sys::clock_read(static_cast<std::uint64_t>(Clock::wall)));
    const std::uint64_t cpu = GET(sys::clock_read(static_cast<std::uint64_t>(Clock::thread_cpu)));
    CHECK(GET(sys::clock_read(static_cast<std::uint64_t>(Clock::agent_cpu))) + 1'000'000'000 > cpu);
    CHECK_ERROR(sys::clock_read(4), bad_argument);
    CHECK_ERROR(sys::clock_read(~0ull), bad_argument);
}

void test_info() {
    HandleInfo info{};
    GET(sys::handle_info(self, &info));
    CHECK(info.type == static_cast<std::uint32_t>(ObjectType::agent) && info.depth == 0 && info.object != 0);
    CHECK(Rights(info.rights).contains(rights::map | rights::spawn | rights::thread | rights::time));
    for (const std::uint64_t address : kBadAddresses)
        CHECK_ERROR(sys::handle_info(self, bad_pointer<HandleInfo>(address)), bad_address);
    // Read-only memory of our own: this very function.
    CHECK_ERROR(sys::handle_info(self, bad_pointer<HandleInfo>(address_of(&test_info) & ~7ull)), bad_address);
    CHECK_ERROR(sys::handle_info(kNoHandle, &info), bad_handle);
}

void test_bad_handles() {
    const OwnedHandle timer(GET(sys::timer_create(self)));
    for (const Handle bad : {kNoHandle, timer.get() ^ (Handle{1} << 32), timer.get() + 1'000'000,
                             timer.get() | Handle{1} << 63, ~Handle{0}}) {
        HandleInfo info{};
        CHECK_ERROR(sys::handle_info(bad, &info), bad_handle);
        CHECK_ERROR(sys::handle_close(bad), bad_handle);
        CHECK_ERROR(sys::handle_derive(bad, 0), bad_handle);
        CHECK_ERROR(sys::handle_revoke(bad), bad_handle);
        CHECK_ERROR(sys::timer_set(bad, 0, 0), bad_handle);
    }
}

void test_stale_generation() {
    const Handle first = GET(sys::timer_create(self));
    GET(sys::handle_close(first));
    CHECK_ERROR(sys::handle_close(first), bad_handle);
    const OwnedHandle second(GET(sys::timer_create(self)));
    CHECK(second.get() != first);
    CHECK_ERROR(sys::timer_set(first, kNoDeadline, 0), bad_handle);
    GET(sys::timer_set(second.get(), kNoDeadline, 0));
}

// Every call that takes a handle answers wrong_type for one of another type, also when the right is missing as well.
void test_wrong_type() {
    const OwnedHandle timer(GET(sys::timer_create(self)));
    const Handle t = timer.get();
    SpawnRequest spawn_request{};
    IdentityRecord identity{};
    AgentInfo agent{};
    MapRequest map{};
    Message message{}, other{};
    EventPacket packet{};
    AsyncResult async{};
    PqcRequest pqc{};
    LogInfo log{};
    TreeEntry entry{};
    CHECK_ERROR(sys::agent_spawn(t, &spawn_request), wrong_type);
    CHECK_ERROR(sys::agent_supervisor_register(t, t, 0), wrong_type);
    CHECK_ERROR(sys::agent_register(t, &identity), wrong_type);
    CHECK_ERROR(sys::agent_kill(t, 0), wrong_type);
    CHECK_ERROR(sys::agent_info(t, &agent), wrong_type);
    CHECK_ERROR(sys::agent_mem_alloc(t, 4096, 3), wrong_type);
    CHECK_ERROR(sys::agent_mem_free(t, 0x100000, 4096), wrong_type);
    CHECK_ERROR(sys::agent_pool_alloc(t, 4096), wrong_type);
    CHECK_ERROR(sys::memory_map(t, &map), wrong_type);
    CHECK_ERROR(sys::frame_alloc(t, 1), wrong_type);
    CHECK_ERROR(sys::page_map(t, &map), wrong_type);
    CHECK_ERROR(sys::channel_create(t, 1, 1), wrong_type);
    CHECK_ERROR(sys::ipc_send(t, &message), wrong_type);
    CHECK_ERROR(sys::ipc_recv(t, &message), wrong_type);
    CHECK_ERROR(sys::ipc_call(t, &message, &other, 0), wrong_type);
    CHECK_ERROR(sys::ipc_reply_wait(t, 0, &message, &other, 0), wrong_type);
    CHECK_ERROR(sys::queue_create(t), wrong_type);
    CHECK_ERROR(sys::event_register(t, t, 8, 0), wrong_type);
    CHECK_ERROR(sys::event_cancel(t, 0), wrong_type);
    CHECK_ERROR(sys::event_wait(t, &packet, 1, 0), wrong_type);
    CHECK_ERROR(sys::timer_create(t), wrong_type);
    CHECK_ERROR(sys::timer_set(self, 0, 0), wrong_type);
    CHECK_ERROR(sys::get_async_result(t, &async), wrong_type);
    CHECK_ERROR(sys::pqc_operation(t, &pqc), wrong_type);
    CHECK_ERROR(sys::thread_create(t, 0x1000, 0, 0), wrong_type);
    CHECK_ERROR(sys::console_write(t, "x", 1), wrong_type);
    CHECK_ERROR(sys::host_send(t, "x", 1), wrong_type);
    CHECK_ERROR(sys::node_power(t, 0, 0), wrong_type);
    CHECK_ERROR(sys::log_read(t, 0, &log, 1), wrong_type);
    CHECK_ERROR(sys::log_info(t, &log), wrong_type);
    CHECK_ERROR(sys::tree_open(t, "x", 1), wrong_type);
    CHECK_ERROR(sys::tree_list(t, 0, &entry), wrong_type);
    CHECK_ERROR(sys::tree_change(t, 0, bad_pointer<TreeChange>(0)), wrong_type);
    CHECK_ERROR(sys::memory_read(t, 0, bad_pointer<void>(0), 1), wrong_type);
    CHECK_ERROR(sys::tree_create_temporary(t), wrong_type);
    ResourceAmounts amounts{};
    BudgetInfo budget{};
    CHECK_ERROR(sys::agent_budget(t), wrong_type);
    CHECK_ERROR(sys::agent_grant(t, &amounts), wrong_type);
    CHECK_ERROR(sys::budget_hold(t, &amounts), wrong_type);
    CHECK_ERROR(sys::hold_settle(t, &amounts, &amounts), wrong_type);
    CHECK_ERROR(sys::budget_charge(t, &amounts), wrong_type);
    CHECK_ERROR(sys::budget_info(t, &budget), wrong_type);
}

void test_missing_right() {
    const OwnedHandle nothing(GET(sys::handle_derive(self, 0)));
    const Handle h = nothing.get();
    SpawnRequest spawn_request{};
    IdentityRecord identity{};
    AgentInfo agent{};
    PqcRequest pqc{};
    CHECK_ERROR(sys::agent_spawn(h, &spawn_request), missing_right);
    CHECK_ERROR(sys::agent_supervisor_register(h, h, 0), missing_right);
    CHECK_ERROR(sys::agent_register(h, &identity), missing_right);
    CHECK_ERROR(sys::agent_kill(h, 0), missing_right);
    CHECK_ERROR(sys::agent_info(h, &agent), missing_right);
    CHECK_ERROR(sys::agent_mem_alloc(h, 4096, 3), missing_right);
    CHECK_ERROR(sys::agent_mem_free(h, 0x100000, 4096), missing_right);
    CHECK_ERROR(sys::agent_pool_alloc(h, 4096), missing_right);
    CHECK_ERROR(sys::channel_create(h, 1, 1), missing_right);
    CHECK_ERROR(sys::queue_create(h), missing_right);
    CHECK_ERROR(sys::timer_create(h), missing_right);
    CHECK_ERROR(sys::pqc_operation(h, &pqc), missing_right);
    CHECK_ERROR(sys::thread_create(h, 0x1000, 0, 0), missing_right);
    CHECK_ERROR(sys::tree_create_temporary(h), missing_right);
    CHECK_ERROR(sys::agent_budget(h), missing_right);
    CHECK_ERROR(sys::handle_derive(h, 0), missing_right);
    CHECK_ERROR(sys::handle_revoke(h), missing_right);
    // Each handle that was given, without its rights.
    for (std::uint32_t i = 1; i < startup->count; ++i) {
        const StartupEntry& given = startup->entries[i];
        const OwnedHandle bare(GET(sys::handle_derive(given.handle, 0)));
        MapRequest map{};
        switch (static_cast<StartupRole>(given.role)) {
        case StartupRole::console:
            CHECK_ERROR(sys::console_write(bare.get(), "x", 1), missing_right);
            break;
        case StartupRole::host_port:
            CHECK_ERROR(sys::host_send(bare.get(), "x", 1), missing_right);
            break;
        case StartupRole::power:
            CHECK_ERROR(sys::node_power(bare.get(), 0, 1), missing_right);
            break;
        case StartupRole::frames:
            CHECK_ERROR(sys::frame_alloc(bare.get(), 1), missing_right);
            CHECK_ERROR(sys::page_map(bare.get(), &map), missing_right);
            break;
        case StartupRole::log: {
            LogInfo log{};
            CHECK_ERROR(sys::log_info(bare.get(), &log), missing_right);
            CHECK_ERROR(sys::log_read(bare.get(), 0, &log, sizeof(log)), missing_right);
            break;
        }
        case StartupRole::bundle: {
            TreeEntry entry;
            CHECK_ERROR(sys::tree_open(bare.get(), "bin", 3), missing_right);
            CHECK_ERROR(sys::tree_list(bare.get(), 0, &entry), missing_right);
            CHECK_ERROR(sys::tree_change(bare.get(), 0, bad_pointer<TreeChange>(0)), missing_right);
            break;
        }
        default:
            break;
        }
    }
}

void test_rights_only_shrink() {
    const OwnedHandle channel(GET(sys::channel_create(self, 4, 1024)));
    const OwnedHandle send(GET(sys::handle_derive(channel.get(), (rights::send | rights::derive).bits())));
    CHECK_ERROR(sys::handle_derive(send.get(), rights::receive.bits()), missing_right);
    CHECK_ERROR(sys::handle_derive(send.get(), (rights::send | rights::receive).bits()), missing_right);
    CHECK_ERROR(sys::handle_derive(channel.get(), 1ull << 40), bad_argument);
    CHECK_ERROR(sys::handle_derive(channel.get(), 1u << 31), bad_argument);
    Message message{};
    GET(sys::ipc_send(send.get(), &message));
    CHECK_ERROR(sys::ipc_recv(send.get(), &message), missing_right);
}

void test_derivation_depth() {
    static Handle chain[kMaxDerivationDepth + 1];
    const auto all = (rights::send | rights::derive).bits();
    chain[0] = GET(sys::channel_create(self, 4, 1024));
    for (std::uint64_t depth = 1; depth <= kMaxDerivationDepth; ++depth)
        chain[depth] = GET(sys::handle_derive(chain[depth - 1], all));
    HandleInfo info{};
    GET(sys::handle_info(chain[kMaxDerivationDepth], &info));
    CHECK(info.depth == kMaxDerivationDepth);
    CHECK_ERROR(sys::handle_derive(chain[kMaxDerivationDepth], all), too_large);
    // Revoking in the middle kills what is below and nothing above.
    GET(sys::handle_revoke(chain[32]));
    Message message{};
    for (std::uint64_t depth = 0; depth <= kMaxDerivationDepth; ++depth) {
        const auto sent = sys::ipc_send(chain[depth], &message);
        if (depth <= 32) {
            CHECK(sent || sent.error() == Error::would_block);
        } else {
            CHECK(!sent && sent.error() == Error::revoked);
        }
    }
    CHECK_ERROR(sys::handle_info(chain[40], &info), revoked);
    CHECK_ERROR(sys::handle_derive(chain[40], 0), revoked);
    CHECK_ERROR(sys::handle_revoke(chain[40]), revoked);
    for (const Handle one : chain)
        GET(sys::handle_close(one)); // a dead handle is still ours to close
}

void test_revoked_is_usable_again() {
    const OwnedHandle root(GET(sys::channel_create(self, 4, 1024)));
    for (unsigned i = 0; i < 100; ++i) {
        const OwnedHandle derived(GET(sys::handle_derive(root.get(), rights::send.bits())));
        GET(sys::handle_revoke(root.get()));
        Message message{};
        CHECK_ERROR(sys::ipc_send(derived.get(), &message), revoked);
    }
    GET(sys::handle_revoke(root.get()));
}

void test_handle_quota_is_exact() {
    const AgentInfo before = info_of(self);
    {
        const OwnedHandle root(GET(sys::channel_create(self, 4, 1024)));
        std::array<OwnedHandle, 300> many;
        for (auto& one : many)
            one = OwnedHandle(GET(sys::handle_derive(root.get(), 0)));
    }
    const AgentInfo between = info_of(self);
    {
        const OwnedHandle root(GET(sys::channel_create(self, 4, 1024)));
        std::array<OwnedHandle, 300> many;
        for (auto& one : many)
            one = OwnedHandle(GET(sys::handle_derive(root.get(), 0)));
        CHECK(info_of(self).memory_bytes > between.memory_bytes);
    }
    // The table has grown once; from then on all comes back.
    CHECK(info_of(self).memory_bytes == between.memory_bytes);
    CHECK(before.quota.handles == between.quota.handles);
}

// What each of 64 new handles costs; `make` answers a call's result.
template <typename F>
std::uint64_t cost_of_each(F&& make) {
    std::array<OwnedHandle, 64> many;
    const std::uint64_t before = info_of(self).memory_bytes;
    for (auto& one : many)
        one = OwnedHandle(GET(make()));
    const std::uint64_t after = info_of(self).memory_bytes;
    return (after - before) / many.size();
}

// Whatever an agent makes is charged to it: more than the handle alone costs.
void test_objects_are_charged() {
    const OwnedHandle root(GET(sys::channel_create(self, 4, 1024)));
    const auto derive = [&] { return sys::handle_derive(root.get(), 0); };
    (void)cost_of_each(derive); // the table has grown
    const std::uint64_t before = info_of(self).memory_bytes;
    const std::uint64_t handle = cost_of_each(derive);
    CHECK(handle >= 64);
    CHECK(cost_of_each([] { return sys::timer_create(self); }) >= handle + 128);
    CHECK(cost_of_each([] { return sys::queue_create(self); }) >= handle + 64);
    CHECK(cost_of_each([] { return sys::channel_create(self, 1, 1); }) >= handle + 4096);
    CHECK(cost_of_each([] { return sys::agent_pool_alloc(self, 4096); }) >= handle + 4096);
    CHECK(cost_of_each([] { return sys::tree_create_temporary(self); }) >= handle + 128);
    CHECK(cost_of_each([] { return sys::agent_budget(self); }) >= handle + 64);
    CHECK(info_of(self).memory_bytes == before);
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "handles");
    run("null", test_null);
    run("unknown_calls", test_unknown_calls);
    run("clocks", test_clocks);
    run("info", test_info);
    run("bad_handles", test_bad_handles);
    run("stale_generation", test_stale_generation);
    run("wrong_type", test_wrong_type);
    run("missing_right", test_missing_right);
    run("rights_only_shrink", test_rights_only_shrink);
    run("derivation_depth", test_derivation_depth);
    run("revoked_is_usable_again", test_revoked_is_usable_again);
    run("handle_quota_is_exact", test_handle_quota_is_exact);
    run("objects_are_charged", test_objects_are_charged);
    return finish();
}
