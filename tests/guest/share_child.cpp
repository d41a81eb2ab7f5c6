// The neighbours of test_shares: each wants more of the CPU than it is due, or works for others.
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr unsigned kMostThreads = 64;
alignas(16) char g_stacks[kMostThreads][4096];
alignas(16) char g_worker_stacks[kMostThreads][4096];

std::uint64_t top(char (&stack)[4096]) { return address_of(&stack[4096 - 8]); }

void start(void (*function)(std::uint64_t), char (&stack)[4096], std::uint64_t argument) {
    (void)sys::thread_create(self, address_of(function), top(stack), argument);
}

[[noreturn]] void spin(std::uint64_t) {
    for (volatile std::uint64_t i = 0;; i = i + 1) {
    }
}

void spin_ms(std::uint64_t ms) {
    for (const std::uint64_t end = now() + ms * 1'000'000; now() < end;) {
    }
}

void short_life(std::uint64_t) {
    spin_ms(3);
    (void)sys::thread_exit();
}

// Always one thread with a short life behind it.
[[noreturn]] void manage(std::uint64_t number) {
    const Handle queue = *sys::queue_create(self);
    for (;;) {
        const auto worker = sys::thread_create(self, address_of(&short_life), top(g_worker_stacks[number]), 0);
        if (!worker) continue;
        (void)sys::event_register(queue, *worker, kSignalEnded, 1);
        EventPacket packet;
        (void)sys::event_wait(queue, &packet, 1, kNoDeadline);
        (void)sys::handle_close(*worker);
        (void)sys::event_cancel(queue, 1);
    }
}

[[noreturn]] void sleep_for_ever() {
    const Handle queue = *sys::queue_create(self);
    for (;;) {
        EventPacket packet;
        (void)sys::event_wait(queue, &packet, 1, kNoDeadline);
    }
}

Message message_of(char* bytes, std::uint64_t size) {
    Message message{};
    message.bytes = address_of(bytes);
    message.size = size;
    return message;
}

[[noreturn]] void serve(std::uint64_t ms) {
    char out[8] = {}, in[8];
    const Handle channel = handle(StartupRole::parent);
    for (std::uint64_t reply_to = 0;;) {
        const Message reply = message_of(out, 1);
        Message next = message_of(in, sizeof(in));
        const auto got = sys::ipc_reply_wait(channel, reply_to, &reply, &next, kNoDeadline);
        reply_to = got ? next.reply_to : 0;
        if (got) spin_ms(ms);
    }
}

// Answers at once, and works for itself before it takes the next call, which waits by then.
[[noreturn]] void serve_late(std::uint64_t ms) {
    char out[8] = {}, in[8];
    const Handle channel = handle(StartupRole::parent);
    for (;;) {
        const Message reply = message_of(out, 1);
        Message next = message_of(in, sizeof(in));
        if (sys::ipc_reply_wait(channel, 0, &reply, &next, kNoDeadline))
            (void)sys::ipc_reply_wait(channel, next.reply_to, &reply, nullptr, kNoDeadline);
        spin_ms(ms);
    }
}

// Says something else all the time, beside threads that compute.
[[noreturn]] void change_hints() {
    for (std::uint64_t i = 0;; ++i) {
        const auto hint = static_cast<AgentHint>(i % 5);
        const bool has_deadline = hint == AgentHint::deadline;
        (void)sys::agent_hint(self, static_cast<std::uint64_t>(hint), has_deadline ? 1'000'000 : 0,
                              has_deadline ? now() + 2'000'000 : 0);
    }
}

int call(std::uint64_t times) {
    char out[8] = {}, in[8];
    for (std::uint64_t i = 0; i < times; ++i) {
        const Message request = message_of(out, 1);
        Message answer = message_of(in, sizeof(in));
        if (!sys::ipc_call(handle(StartupRole::parent), &request, &answer, kNoDeadline)) return 1;
    }
    return 0;
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "share_child");
    const char* at = reinterpret_cast<const char*>(block.arguments); // SAFETY: put there by the kernel
    const std::string_view mode(at);
    const std::uint64_t number = parse_decimal(std::string_view(at + mode.size() + 1));
    if (mode == "timers") {
        for (std::uint64_t i = 0; i < number; ++i) {
            const auto timer = sys::timer_create(self);
            if (!timer) return 1;
            (void)sys::timer_set(*timer, 1, 1);
        }
        sleep_for_ever();
    }
    if (mode == "threads") {
        for (unsigned i = 1; i < number && i < kMostThreads; ++i)
            start(&spin, g_stacks[i], 0);
        spin(0);
    }
    if (mode == "liar") {
        for (unsigned i = 1; i < number && i < kMostThreads; ++i)
            start(&spin, g_stacks[i], 0);
        change_hints();
    }
    if (mode == "hint") { // its exit status: the error, or 0
        const auto given = sys::agent_hint(self, number, 0, 0);
        return given ? 0 : static_cast<int>(given.error());
    }
    if (mode == "churn") {
        for (unsigned i = 1; i < number && i < kMostThreads; ++i)
            start(&manage, g_stacks[i], i);
        manage(0);
    }
    if (mode == "family") {
        for (std::uint64_t i = 0; i < number; ++i) {
            SpawnOptions options;
            options.arguments = std::string_view("threads\0001\0", 10);
            options.quota = {2 << 20, 32, 4, 0};
            const SpawnRequest request = make_request("bin/share_child", options);
            if (!sys::agent_spawn(self, &request)) return 1;
        }
        sleep_for_ever();
    }
    if (mode == "serve") serve(number);
    if (mode == "late") serve_late(number);
    if (mode == "call") return call(number);
    return 77;
}
