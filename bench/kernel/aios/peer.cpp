// The other agent of a row: its first argument says what it does.
#include "bench/kernel/aios/measure.hpp"

namespace {

using namespace bench;

alignas(kPageBytes) char buffer[kMaxMessageBytes];
HandleGrant given;

// Room for one handle beside the bytes of `message`, and what becomes of it.
void take_handle(Message& message) {
    message.handles = address_of(&given);
    message.handle_count = 1;
}
void close_given(const Message& message) {
    if (message.handle_count != 0) (void)sys::handle_close(given.handle);
}

// Answers every call, with as much as came or with eight bytes.
[[noreturn]] void serve(bool echo) {
    const Handle channel = handle(StartupRole::broker_server);
    Message in = message_of(buffer, sizeof(buffer)), out = message_of(buffer, 0);
    std::uint64_t reply_to = 0;
    for (;;) {
        in.size = sizeof(buffer);
        take_handle(in);
        MUST(sys::ipc_reply_wait(channel, reply_to, &out, &in, kNoDeadline));
        close_given(in);
        reply_to = in.reply_to;
        out.size = echo ? in.size : 8;
    }
}

// Takes the pages of every call, and answers with eight bytes, and the pages if they go back.
[[noreturn]] void serve_pages(bool back) {
    const Handle channel = handle(StartupRole::broker_server);
    const std::uint64_t range = MUST(sys::agent_mem_alloc(self, kMaxGrantPages * kPageBytes, kReadWrite));
    std::uint64_t reply_to = 0;
    for (;;) {
        Message in = message_of(buffer, sizeof(buffer)), out = message_of(buffer, 8);
        in.pages = out.pages = range;
        in.page_count = kMaxGrantPages;
        if (back && reply_to != 0) out.page_count = kMaxGrantPages;
        MUST(sys::ipc_reply_wait(channel, reply_to, &out, &in, kNoDeadline));
        reply_to = in.reply_to;
    }
}

[[noreturn]] void receive() {
    const Handle channel = handle(StartupRole::broker_server), back = handle(StartupRole::broker);
    const Handle queue = MUST(sys::queue_create(self));
    MUST(sys::event_register(queue, channel, kSignalReadable, 1));
    std::uint64_t sum = 0, stamp[8];
    for (;;) {
        EventPacket packet;
        MUST(sys::event_wait(queue, &packet, 1, kNoDeadline));
        Message in = message_of(stamp, sizeof(stamp));
        take_handle(in);
        MUST(sys::ipc_recv(channel, &in));
        sum += ticks() - stamp[0];
        CLOSE_WINDOW(kRow_one_way);
        close_given(in);
        const Message out = message_of(&sum, sizeof(sum));
        MUST(sys::ipc_send(back, &out));
    }
}

// Calls when the shared page says so, as often as pairs.cpp counts, and says there that it is done.
void call_in_pair(std::size_t place) {
    volatile std::uint64_t* page = Shared::map(handle(StartupRole::region));
    while (page[kBegin] == 0)
        (void)sys::thread_yield();
    for (unsigned i = 0; i < 20'000; ++i) {
        const Message out = message_of(buffer, 64);
        Message in = message_of(buffer, sizeof(buffer));
        MUST(sys::ipc_call(handle(StartupRole::broker), &out, &in, kNoDeadline));
    }
    page[place * kWordsApart] = 1;
}

[[noreturn]] void yield() {
    volatile std::uint64_t* page = Shared::map(handle(StartupRole::region));
    for (;;) {
        page[0] = page[0] + 1;
        (void)sys::thread_yield();
    }
}

// Computes for ever, without a call. Nothing but marks, so that wherever the block is entered it begins with one.
[[noreturn]] void spin() {
    for (;;)
        asm volatile(".rept 32\n\t" MARK_APART ".endr"); // SAFETY: no-operations
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "peer");
    const char* at = reinterpret_cast<const char*>(block.arguments); // SAFETY: put there by the kernel
    const std::string_view mode = block.argument_count > 0 ? std::string_view(at) : "";
    const std::string_view value = block.argument_count > 1 ? std::string_view(at + mode.size() + 1) : "0";
    if (mode == "echo") serve(true);
    if (mode == "short") serve(false);
    if (mode == "pages") serve_pages(false);
    if (mode == "pages_back") serve_pages(true);
    if (mode == "one_way") receive();
    if (mode == "yield") yield();
    if (mode == "bursts") {
        MUST(sys::agent_hint(self, parse_decimal(value), 0, 0));
        Shared::map(handle(StartupRole::region))[0] = wait_of_bursts();
        return 0;
    }
    if (mode == "pairs") call_in_pair(parse_decimal(value));
    if (mode == "spin") spin();
    return mode == "pairs" ? 0 : 1;
}
