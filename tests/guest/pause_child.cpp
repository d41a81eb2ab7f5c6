// The agents that test_pause stops: each counts in a place of its own in a page that it shares with the test, whatever
// it does otherwise. Arguments: mode, number of the place, a number for the mode.
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr std::uint32_t kPageRole = 101;
volatile std::uint64_t* g_counts = nullptr;
std::uint64_t g_place = 0;

void count() { g_counts[g_place] = g_counts[g_place] + 1; }

[[noreturn]] void spin(std::uint64_t) {
    for (;;)
        count();
}

HandleGrant page_grant() {
    return {find_handle(*startup, static_cast<StartupRole>(kPageRole)),
            (rights::read | rights::write | rights::map | rights::derive | rights::transfer).bits(), kPageRole};
}

// A child of the same program that does `mode` at `place`.
bool start_child(std::string_view mode, std::uint64_t place, std::uint64_t number, const QuotaGrant& quota) {
    char text[64];
    const std::string_view arguments = format_to(text, "{}\n{}\n{}\n", mode, place, number);
    for (char& c : text)
        c = c == '\n' ? '\0' : c;
    const HandleGrant grants[] = {
        page_grant(), grant(handle(StartupRole::bundle),
                            rights::read | rights::execute | rights::derive | rights::transfer, StartupRole::bundle)};
    SpawnOptions options;
    options.arguments = arguments;
    options.handles = grants;
    options.handle_count = 2;
    options.quota = quota;
    const SpawnRequest request = make_request("bin/pause_child", options);
    return sys::agent_spawn(self, &request).has_value();
}

// A chain of agents, `depth` more below this one, all counting.
[[noreturn]] void chain(std::uint64_t depth) {
    if (depth != 0) {
        const std::uint64_t memory = (depth + 1) << 20;
        (void)start_child("chain", g_place + 1, depth - 1, {memory, 64 * depth, 8 * depth, depth});
    }
    spin(0);
}

// Children that live for a moment, one after another and several at once; each counts in our place.
[[noreturn]] void brood() {
    for (;;) {
        count();
        (void)start_child("blink", g_place + 1, 0, {1 << 20, 32, 2, 0});
        (void)sys::thread_yield();
    }
}

[[noreturn]] void sleep_and_count() {
    const Handle queue = *sys::queue_create(self), timer = *sys::timer_create(self);
    (void)sys::event_register(queue, timer, kSignalFired, 1);
    (void)sys::timer_set(timer, now(), 200'000);
    for (;;) {
        EventPacket packet;
        (void)sys::event_wait(queue, &packet, 1, kNoDeadline);
        count();
    }
}

[[noreturn]] void serve() {
    const Handle channel = handle(StartupRole::parent);
    char in[16], out[8] = {static_cast<char>(g_place)};
    for (std::uint64_t reply_to = 0;;) {
        Message reply{}, next{};
        reply.bytes = address_of(out);
        reply.size = 1;
        next.bytes = address_of(in);
        next.size = sizeof(in);
        reply_to = sys::ipc_reply_wait(channel, reply_to, &reply, &next, kNoDeadline) ? next.reply_to : 0;
        count();
    }
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "pause_child");
    const MapRequest request{0, 4096, 0, kProtectRead | kProtectWrite};
    const auto page = sys::memory_map(find_handle(block, static_cast<StartupRole>(kPageRole)), &request);
    if (!page) return 2;
    g_counts = reinterpret_cast<volatile std::uint64_t*>(*page);     // SAFETY: mapped just now
    const char* at = reinterpret_cast<const char*>(block.arguments); // SAFETY: put there by the kernel
    const std::string_view mode(at);
    const std::string_view place(at + mode.size() + 1);
    g_place = parse_decimal(place);
    const std::uint64_t number = parse_decimal(std::string_view(place.data() + place.size() + 1));
    if (mode == "spin") {
        alignas(16) static char stack[4096];
        for (std::uint64_t i = 1; i < number; ++i) // they share a stack that none of them uses
            (void)sys::thread_create(self, address_of(&spin), address_of(stack + sizeof(stack)) - 8, 0);
        spin(0);
    }
    if (mode == "chain") chain(number);
    if (mode == "brood") brood();
    if (mode == "sleep") sleep_and_count();
    if (mode == "serve") serve();
    if (mode == "blink") {
        count();
        return 0;
    }
    return 77;
}
