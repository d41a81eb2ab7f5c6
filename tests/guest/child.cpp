// The child of the tests: its first argument says how it behaves. Most ways are those of a hostile or broken agent.
#include <atomic>

#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

// A recursion that the compiler can neither see through nor turn into a loop.
std::uint64_t recurse(volatile std::uint64_t* depth) {
    volatile char frame[512];
    frame[0] = static_cast<char>(*depth);
    *depth = *depth + 1;
    if (*depth == 0) return 0;
    const std::uint64_t below = recurse(depth);
    return below + static_cast<std::uint64_t>(frame[0]);
}

[[noreturn]] void spin() {
    for (volatile std::uint64_t i = 0;; i = i + 1) {
    }
}

// Children that do the same, as many as the quota pays, for ever.
[[noreturn]] void spawn_bomb() {
    for (;;) {
        SpawnOptions options;
        options.arguments = std::string_view("spawn_bomb\0", 11);
        options.quota = {1 << 20, 64, 4, 3};
        const SpawnRequest request = make_request("bin/child", options);
        (void)sys::agent_spawn(self, &request);
    }
}

[[noreturn]] void handle_bomb() {
    for (;;)
        (void)sys::timer_create(self);
}

[[noreturn]] void memory_bomb() {
    for (;;) {
        const auto place = sys::agent_mem_alloc(self, 64 * 1024, kProtectRead | kProtectWrite);
        if (place) *reinterpret_cast<volatile char*>(*place) = 1; // SAFETY: just mapped
    }
}

alignas(16) char thread_stack[4096];
[[noreturn]] void thread_bomb() {
    for (;;)
        (void)sys::thread_create(self, address_of(&spin), address_of(thread_stack + sizeof(thread_stack)) - 8, 0);
}

// Messages to whoever started us, as fast as possible, without looking at answers.
[[noreturn]] void flood() {
    static const char bytes[1024] = {};
    const Handle parent = handle(StartupRole::parent);
    Message message{};
    message.bytes = address_of(bytes);
    message.size = sizeof(bytes);
    for (;;)
        (void)sys::ipc_send(parent, &message);
}

// Calls with arguments from a generator: none may do more than fail.
void fuzz(std::uint64_t seed) {
    std::uint64_t state = seed * 0x9e37'79b9'7f4a'7c15 + 1;
    const auto next = [&] {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    };
    static std::uint64_t scratch[512];
    for (unsigned i = 0; i < 20'000; ++i) {
        std::uint64_t values[6];
        for (auto& value : values) {
            switch (next() % 8) {
            case 0:
                value = next();
                break;
            case 1:
                value = startup->entries[next() % startup->count].handle;
                break;
            case 2:
                value = kBadAddresses[next() % kBadAddresses.size()];
                break;
            case 3:
                value = address_of(scratch) + next() % 2048;
                break;
            case 4:
                value = (std::uint64_t{1} << 32) | next() % 64; // handles of our first generations
                break;
            default:
                value = next() % 5000;
                break;
            }
        }
        const std::uint64_t number = 4096 + next() % 104;
        switch (number) {
        case 4097 + 2: // agent_exit
        case 4161:     // thread_exit
        case 4160:     // a thread would run anywhere
        case 4121:     // and freeing our own stack is our own fault
        case 4123:
            continue;
        case 4143: // waits end soon
            values[3] = next() % 2 == 0 ? 0 : now() + 1000;
            break;
        case 4133:
            values[3] = 0;
            break;
        case 4134:
            values[4] = 0;
            break;
        default:
            break;
        }
        (void)sys::detail::call(number, values[0], values[1], values[2], values[3], values[4], values[5]);
    }
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "child");
    const char* at = reinterpret_cast<const char*>(block.arguments); // SAFETY: put there by the kernel
    const std::string_view mode = block.argument_count > 0 ? std::string_view(at) : "";
    const std::string_view value = block.argument_count > 1 ? std::string_view(at + mode.size() + 1) : "0";

    if (mode == "exit") return static_cast<int>(parse_decimal(value));
    if (mode == "null") *bad_pointer<volatile int>(0) = 1;
    if (mode == "kernel") *bad_pointer<volatile int>(0xffff'ffff'8000'0000) = 1;
    if (mode == "code") *bad_pointer<volatile int>(address_of(&spin) & ~3ull) = 1;
    if (mode == "jump") bad_pointer<void()>(0x1234'5000)();
    if (mode == "stack") {
        volatile std::uint64_t depth = 0;
        (void)recurse(&depth);
    }
    if (mode == "execute") {
        static unsigned char data[16] = {0xc3};
        reinterpret_cast<void (*)()>(data)(); // SAFETY: it must fault: data is never executable
    }
    if (mode == "privileged") asm volatile("cli");
    if (mode == "halt") asm volatile("hlt");
    if (mode == "port") asm volatile("outb %%al, $0xf4" ::"a"(0x10));
    if (mode == "undefined") asm volatile("ud2");
    if (mode == "divide") {
        volatile int zero = 0;
        asm volatile("idivl %0" ::"m"(zero), "a"(1), "d"(0));
    }
    if (mode == "noncanonical") asm volatile("mov $0x800000000000, %%rcx; jmp *%%rcx" ::: "rcx");
    if (mode == "badstack") asm volatile("mov $0x800000000010, %%rsp; push %%rax" ::: "memory");
    if (mode == "kernelstack") {
        // A call with a stack pointer into the kernel: the kernel must not touch it, the next push faults.
        asm volatile("mov $0xffffffff80000000, %%rsp; mov $4096, %%eax; syscall; push %%rax" ::
                         : "rax", "rcx", "r11", "memory");
    }
    if (mode == "spin") spin();
    if (mode == "wait") {
        const OwnedHandle queue(*sys::queue_create(self));
        EventPacket packet;
        (void)sys::event_wait(queue.get(), &packet, 1, kNoDeadline);
        spin();
    }
    if (mode == "spawn_bomb") spawn_bomb();
    if (mode == "handle_bomb") handle_bomb();
    if (mode == "memory_bomb") memory_bomb();
    if (mode == "thread_bomb") thread_bomb();
    if (mode == "flood") flood();
    if (mode == "fuzz") {
        fuzz(parse_decimal(value));
        return 0;
    }
    if (mode == "parent") { // a child of ours that never ends by itself
        SpawnOptions options;
        options.arguments = std::string_view("spin\0", 5);
        options.quota = {1 << 20, 16, 2, 0};
        const auto child = spawn("bin/child", options);
        if (!child) return 9;
        Message message{};
        (void)sys::ipc_send(handle(StartupRole::parent), &message); // ready
        spin();
    }
    if (mode == "nest") { // a child of ours that does the same; answers 1000 + how many levels there are below us
        const AgentInfo mine = info_of(self);
        const HandleGrant bundle =
            grant(handle(StartupRole::bundle), rights::read | rights::execute | rights::transfer | rights::derive,
                  StartupRole::bundle);
        SpawnOptions options;
        options.arguments = std::string_view("nest\0", 5);
        options.quota = {mine.quota.memory_bytes - mine.memory_bytes - (128 << 10), mine.quota.handles - 16,
                         mine.quota.threads - 2, mine.quota.agents - 1};
        options.handles = &bundle;
        options.handle_count = 1;
        const auto child = spawn("bin/child", options);
        if (!child) {
            // What is handed on is derived once more at each level, which is bounded too: without it the level alone
            // is in the way.
            options.handle_count = 0;
            const auto alone = spawn("bin/child", options);
            const bool both = child.error() == Error::too_large && !alone && alone.error() == Error::too_large;
            return both ? 1001 : static_cast<int>(child.error());
        }
        const AgentInfo end = wait_dead(child->get(), 60);
        return end.end_status > 1000 ? static_cast<int>(end.end_status) + 1 : static_cast<int>(end.end_status);
    }
    if (mode == "register") { // registers the parent's channel in the parent's queue, at our expense
        const Handle channel = handle(StartupRole::parent), queue = find_handle(block, static_cast<StartupRole>(100));
        Message message{};
        if (!sys::event_register(queue, channel, kSignalReadable | kSignalClosed, 77)) return 1;
        for (std::uint64_t key = 100; key < 110; ++key) // and some that are gone before we are
            if (!sys::event_register(queue, channel, kSignalClosed, key) || !sys::event_cancel(queue, key)) return 2;
        return sys::ipc_send(channel, &message) ? 0 : 3;
    }
    if (mode == "hoard") { // as many timers as asked for; then says so and waits
        for (std::uint64_t i = parse_decimal(value); i != 0; --i)
            if (!sys::timer_create(self)) return 1;
        Message message{};
        if (!sys::ipc_send(handle(StartupRole::parent), &message)) return 2;
        const OwnedHandle queue(*sys::queue_create(self));
        EventPacket packet;
        (void)sys::event_wait(queue.get(), &packet, 1, kNoDeadline);
    }
    if (mode == "answer") { // waits for a question, answers it, and is done
        const Handle questions = find_handle(block, static_cast<StartupRole>(100));
        Message question{};
        const auto asked = sys::ipc_reply_wait(questions, 0, nullptr, &question, kNoDeadline);
        Message answer{};
        return asked && sys::ipc_send(handle(StartupRole::parent), &answer) ? 0 : 1;
    }
    if (mode == "tangle") { // two channels, each with the other's receiver under way in it
        const OwnedHandle a(*sys::channel_create(self, 1, 64)), b(*sys::channel_create(self, 1, 64));
        const auto put = [](const OwnedHandle& into, const OwnedHandle& what) {
            const HandleGrant given{what.get(), (rights::receive | rights::send).bits(), 1};
            Message message{};
            message.handles = address_of(&given);
            message.handle_count = 1;
            return sys::ipc_send(into.get(), &message).has_value();
        };
        return put(a, b) && put(b, a) ? 0 : 1;
    }
    if (mode == "give") { // makes a memory object, hands it to the parent, and stays
        const OwnedHandle memory(*sys::agent_pool_alloc(self, 4096));
        const HandleGrant given{memory.get(), (rights::read | rights::map).bits(), 1};
        Message message{};
        message.handles = address_of(&given);
        message.handle_count = 1;
        (void)sys::ipc_send(handle(StartupRole::parent), &message);
        spin();
    }
    return 77; // still here: what should have ended us did not
}
