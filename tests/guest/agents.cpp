// Agents: spawn with good and bad requests, identity, supervision, ends, kill of a subtree, exact return of quotas.
#include "tests/guest/settle.hpp"

using namespace aios;
using namespace guest;

namespace {

void test_exit_status() {
    for (const auto& [arguments, status] : {std::pair{ARGS("exit\0"
                                                           "0"),
                                                      0u},
                                            std::pair{ARGS("exit\0"
                                                           "42"),
                                                      42u}}) {
        const OwnedHandle child(GET(spawn(kChild, with(arguments))));
        CHECK(ended_with(wait_dead(child.get()), EndReason::exited, status));
    }
}

void test_quota_returns() {
    // More than once: the first may make our own table grow.
    for (unsigned i = 0; i < 3; ++i) {
        const AgentInfo before = settled();
        {
            const OwnedHandle child(GET(spawn(kChild, with(ARGS("wait")))));
            const AgentInfo during = info_of(self);
            CHECK(during.quota.memory_bytes + (4 << 20) == before.quota.memory_bytes);
            CHECK(during.quota.handles + 64 == before.quota.handles);
            GET(sys::agent_kill(child.get(), 0));
            (void)wait_dead(child.get());
        }
        if (i != 0) CHECK(settles(before));
    }
}

void test_bad_requests() {
    const SpawnOptions options = with(ARGS("exit\0"
                                           "0"));
    const AgentInfo before = settled();
    const auto refused = [&](auto change, Error error, int line) {
        SpawnRequest request = make_request(kChild, options);
        change(request);
        guest::expect_error(finish_spawn(sys::agent_spawn(self, &request)), error, "agent_spawn", line);
    };
    using R = SpawnRequest;
    refused([](R& r) { r.tree = kNoHandle; }, Error::bad_handle, __LINE__);
    refused([](R& r) { r.tree = self; }, Error::wrong_type, __LINE__);
    refused([](R& r) { r.path_bytes = 0; }, Error::bad_argument, __LINE__);
    refused([](R& r) { r.path_bytes = kMaxPathBytes + 1; }, Error::too_large, __LINE__);
    refused([](R& r) { r.path_bytes = 5; }, Error::not_found, __LINE__);
    refused([](R& r) { r.path_bytes = 3; }, Error::bad_argument, __LINE__); // a directory
    refused([](R& r) { r.argument_bytes = 16385; }, Error::too_large, __LINE__);
    refused([](R& r) { r.environment_bytes = 16385; }, Error::too_large, __LINE__);
    refused([](R& r) { r.argument_bytes = 3; }, Error::bad_argument, __LINE__); // the last string is not ended
    refused([](R& r) { r.handle_count = 32; }, Error::too_large, __LINE__);
    refused(
        [](R& r) {
            r.handle_count = 1;
            r.handles = 0;
        },
        Error::bad_address, __LINE__);
    refused([](R& r) { r.personality = 2; }, Error::bad_argument, __LINE__);
    refused([](R& r) { r.flags = 16; }, Error::bad_argument, __LINE__);
    refused([](R& r) { r.directory_bytes = 1; }, Error::bad_argument, __LINE__); // a native program starts nowhere
    refused([](R& r) { r.cpu_weight = 0; }, Error::bad_argument, __LINE__);
    refused([](R& r) { r.cpu_weight = 10001; }, Error::bad_argument, __LINE__);
    refused([](R& r) { r.name[0] = '\0'; }, Error::bad_argument, __LINE__); // padding ends the name
    refused([](R& r) { r.name[0] = '\n'; }, Error::bad_argument, __LINE__);
    refused([](R& r) { r.name[31] = 'x'; }, Error::bad_argument, __LINE__);
    refused([](R& r) { r.quota.memory_bytes = ~0ull; }, Error::quota_exceeded, __LINE__);
    refused([](R& r) { r.quota.handles = 1u << 30; }, Error::quota_exceeded, __LINE__);
    refused([](R& r) { r.quota.threads = 1u << 30; }, Error::quota_exceeded, __LINE__);
    refused([](R& r) { r.quota.agents = 1u << 30; }, Error::quota_exceeded, __LINE__);
    refused([](R& r) { r.quota.memory_bytes = 4096; }, Error::quota_exceeded, __LINE__);
    refused([](R& r) { r.quota.threads = 0; }, Error::quota_exceeded, __LINE__);
    refused([](R& r) { r.quota.handles = 0; }, Error::quota_exceeded, __LINE__);
    for (const std::uint64_t address : kBadAddresses) {
        refused([&](R& r) { r.path = address; }, Error::bad_address, __LINE__);
        refused([&](R& r) { r.arguments = address; }, Error::bad_address, __LINE__);
        refused(
            [&](R& r) {
                r.environment = address;
                r.environment_bytes = 8;
            },
            Error::bad_address, __LINE__);
        refused(
            [&](R& r) {
                r.handles = address;
                r.handle_count = 1;
            },
            Error::bad_address, __LINE__);
        CHECK_ERROR(sys::agent_spawn(self, bad_pointer<const SpawnRequest>(address)), bad_address);
    }
    HandleGrant grant = console_grant();
    const auto with_grant = [&](HandleGrant given, Error error, int line) {
        grant = given;
        refused(
            [&](R& r) {
                r.handles = address_of(&grant);
                r.handle_count = 1;
            },
            error, line);
    };
    with_grant({kNoHandle, 0, 2}, Error::bad_handle, __LINE__);
    with_grant({self, 0, 70}, Error::missing_right, __LINE__); // the self handle cannot be handed on
    with_grant({handle(StartupRole::console), rights::all.bits(), 2}, Error::missing_right, __LINE__);
    with_grant({handle(StartupRole::console), 1u << 30, 2}, Error::bad_argument, __LINE__);
    with_grant({handle(StartupRole::console), rights::write.bits(), 1}, Error::bad_argument, __LINE__);
    with_grant({handle(StartupRole::bundle), rights::read.bits(), 17}, Error::bad_argument, __LINE__); // by MountGrant
    // A file that is no program.
    SpawnRequest request = make_request("etc/not-a-program", options);
    const auto odd = finish_spawn(sys::agent_spawn(self, &request));
    CHECK(!odd);
    CHECK(settles(before));
}

// A Linux program's name for itself is its path with a slash in front: the longest path is one too long for that.
void test_longest_paths() {
    char path[kMaxPathBytes];
    for (std::size_t i = 0; i < 1004; ++i)
        path[i] = i % 251 == 250 ? '/' : 'x';
    for (std::size_t i = 0; i < 20; ++i)
        path[1004 + i] = static_cast<char>('0' + (i + 1) % 10);
    const auto start = [&](std::size_t bytes, PersonalityKind kind) {
        SpawnRequest request = make_request({path, bytes}, with(ARGS("exit\0"
                                                                     "0")));
        request.personality = static_cast<std::uint32_t>(kind);
        for (char& c : request.name)
            c = '\0';
        request.name[0] = 'l';
        return finish_spawn(sys::agent_spawn(self, &request));
    };
    CHECK_ERROR(start(kMaxPathBytes, PersonalityKind::native), bad_format); // it is there, and is no program
    CHECK_ERROR(start(kMaxPathBytes - 1, PersonalityKind::native), bad_format);
    CHECK_ERROR(start(kMaxPathBytes, PersonalityKind::linux_abi), too_large);
    CHECK_ERROR(start(kMaxPathBytes - 1, PersonalityKind::linux_abi), bad_format);
}

void test_small_memory() {
    // Enough to be born, too little to load: the operation says so, and everything comes back.
    const AgentInfo before = settled();
    for (std::uint64_t pages = 1; pages < 64; ++pages) {
        SpawnOptions options = with(ARGS("exit\0"
                                         "0"));
        options.quota.memory_bytes = pages * 4096;
        auto child = spawn(kChild, options);
        if (!child) {
            CHECK(child.error() == Error::quota_exceeded);
            continue;
        }
        const AgentInfo end = wait_dead(child->get());
        CHECK(end.end_reason == static_cast<std::uint32_t>(EndReason::exited) ||
              end.end_reason == static_cast<std::uint32_t>(EndReason::quota) ||
              end.end_reason == static_cast<std::uint32_t>(EndReason::fault));
        CHECK(end.memory_peak_bytes <= pages * 4096);
    }
    CHECK(settles(before));
}

// What one has not, one cannot hand on.
void test_jit() {
    SpawnOptions options = with(ARGS("exit\0"
                                     "5"));
    options.flags = kSpawnJit;
    CHECK_ERROR(spawn(kChild, options), missing_right);
    HandleInfo own{};
    GET(sys::handle_info(self, &own));
    CHECK((own.rights & rights::jit.bits()) == 0);
}

void test_identity() {
    SpawnOptions options = with(ARGS("exit\0"
                                     "5"));
    options.flags = kSpawnAwaitIdentity;
    const OwnedHandle child(GET(spawn(kChild, options)));
    for (unsigned i = 0; i < 200; ++i)
        (void)sys::thread_yield();
    CHECK(info_of(child.get()).state == static_cast<std::uint32_t>(AgentState::created));
    IdentityRecord record{};
    record.digest[0] = 0xab;
    for (const std::uint64_t address : kBadAddresses)
        CHECK_ERROR(sys::agent_register(child.get(), bad_pointer<const IdentityRecord>(address)), bad_address);
    CHECK_ERROR(sys::agent_register(self, &record), missing_right);
    GET(sys::agent_register(child.get(), &record));
    CHECK_ERROR(sys::agent_register(child.get(), &record), already_exists);
    const AgentInfo end = wait_dead(child.get());
    CHECK(ended_with(end, EndReason::exited, 5) && end.registered[0] == 0xab && end.registered[1] == 0);
    // One that waits for its identity can be ended as well.
    options.arguments = ARGS("spin");
    const OwnedHandle other(GET(spawn(kChild, options)));
    GET(sys::agent_kill(other.get(), 7));
    CHECK(ended_with(wait_dead(other.get()), EndReason::killed, 7));
    CHECK_ERROR(sys::agent_register(other.get(), &record), bad_state);
}

// The digest that AgentInfo promises, made here from its parts: deterministic CBOR { 0: name, 1: program, 2: parent's
// }.
bool is_identity(const AgentInfo& info) {
    std::uint8_t bytes[160];
    std::size_t size = 0;
    const auto put = [&](const void* from, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            bytes[size++] = static_cast<const std::uint8_t*>(from)[i];
    };
    const std::string_view name(info.name);
    const std::uint8_t map_and_name[] = {0xa3, 0x00, 0x60}, one[] = {0x01, 0x58, 32}, two[] = {0x02, 0x58, 32};
    put(map_and_name, 3);
    bytes[2] = static_cast<std::uint8_t>(0x60 + name.size()); // names of the tests are shorter than 24
    put(name.data(), name.size());
    put(one, 3);
    put(info.program, 32);
    put(two, 3);
    put(info.parent_identity, 32);
    const PqcRequest request{static_cast<std::uint32_t>(PqcAlgorithm::sha2_256), 0, address_of(bytes), size};
    const OwnedHandle operation(GET(sys::pqc_operation(self, &request)));
    CHECK(wait_for(operation.get(), kSignalDone));
    std::uint8_t digest[64] = {};
    AsyncResult result{0, 0, address_of(digest), sizeof(digest)};
    GET(sys::get_async_result(operation.get(), &result));
    bool same = true;
    for (std::size_t i = 0; i < 32; ++i)
        same = same && digest[i] == info.identity[i];
    return same;
}

template <std::size_t N>
bool same_bytes(const std::uint8_t (&a)[N], const std::uint8_t (&b)[N]) {
    for (std::size_t i = 0; i < N; ++i)
        if (a[i] != b[i]) return false;
    return true;
}

// Who an agent is follows from its program, its name and its parent, and from nothing else.
void test_measured_identity() {
    const AgentInfo me = info_of(self);
    CHECK(is_identity(me));
    const auto born = [&](std::string_view name) {
        SpawnOptions options = with(ARGS("exit\0"
                                         "0"));
        options.name = name;
        const OwnedHandle child(GET(spawn(kChild, options)));
        IdentityRecord claimed{};
        for (std::uint8_t& byte : claimed.digest)
            byte = 0x77;
        (void)sys::agent_register(child.get(), &claimed); // what a parent says changes nothing of it
        return wait_dead(child.get());
    };
    const AgentInfo one = born("one"), again = born("one"), other = born("other");
    CHECK(is_identity(one) && is_identity(other));
    CHECK(one.id != again.id && same_bytes(one.identity, again.identity)); // no number of this boot is in it
    CHECK(!same_bytes(one.identity, other.identity) && same_bytes(one.program, other.program));
    CHECK(same_bytes(one.parent_identity, me.identity) && !same_bytes(one.program, me.program));
    const std::uint8_t none[32] = {};
    CHECK(!same_bytes(one.program, none) && !same_bytes(me.parent_identity, none));
}

void test_names_are_unique() {
    SpawnOptions options = with(ARGS("wait"));
    options.name = "twin";
    const OwnedHandle first(GET(spawn(kChild, options)));
    const AgentInfo before = settled();
    CHECK_ERROR(spawn(kChild, options), already_exists);
    CHECK(settles(before));
    // Unnamed ones are as many as one likes.
    SpawnRequest request = make_request(kChild, options);
    for (char& c : request.name)
        c = '\0';
    const OwnedHandle nobody(GET(finish_spawn(sys::agent_spawn(self, &request))));
    const OwnedHandle nobody_else(GET(finish_spawn(sys::agent_spawn(self, &request))));
    CHECK(same_bytes(info_of(nobody.get()).identity, info_of(nobody_else.get()).identity));
    // Once the first is ending its name is free, however often.
    GET(sys::agent_kill(first.get(), 0));
    const OwnedHandle second(GET(spawn(kChild, options)));
    CHECK_ERROR(spawn(kChild, options), already_exists);
    GET(sys::agent_kill(second.get(), 0));
    (void)wait_dead(second.get());
    const OwnedHandle third(GET(spawn(kChild, options)));
    for (const OwnedHandle* each : {&third, &nobody, &nobody_else}) {
        GET(sys::agent_kill(each->get(), 0));
        (void)wait_dead(each->get());
    }
}

void test_failed_start_leaves_its_name() {
    const AgentInfo at_first = settled();
    SpawnOptions options = with(ARGS("wait"));
    options.name = "twin";
    // A start that fails leaves its name free by the time it is told.
    options.quota.memory_bytes = 120 * 1024; // born, but not loaded
    for (unsigned i = 0; i < 20; ++i) {
        const auto failed = spawn(kChild, options);
        CHECK(failed || failed.error() == Error::quota_exceeded);
        if (failed) GET(sys::agent_kill(failed->get(), 0));
    }
    CHECK(settles(at_first));
}

// 64 levels below the first agent, and not one more.
void test_nesting_is_bounded() {
    const AgentInfo before = settled();
    const HandleGrant grants[] = {grant(handle(StartupRole::bundle),
                                        rights::read | rights::execute | rights::transfer | rights::derive,
                                        StartupRole::bundle)};
    SpawnOptions options = with(ARGS("nest"));
    options.quota = {30 << 20, 64 * 20, 64 * 4, 70};
    options.handles = grants;
    options.handle_count = 1;
    const OwnedHandle child(GET(spawn(kChild, options)));
    const AgentInfo end = wait_dead(child.get(), 60);
    // We are level 1, the child is level 2: the one at level 64 is refused a child. It says so with its level.
    CHECK(ended_with(end, EndReason::exited, 1000 + 64 - 1));
    CHECK(info_of(self).quota.memory_bytes == before.quota.memory_bytes);
    CHECK(settles(before));
}

// A registration in our queue, made by a child, ends with the child: our queue keeps nothing that it paid for, and all
// of its limit is back when we hear of its end.
void test_foreign_registrations_end() {
    const OwnedHandle queue(GET(sys::queue_create(self)));
    const OwnedHandle channel(GET(sys::channel_create(self, 4, 256)));
    const HandleGrant grants[] = {grant(channel.get(), rights::send | rights::wait, StartupRole::parent),
                                  {queue.get(), rights::write.bits(), 100}};
    SpawnOptions options = with(ARGS("register"));
    options.handles = grants;
    options.handle_count = 2;
    options.quota.handles = 256;
    (void)wait_for(channel.get(), kSignalReadable, 0); // our own table has grown by now
    const AgentInfo before = settled();
    for (unsigned i = 0; i < 3; ++i) {
        const OwnedHandle child(GET(spawn(kChild, options)));
        CHECK(wait_for(channel.get(), kSignalReadable));
        Message message{};
        GET(sys::ipc_recv(channel.get(), &message)); // it has registered
        if (i == 0) GET(sys::agent_kill(child.get(), 0));
        (void)wait_dead(child.get());
        const AgentInfo after = info_of(self);
        CHECK(after.quota.memory_bytes == before.quota.memory_bytes && after.quota.handles == before.quota.handles &&
              after.quota.threads == before.quota.threads && after.quota.agents == before.quota.agents);
        CHECK_ERROR(sys::event_cancel(queue.get(), 77), not_found);
    }
    EventPacket packet{};
    CHECK_ERROR(sys::event_wait(queue.get(), &packet, 1, 0), timed_out);
}

// What a large agent has is taken down on its own share: meanwhile a small one dies, and the large one pays for its own
// death. A slow machine may let the large one win a round.
void test_deaths_do_not_delay_each_other() {
    bool small_first = false;
    for (unsigned round = 0; round < 5 && !small_first; ++round) {
        const OwnedHandle channel(GET(sys::channel_create(self, 4, 256)));
        const HandleGrant grants[] = {grant(channel.get(), rights::send, StartupRole::parent)};
        SpawnOptions options = with(ARGS("hoard\0"
                                         "4000"));
        options.quota = {16 << 20, 4100, 8, 0};
        options.handles = grants;
        options.handle_count = 1;
        const OwnedHandle large(GET(spawn(kChild, options)));
        const OwnedHandle small(GET(spawn(kChild, with(ARGS("wait")))));
        CHECK(wait_for(channel.get(), kSignalReadable));
        const std::uint64_t lived = info_of(large.get()).cpu_ns;
        GET(sys::agent_kill(large.get(), 1));
        GET(sys::agent_kill(small.get(), 1));
        CHECK(ended_with(wait_dead(small.get()), EndReason::killed, 1));
        small_first = info_of(large.get()).state != static_cast<std::uint32_t>(AgentState::dead);
        const AgentInfo end = wait_dead(large.get());
        CHECK(ended_with(end, EndReason::killed, 1));
        CHECK(end.cpu_ns > lived + 200'000); // 4,000 timers, more than 50 ns each
    }
    CHECK(small_first);
}

void test_supervision() {
    const OwnedHandle queue(GET(sys::queue_create(self)));
    const OwnedHandle child(GET(spawn(kChild, with(ARGS("wait")))));
    CHECK_ERROR(sys::agent_supervisor_register(self, queue.get(), 9), missing_right);
    CHECK_ERROR(sys::agent_supervisor_register(child.get(), self, 9), wrong_type);
    CHECK_ERROR(sys::agent_supervisor_register(child.get(), kNoHandle, 9), bad_handle);
    GET(sys::agent_supervisor_register(child.get(), queue.get(), 9));
    EventPacket packet{};
    CHECK_ERROR(sys::event_wait(queue.get(), &packet, 1, now() + 1'000'000), timed_out);
    GET(sys::agent_kill(child.get(), 3));
    GET(sys::event_wait(queue.get(), &packet, 1, now() + 10 * kSecond));
    CHECK(packet.key == 9 && packet.signals == kSignalEnded);
    CHECK(ended_with(info_of(child.get()), EndReason::killed, 3));
    GET(sys::agent_kill(child.get(), 4)); // killing the dead is no error and changes nothing
    CHECK(ended_with(info_of(child.get()), EndReason::killed, 3));
}

void test_faults_reach_the_supervisor() {
    const OwnedHandle queue(GET(sys::queue_create(self)));
    SpawnOptions options = with(ARGS("null"));
    options.flags = kSpawnAwaitIdentity; // so that the registration stands before the fault
    const OwnedHandle child(GET(spawn(kChild, options)));
    GET(sys::agent_supervisor_register(child.get(), queue.get(), 1));
    const IdentityRecord record{};
    GET(sys::agent_register(child.get(), &record));
    std::uint64_t seen = 0;
    while ((seen & kSignalEnded) == 0) {
        EventPacket packet{};
        if (!sys::event_wait(queue.get(), &packet, 1, now() + 10 * kSecond)) break;
        seen |= packet.signals;
    }
    CHECK(seen == (kSignalFault | kSignalEnded));
    const AgentInfo end = info_of(child.get());
    CHECK(ended_with(end, EndReason::fault, 14) && end.fault_address == 0);
}

void test_subtree_dies() {
    const AgentInfo before = settled();
    {
        const OwnedHandle channel(GET(sys::channel_create(self, 4, 256)));
        const HandleGrant grants[] = {grant(channel.get(), rights::send, StartupRole::parent),
                                      grant(handle(StartupRole::bundle),
                                            rights::read | rights::execute | rights::transfer | rights::derive,
                                            StartupRole::bundle)};
        SpawnOptions options = with(ARGS("parent"));
        options.quota = {8 << 20, 64, 8, 4};
        options.handles = grants;
        options.handle_count = 2;
        const OwnedHandle child(GET(spawn(kChild, options)));
        const OwnedHandle reader(GET(sys::handle_derive(channel.get(), (rights::receive | rights::wait).bits())));
        CHECK(wait_for(reader.get(), kSignalReadable)); // the grandchild runs
        GET(sys::agent_kill(child.get(), 1));
        CHECK(ended_with(wait_dead(child.get()), EndReason::killed, 1)); // dead only when its children are
    }
    CHECK(settles(before));
}

// An object whose payer ends is gone everywhere, mappings included.
void test_payer_ends() {
    // A place that has been mapped before: its page tables stay, so the accounts can be compared to the byte.
    const std::uint64_t warm = GET(sys::agent_mem_alloc(self, 4096, kProtectRead));
    CHECK(*bad_pointer<volatile std::uint64_t>(warm) == 0);
    GET(sys::agent_mem_free(self, warm, 4096));
    const AgentInfo before = settled();
    {
        const OwnedHandle channel(GET(sys::channel_create(self, 4, 256)));
        const HandleGrant grants[] = {grant(channel.get(), rights::send, StartupRole::parent)};
        SpawnOptions options = with(ARGS("give"));
        options.handles = grants;
        options.handle_count = 1;
        const OwnedHandle child(GET(spawn(kChild, options)));
        CHECK(wait_for(channel.get(), kSignalReadable));
        HandleGrant given{};
        Message message{};
        message.handles = address_of(&given);
        message.handle_count = 1;
        GET(sys::ipc_recv(channel.get(), &message));
        const OwnedHandle memory(given.handle);
        const MapRequest request{0, 4096, warm, kProtectRead};
        const std::uint64_t place = GET(sys::memory_map(memory.get(), &request));
        CHECK(place == warm);
        CHECK(*bad_pointer<volatile std::uint64_t>(place) == 0);
        GET(sys::agent_kill(child.get(), 1));
        (void)wait_dead(child.get());
        CHECK_ERROR(sys::memory_map(memory.get(), &request), revoked);
        CHECK_ERROR(sys::tree_open(handle(StartupRole::bundle), bad_pointer<const char>(place), 4), bad_address);
    }
    CHECK(settles(before));
}

// Channels that hold each other up do not keep the quota of the one who made them.
void test_tangled_channels() {
    const AgentInfo before = settled();
    {
        const OwnedHandle child(GET(spawn(kChild, with(ARGS("tangle")))));
        CHECK(ended_with(wait_dead(child.get()), EndReason::exited, 0));
    }
    CHECK(settles(before));
}

void test_info_arguments() {
    for (const std::uint64_t address : kBadAddresses)
        CHECK_ERROR(sys::agent_info(self, bad_pointer<AgentInfo>(address)), bad_address);
    const AgentInfo info = info_of(self);
    CHECK(info.id != 0 && info.parent != 0 && std::string_view(info.name) == "test_agents");
    CHECK(info.state == static_cast<std::uint32_t>(AgentState::running));
}

// Calls on "self" through a handle of another agent are refused even with the right.
void test_not_in_another() {
    const OwnedHandle child(GET(spawn(kChild, with(ARGS("wait")))));
    CHECK_ERROR(sys::agent_mem_alloc(child.get(), 4096, 3), missing_right);
    CHECK_ERROR(sys::thread_create(child.get(), 0x100000, 0x100000, 0), missing_right);
    CHECK_ERROR(sys::queue_create(child.get()), missing_right);
    GET(sys::agent_kill(child.get(), 0));
    (void)wait_dead(child.get());
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "agents");
    at_start = info_of(self);
    run("exit_status", test_exit_status);
    run("quota_returns", test_quota_returns);
    run("bad_requests", test_bad_requests);
    run("longest_paths", test_longest_paths);
    run("small_memory", test_small_memory);
    run("jit", test_jit);
    run("identity", test_identity);
    run("measured_identity", test_measured_identity);
    run("names_are_unique", test_names_are_unique);
    run("failed_start_leaves_its_name", test_failed_start_leaves_its_name);
    run("nesting_is_bounded", test_nesting_is_bounded);
    run("foreign_registrations_end", test_foreign_registrations_end);
    run("deaths_do_not_delay_each_other", test_deaths_do_not_delay_each_other);
    run("supervision", test_supervision);
    run("faults_reach_the_supervisor", test_faults_reach_the_supervisor);
    run("subtree_dies", test_subtree_dies);
    run("payer_ends", test_payer_ends);
    run("tangled_channels", test_tangled_channels);
    run("info_arguments", test_info_arguments);
    run("not_in_another", test_not_in_another);
    return finish();
}
