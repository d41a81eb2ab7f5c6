// Agents that are stopped with all below them: when the call returns none of them executes an instruction, whatever it
// was doing and whoever is born meanwhile; nothing is lost by it, and others do not wait for them.
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint32_t kPageRole = 101;
constexpr std::uint64_t kPlaces = 512;
constexpr auto kPause = static_cast<std::uint64_t>(AgentAction::pause);
constexpr auto kResume = static_cast<std::uint64_t>(AgentAction::resume);

Handle g_page = kNoHandle;
volatile std::uint64_t* g_counts = nullptr;

void sleep_ms(std::uint64_t ms) {
    const OwnedHandle queue(GET(sys::queue_create(self)));
    EventPacket packet;
    (void)sys::event_wait(queue.get(), &packet, 1, now() + ms * kMs);
}

OwnedHandle start(std::string_view arguments, QuotaGrant quota = {4 << 20, 64, 8, 0}, Handle channel = kNoHandle) {
    for (std::uint64_t i = 0; i < kPlaces; ++i)
        if (channel == kNoHandle) g_counts[i] = 0;
    HandleGrant grants[3] = {
        {g_page, (rights::read | rights::write | rights::map | rights::derive | rights::transfer).bits(), kPageRole},
        grant(handle(StartupRole::bundle), rights::read | rights::execute | rights::derive | rights::transfer,
              StartupRole::bundle),
        grant(channel, rights::receive | rights::wait, StartupRole::parent)};
    SpawnOptions options;
    options.arguments = arguments;
    options.handles = grants;
    options.handle_count = channel == kNoHandle ? 2 : 3;
    options.quota = quota;
    return GET(spawn("bin/pause_child", options));
}

std::uint64_t total() {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < kPlaces; ++i)
        sum += g_counts[i];
    return sum;
}

bool counts_on(std::uint64_t from, std::uint64_t seconds = 20) {
    for (const std::uint64_t until = now() + seconds * kSecond; now() < until; (void)sys::thread_yield())
        if (total() != from) return true;
    return false;
}

bool waits_until(volatile std::uint64_t& place, std::uint64_t least) {
    for (const std::uint64_t until = now() + 120 * kSecond; place < least && now() < until;)
        (void)sys::thread_yield();
    return place >= least;
}

void end(Handle agent) {
    (void)sys::agent_kill(agent, 1);
    CHECK(ended_with(wait_dead(agent, 60), EndReason::killed, 1));
}

bool is_suspended(Handle agent) { return info_of(agent).state == static_cast<std::uint32_t>(AgentState::suspended); }

// Stops and lets go many times, at odd moments: from the return of the call on no count moves.
void stop_and_go(Handle agent, unsigned times, std::uint64_t look_ms = 1) {
    for (unsigned i = 0; i < times && reason_bytes == 0; ++i) {
        if (!counts_on(total())) return failed("does not run", __LINE__);
        for (volatile std::uint64_t spin = 0; spin < i * 37 % 1000; spin = spin + 1) {
        }
        GET(sys::agent_control(agent, kPause));
        const std::uint64_t at = total();
        CHECK(total() == at);
        if (i % 4 == 0) sleep_ms(look_ms);
        CHECK(total() == at);
        CHECK(is_suspended(agent));
        GET(sys::agent_control(agent, kResume));
        CHECK(!is_suspended(agent));
    }
}

void test_threads() {
    const OwnedHandle child = start(std::string_view("spin\0000\0004\0", 9));
    stop_and_go(child.get(), 200);
    end(child.get());
}

void test_subtree() {
    const OwnedHandle child = start(std::string_view("chain\0000\0008\0", 10), {24 << 20, 2000, 200, 20});
    CHECK(waits_until(g_counts[8], 1));
    stop_and_go(child.get(), 60);
    end(child.get());
}

// The subtree grows while it is stopped: who is born in the middle of the call is stopped too.
void test_births() {
    const OwnedHandle child = start(std::string_view("brood\0000\0000\0", 10), {32 << 20, 4000, 200, 40});
    CHECK(waits_until(g_counts[1], 3));
    stop_and_go(child.get(), 60, 5);
    end(child.get());
}

void test_sleepers() {
    const OwnedHandle child = start(std::string_view("sleep\0000\0000\0", 10));
    CHECK(waits_until(g_counts[0], 3));
    for (unsigned i = 0; i < 20; ++i) {
        GET(sys::agent_control(child.get(), kPause));
        const std::uint64_t at = total();
        sleep_ms(3); // its timer fires on
        CHECK(total() == at);
        GET(sys::agent_control(child.get(), kResume));
        CHECK(counts_on(at));
    }
    end(child.get());
}

// Answers the place of who served, or ~0.
std::uint64_t ask(Handle channel, std::uint64_t ms) {
    char out[8] = {}, in[8] = {};
    Message request{}, answer{};
    request.bytes = address_of(out);
    request.size = 1;
    answer.bytes = address_of(in);
    answer.size = sizeof(in);
    const auto done = sys::ipc_call(channel, &request, &answer, now() + ms * kMs);
    return done ? static_cast<std::uint64_t>(in[0]) : ~0ull;
}

// A stopped server takes nothing: what it was handed or woken for is served by the other, and by itself when it goes on.
void test_servers() {
    const OwnedHandle channel(GET(sys::channel_create(self, 8, 4096)));
    for (std::uint64_t i = 0; i < kPlaces; ++i)
        g_counts[i] = 0;
    const OwnedHandle one = start(std::string_view("serve\0001\0000\0", 10), {4 << 20, 64, 8, 0}, channel.get());
    CHECK(ask(channel.get(), 20'000) == 1);
    const OwnedHandle two = start(std::string_view("serve\0002\0000\0", 10), {4 << 20, 64, 8, 0}, channel.get());
    for (unsigned i = 0; i < 50 && reason_bytes == 0; ++i) {
        const Handle stopped = i % 2 == 0 ? one.get() : two.get();
        GET(sys::agent_control(stopped, kPause));
        const std::uint64_t other = i % 2 == 0 ? 2 : 1;
        for (unsigned k = 0; k < 4; ++k)
            CHECK(ask(channel.get(), 20'000) == other);
        GET(sys::agent_control(stopped, kResume));
    }
    // Both: the call waits, its deadline counts, and the next one is served when they go on.
    GET(sys::agent_control(one.get(), kPause));
    GET(sys::agent_control(two.get(), kPause));
    CHECK(ask(channel.get(), 5) == ~0ull);
    GET(sys::agent_control(two.get(), kResume));
    CHECK(ask(channel.get(), 20'000) == 2);
    end(one.get()); // a stopped agent can be killed
    end(two.get());
}

// Another thread stops the same agents all the time: its call may be in the middle of its walk when ours begins, and ours
// keeps its promise all the same.
std::uint64_t g_paused_by_both = kNoHandle;
volatile bool g_is_over = false;
alignas(16) char g_stack[8192];

void pause_all_the_time(std::uint64_t) {
    while (!g_is_over)
        (void)sys::agent_control(g_paused_by_both, kPause);
    (void)sys::thread_exit();
}

void test_two_who_stop() {
    const OwnedHandle child = start(std::string_view("chain\0000\0008\0", 10), {24 << 20, 2000, 200, 20});
    CHECK(waits_until(g_counts[8], 1));
    g_paused_by_both = child.get();
    const OwnedHandle other(
        GET(sys::thread_create(self, address_of(&pause_all_the_time), address_of(g_stack + sizeof(g_stack)) - 8, 0)));
    for (unsigned i = 0; i < 400 && reason_bytes == 0; ++i) {
        GET(sys::agent_control(child.get(), kResume));
        for (volatile std::uint64_t spin = 0; spin < i * 37 % 1000; spin = spin + 1) {
        }
        GET(sys::agent_control(child.get(), kPause));
        const std::uint64_t at = total();
        for (unsigned k = 0; k < 20; ++k)
            CHECK(total() == at);
    }
    g_is_over = true;
    CHECK(wait_for(other.get(), kSignalEnded));
    end(child.get());
}

void test_nesting() {
    const OwnedHandle child = start(std::string_view("spin\0000\0001\0", 9));
    for (unsigned i = 0; i < 3; ++i)
        GET(sys::agent_control(child.get(), kPause)); // once is as good as often
    const std::uint64_t at = total();
    GET(sys::agent_control(child.get(), kResume));
    CHECK(counts_on(at));
    GET(sys::agent_control(child.get(), kResume));
    CHECK(counts_on(total()));
    CHECK_ERROR(sys::agent_control(child.get(), 7), bad_argument);
    const OwnedHandle blind(GET(sys::handle_derive(child.get(), (rights::inspect | rights::kill).bits())));
    CHECK_ERROR(sys::agent_control(blind.get(), kPause), missing_right);
    CHECK_ERROR(sys::agent_control(self, kPause), missing_right); // nobody stops himself
    GET(sys::agent_control(child.get(), kPause));
    end(child.get());
    CHECK_ERROR(sys::agent_control(child.get(), kResume), bad_state);
    CHECK_ERROR(sys::agent_control(child.get(), kPause), bad_state);
}

// Stopped time costs nothing.
void test_account() {
    const OwnedHandle child = start(std::string_view("spin\0000\0004\0", 9));
    CHECK(counts_on(0));
    GET(sys::agent_control(child.get(), kPause));
    sleep_ms(1);
    const std::uint64_t before = info_of(child.get()).cpu_ns;
    sleep_ms(50);
    CHECK(info_of(child.get()).cpu_ns - before < kMs);
    end(child.get());
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "pause");
    const OwnedHandle page(GET(sys::agent_pool_alloc(self, 4096)));
    g_page = page.get();
    const MapRequest request{0, 4096, 0, kProtectRead | kProtectWrite};
    g_counts = reinterpret_cast<volatile std::uint64_t*>(GET(sys::memory_map(g_page, &request))); // SAFETY: mapped
    run("threads", test_threads);
    run("subtree", test_subtree);
    run("births", test_births);
    run("sleepers", test_sleepers);
    run("servers", test_servers);
    run("two_who_stop", test_two_who_stop);
    run("nesting", test_nesting);
    run("account", test_account);
    return finish();
}
