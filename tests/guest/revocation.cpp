// Revocation, as those see it who lose something: what was opened or mapped through a capability ends with it,
// operations under way end too, and nobody can make a revocation wait. With arguments the program is the loser.
#include <atomic>

#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr std::string_view kOwn = "bin/test_revocation";
constexpr std::uint64_t kRw = kProtectRead | kProtectWrite;
constexpr auto kControlRole = static_cast<StartupRole>(100), kLostRole = static_cast<StartupRole>(101);
constexpr unsigned kChurners = 30;

// Shared with the loser.
struct Control {
    std::atomic<std::uint64_t> beats, seen, is_ready;
};

alignas(16) char stacks[kChurners + 1][4096];

Handle start_thread(unsigned stack, void (*entry)(std::uint64_t), std::uint64_t argument = 0) {
    return GET(
        sys::thread_create(self, address_of(entry), address_of(stacks[stack] + sizeof(stacks[stack])) - 8, argument));
}

std::uint64_t map_whole(Handle memory, std::uint64_t bytes, std::uint64_t protection) {
    const MapRequest request{0, bytes, 0, protection};
    return GET(sys::memory_map(memory, &request));
}

template <typename T>
T* object_at(std::uint64_t address) {
    return reinterpret_cast<T*>(address); // SAFETY: what the kernel has just mapped for us
}

// Whether the kernel can read there; touches nothing itself.
bool is_mapped(std::uint64_t place) {
    const auto opened = sys::tree_open(handle(StartupRole::bundle), bad_pointer<const char>(place), 4);
    return !opened && opened.error() != Error::bad_address;
}

// --- the loser -------------------------------------------------------------------------------------------------------

[[noreturn]] void churn(std::uint64_t) {
    for (;;) {
        if (const auto place = sys::agent_mem_alloc(self, 65536, kRw)) (void)sys::agent_mem_free(self, *place, 65536);
    }
}

[[noreturn]] void spin(std::uint64_t) {
    for (volatile std::uint64_t i = 0;; i = i + 1) {
    }
}

int lose(std::string_view mode) {
    if (mode == "spin") spin(0);
    auto* control = object_at<Control>(map_whole(handle(kControlRole), 4096, kRw));
    const auto* lost = object_at<const volatile std::uint64_t>(map_whole(handle(kLostRole), 4096, kProtectRead));
    if (mode == "churn") {
        for (unsigned i = 0; i < kChurners; ++i)
            (void)start_thread(i, churn);
        control->is_ready = 1;
        churn(0);
    }
    // Reads until the memory is gone, which ends the agent.
    control->is_ready = 1;
    for (;;) {
        control->seen = *lost;
        ++control->beats;
    }
}

// --- cases -----------------------------------------------------------------------------------------------------------

// A file has the rights of the tree that it was opened in, and no others.
void test_rights_of_files() {
    const Handle bundle = handle(StartupRole::bundle);
    const Rights optional[] = {rights::execute, rights::derive, rights::transfer};
    for (unsigned chosen = 0; chosen < 8; ++chosen) {
        Rights given = rights::read;
        for (unsigned i = 0; i < 3; ++i)
            if ((chosen >> i & 1) != 0) given = given | optional[i];
        const OwnedHandle tree(GET(sys::handle_derive(bundle, given.bits())));
        const OwnedHandle file(GET(sys::tree_open(tree.get(), kOwn.data(), kOwn.size())));
        HandleInfo info{};
        GET(sys::handle_info(file.get(), &info));
        CHECK(info.rights == (given | rights::map | rights::inspect).bits());
        const MapRequest request{0, 4096, 0, kProtectRead | kProtectExecute};
        if (given.contains(rights::execute)) {
            GET(sys::agent_mem_free(self, GET(sys::memory_map(file.get(), &request)), 4096));
        } else {
            CHECK_ERROR(sys::memory_map(file.get(), &request), missing_right);
        }
    }
    const OwnedHandle blind(GET(sys::handle_derive(bundle, (rights::execute | rights::derive).bits())));
    CHECK_ERROR(sys::tree_open(blind.get(), kOwn.data(), kOwn.size()), missing_right);
}

void test_files_end_with_their_tree() {
    const OwnedHandle above(
        GET(sys::handle_derive(handle(StartupRole::bundle), (rights::read | rights::derive).bits())));
    const OwnedHandle tree(GET(sys::handle_derive(above.get(), (rights::read | rights::derive).bits())));
    const OwnedHandle file(GET(sys::tree_open(tree.get(), kOwn.data(), kOwn.size())));
    const OwnedHandle copy(GET(sys::handle_derive(file.get(), (rights::read | rights::map).bits())));
    const std::uint64_t a = map_whole(file.get(), 4096, kProtectRead), b = map_whole(copy.get(), 4096, kProtectRead);
    CHECK(is_mapped(a) && is_mapped(b));
    GET(sys::handle_revoke(above.get()));
    CHECK(!is_mapped(a) && !is_mapped(b));
    HandleInfo info{};
    CHECK_ERROR(sys::handle_info(file.get(), &info), revoked);
    const MapRequest request{0, 4096, 0, kProtectRead};
    CHECK_ERROR(sys::memory_map(copy.get(), &request), revoked);
}

// Each opened file is charged for all that it takes.
void test_files_are_charged() {
    const AgentInfo before = info_of(self);
    OwnedHandle files[64];
    for (auto& file : files)
        file = OwnedHandle(GET(sys::tree_open(handle(StartupRole::bundle), kOwn.data(), kOwn.size())));
    const std::uint64_t each = (info_of(self).memory_bytes - before.memory_bytes) / std::size(files);
    CHECK(each >= 400); // object, derivation, contents, their source; the first two alone have less than 250
    for (auto& file : files)
        file.reset();
    CHECK(info_of(self).memory_bytes <= before.memory_bytes + 128 * 64); // slots stay
}

void test_registers() {
    const Handle device = handle(StartupRole::registers);
    if (device == kNoHandle) return skip("registers", "the machine has no HPET");
    HandleInfo info{};
    GET(sys::handle_info(device, &info));
    const OwnedHandle above(GET(sys::handle_derive(device, info.rights)));
    const OwnedHandle lost(GET(sys::handle_derive(above.get(), info.rights)));
    const MapRequest request{0, 4096, 0, kProtectRead};
    const std::uint64_t a = GET(sys::page_map(lost.get(), &request)), b = GET(sys::page_map(device, &request));
    CHECK(is_mapped(a) && is_mapped(b));
    GET(sys::handle_revoke(above.get()));
    CHECK(!is_mapped(a) && is_mapped(b));
    CHECK_ERROR(sys::page_map(lost.get(), &request), revoked);
    GET(sys::agent_mem_free(self, b, 4096));
}

// Text that is under way, and waits for its agent's rate, ends with the capability.
std::atomic<std::int64_t> written{0};
std::atomic<bool> writer_is_done{false};
char text[65536];
void write_text(std::uint64_t console) {
    (void)sys::console_write(console, text, sizeof(text)); // what may be written at once
    const auto more = sys::console_write(console, text, sizeof(text));
    written = more ? static_cast<std::int64_t>(*more) : -static_cast<std::int64_t>(more.error());
    writer_is_done = true;
    (void)sys::thread_exit();
}
void test_console_under_way() {
    for (std::size_t i = 0; i < sizeof(text); ++i)
        text[i] = i % 1024 == 1023 ? '\n' : ' ';
    const OwnedHandle above(
        GET(sys::handle_derive(handle(StartupRole::console), (rights::write | rights::derive).bits())));
    const OwnedHandle lost(GET(sys::handle_derive(above.get(), rights::write.bits())));
    const OwnedHandle writer(start_thread(0, write_text, lost.get()));
    const std::uint64_t start = now();
    while (now() < start + 20'000'000)
        (void)sys::thread_yield();
    GET(sys::handle_revoke(above.get()));
    CHECK(wait_for(writer.get(), kSignalEnded));
    // Cut off: an error, or what had been written before. (A slow machine may not have come to the second text.)
    CHECK(writer_is_done && written < static_cast<std::int64_t>(sizeof(text)));
    CHECK(written >= 0 || written == -static_cast<std::int64_t>(Error::revoked));
    CHECK_ERROR(sys::console_write(lost.get(), text, 1), revoked);
}

struct Loser {
    OwnedHandle agent, lent;
    OwnedHandle memory, control_memory;
    Control* control = nullptr;
    volatile std::uint64_t* word = nullptr;

    bool start(std::string_view arguments, std::uint32_t weight) {
        constexpr Rights kAll = rights::read | rights::write | rights::map | rights::derive | rights::transfer;
        memory = OwnedHandle(GET(sys::agent_pool_alloc(self, 4096)));
        control_memory = OwnedHandle(GET(sys::agent_pool_alloc(self, 4096)));
        lent = OwnedHandle(GET(sys::handle_derive(memory.get(), kAll.bits())));
        control = object_at<Control>(map_whole(control_memory.get(), 4096, kRw));
        word = object_at<volatile std::uint64_t>(map_whole(memory.get(), 4096, kRw));
        *word = 1;
        const HandleGrant grants[] = {
            console_grant(), grant(control_memory.get(), rights::read | rights::write | rights::map, kControlRole),
            grant(lent.get(), rights::read | rights::map, kLostRole)};
        SpawnOptions options;
        options.arguments = arguments;
        options.handles = grants;
        options.handle_count = std::size(grants);
        options.quota = {16 << 20, 300, kChurners + 8, 0};
        options.weight = weight;
        agent = OwnedHandle(GET(spawn(kOwn, options)));
        for (const std::uint64_t until = now() + 20 * kSecond; control->is_ready == 0 && now() < until;)
            (void)sys::thread_yield();
        return control->is_ready != 0;
    }
};

// A program that reads without pause, on another CPU where there is one: after the revocation has returned it reads
// nothing that is written then, and ends at its next read.
void test_readers_stop() {
    std::uint64_t beats = 0;
    for (unsigned round = 0; round < 12; ++round) {
        Loser loser;
        if (!loser.start(std::string_view("read\0", 5), 100)) return failed("not ready", __LINE__);
        while (loser.control->beats == 0) // it reads
            (void)sys::thread_yield();
        const std::uint64_t until = now() + 1'000'000 + round * 137'000;
        while (now() < until)
            (void)sys::thread_yield();
        GET(sys::handle_revoke(loser.lent.get()));
        const std::uint64_t at_return = loser.control->beats;
        *loser.word = 0x5ec2e7;
        const AgentInfo end = wait_dead(loser.agent.get());
        CHECK(ended_with(end, EndReason::fault, 14));
        CHECK(loser.control->seen == 1);
        CHECK(loser.control->beats <= at_return + 1); // the count of the last read
        beats += at_return;
    }
    CHECK(beats != 0);
}

// An agent of the least weight keeps its memory's lock busy with many threads, others of the greatest weight take the
// processors. It is not waited for: neither by who revokes from it, nor by others.
void test_nobody_is_waited_for() {
    Loser loser;
    if (!loser.start(std::string_view("churn\0", 6), 1)) return failed("not ready", __LINE__);
    OwnedHandle hogs[2];
    for (auto& hog : hogs) {
        SpawnOptions options;
        options.arguments = std::string_view("spin\0", 5);
        options.weight = 1000;
        hog = OwnedHandle(GET(spawn(kOwn, options)));
    }
    const std::uint64_t start = now();
    while (now() < start + 100'000'000)
        (void)sys::thread_yield();
    const std::uint64_t before = *sys::clock_read(static_cast<std::uint64_t>(Clock::thread_cpu));
    GET(sys::handle_revoke(loser.lent.get()));
    const std::uint64_t taken = *sys::clock_read(static_cast<std::uint64_t>(Clock::thread_cpu)) - before;
    console_print("revoking from {} threads at work took {} us of run time\n", kChurners + 1, taken / 1000);
    if (counts_instructions()) CHECK(taken < 100'000);
    const std::uint64_t from = now();
    GET(sys::handle_revoke(loser.control_memory.get()));
    CHECK(now() - from < (counts_instructions() ? 5 : 30) * kSecond); // waiting for them would take minutes
    for (auto& hog : hogs) {
        GET(sys::agent_kill(hog.get(), 1));
        (void)wait_dead(hog.get());
    }
    GET(sys::agent_kill(loser.agent.get(), 1));
    CHECK(wait_dead(loser.agent.get()).state != ~0u);
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "revocation");
    if (block.argument_count != 0) return lose(object_at<const char>(block.arguments));
    run("rights_of_files", test_rights_of_files);
    run("files_end_with_their_tree", test_files_end_with_their_tree);
    run("files_are_charged", test_files_are_charged);
    run("registers", test_registers);
    run("console_under_way", test_console_under_way);
    run("readers_stop", test_readers_stop);
    run("nobody_is_waited_for", test_nobody_is_waited_for);
    return finish();
}
