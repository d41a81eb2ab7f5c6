// Pages in messages: contents, refusals, charges, and parties that write, unmap, run out of quota, or die at the wrong
// moment. With arguments the program is the other agent.
#include <atomic>

#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;
using namespace std::literals;

namespace {

constexpr std::string_view kOwn = "bin/test_pages";
constexpr std::uint64_t kRw = kProtectRead | kProtectWrite;
constexpr std::uint32_t kMost = kMaxGrantPages;
constexpr std::uint64_t kBytes = kMost * kPageBytes;
constexpr std::uint64_t kWords = kBytes / 8, kWordsOfPage = kPageBytes / 8;
constexpr auto kSend = StartupRole::broker, kReceive = StartupRole::broker_server;

// 64 KiB of our own.
class Range {
public:
    explicit Range(std::uint64_t protection = kRw) : address_(GET(sys::agent_mem_alloc(self, kBytes, protection))) {}
    ~Range() {
        if (address_ != 0) (void)sys::agent_mem_free(self, address_, kBytes);
    }
    Range(const Range&) = delete;
    void free() { (void)sys::agent_mem_free(self, std::exchange(address_, 0), kBytes); }
    [[nodiscard]] std::uint64_t address() const { return address_; }
    [[nodiscard]] volatile std::uint64_t* words() const {
        return reinterpret_cast<volatile std::uint64_t*>(address_); // SAFETY: ours, until it is freed
    }
    void fill(std::uint64_t seed) const {
        for (std::uint64_t i = 0; i < kWords; ++i)
            words()[i] = seed * kWords + i;
    }
    [[nodiscard]] bool holds(std::uint64_t seed, std::uint64_t pages = kMost) const {
        for (std::uint64_t i = 0; i < pages * kWordsOfPage; ++i)
            if (words()[i] != seed * kWords + i) return false;
        return true;
    }
    [[nodiscard]] bool is_zero() const {
        for (std::uint64_t i = 0; i < kWords; ++i)
            if (words()[i] != 0) return false;
        return true;
    }

private:
    std::uint64_t address_;
};

Message message_of(std::uint64_t pages, std::uint32_t count = kMost, PageMode mode = PageMode::moved) {
    Message message{};
    message.pages = pages;
    message.page_count = count;
    message.page_mode = static_cast<std::uint32_t>(mode);
    return message;
}
Result<std::uint64_t> send(Handle channel, const Range& range, PageMode mode = PageMode::moved) {
    const Message message = message_of(range.address(), kMost, mode);
    return sys::ipc_send(channel, &message);
}
// How many pages came; ~0: none of the messages did.
std::uint32_t receive(Handle channel, const Range& range) {
    Message message = message_of(range.address());
    return sys::ipc_recv(channel, &message) ? message.page_count : ~0u;
}
OwnedHandle make_channel() { return OwnedHandle(GET(sys::channel_create(self, 8, 4096))); }

void test_contents() {
    const OwnedHandle channel = make_channel();
    const Range from, to;
    from.fill(1);
    to.fill(2); // is replaced
    GET(send(channel.get(), from));
    CHECK(from.is_zero());
    CHECK(receive(channel.get(), to) == kMost);
    CHECK(to.holds(1));
    GET(send(channel.get(), to, PageMode::frozen));
    CHECK(to.holds(1));
    to.fill(3); // after the grant
    CHECK(receive(channel.get(), from) == kMost);
    CHECK(from.holds(1) && to.holds(3));
    // Some pages of a range, others stay.
    Message part = message_of(to.address() + 4 * kPageBytes, 3);
    GET(sys::ipc_send(channel.get(), &part));
    Message in = message_of(from.address(), 3);
    GET(sys::ipc_recv(channel.get(), &in));
    CHECK(in.page_count == 3 && from.words()[0] == 3 * kWords + 4 * kWordsOfPage);
    CHECK(from.words()[3 * kWordsOfPage] == kWords + 3 * kWordsOfPage); // of the first
    CHECK(to.words()[4 * kWordsOfPage] == 0 && to.words()[7 * kWordsOfPage] == 3 * kWords + 7 * kWordsOfPage);
    // Never touched: zeros, whatever was there.
    const Range untouched;
    GET(send(channel.get(), untouched));
    CHECK(receive(channel.get(), from) == kMost && from.is_zero());
}

void test_refusals() {
    const OwnedHandle channel = make_channel();
    const Range range, other;
    range.fill(1);
    const auto refused = [&](Message message) { return sys::ipc_send(channel.get(), &message); };
    CHECK_ERROR(refused(message_of(range.address() + 8)), bad_argument);
    CHECK_ERROR(refused(message_of(range.address(), kMost + 1)), too_large);
    CHECK_ERROR(refused(message_of(range.address(), ~0u)), too_large);
    CHECK_ERROR(refused(message_of(range.address(), 1, static_cast<PageMode>(2))), bad_argument);
    for (const std::uint64_t bad : kBadAddresses)
        CHECK(!refused(message_of(bad)) && !refused(message_of(bad, 1, PageMode::frozen)));
    // Pages and capabilities.
    HandleGrant gift{channel.get(), rights::send.bits(), 0};
    Message both = message_of(range.address());
    both.handles = address_of(&gift);
    both.handle_count = 1;
    CHECK_ERROR(refused(both), bad_argument);
    // What may not be written is not moved, and no capability's contents are granted.
    const Range read_only(kProtectRead);
    CHECK_ERROR(refused(message_of(read_only.address())), bad_address);
    GET(refused(message_of(read_only.address(), kMost, PageMode::frozen)));
    CHECK(receive(channel.get(), other) == kMost);
    const OwnedHandle memory(GET(sys::agent_pool_alloc(self, kBytes)));
    const MapRequest request{0, kBytes, 0, kRw};
    const std::uint64_t shared = GET(sys::memory_map(memory.get(), &request));
    CHECK_ERROR(refused(message_of(shared)), bad_address);
    CHECK_ERROR(refused(message_of(shared, 1, PageMode::frozen)), bad_address);
    // The receiver's side: the message stays.
    GET(refused(message_of(range.address())));
    Message in = message_of(other.address(), kMost - 1);
    CHECK_ERROR(sys::ipc_recv(channel.get(), &in), buffer_small);
    CHECK(in.page_count == kMost);
    for (const std::uint64_t bad : {shared, read_only.address(), std::uint64_t{0}}) {
        in = message_of(bad);
        CHECK_ERROR(sys::ipc_recv(channel.get(), &in), bad_address);
    }
    in = message_of(other.address() + 1);
    CHECK_ERROR(sys::ipc_recv(channel.get(), &in), bad_argument);
    CHECK(receive(channel.get(), other) == kMost && other.holds(1));
    // Who gives no room gets the message without them.
    GET(refused(message_of(other.address())));
    in = Message{};
    GET(sys::ipc_recv(channel.get(), &in));
    CHECK(in.page_count == 0 && other.is_zero());
    GET(sys::agent_mem_free(self, shared, kBytes));
}

// A send that is refused gives back what it took.
void test_given_back() {
    const OwnedHandle channel(GET(sys::channel_create(self, 1, 64)));
    const Range range, to;
    range.fill(1);
    const Message empty{};
    GET(sys::ipc_send(channel.get(), &empty));
    const std::uint64_t before = info_of(self).memory_bytes;
    CHECK_ERROR(send(channel.get(), range), would_block);
    CHECK(range.holds(1));
    CHECK_ERROR(send(channel.get(), range, PageMode::frozen), would_block);
    range.fill(2); // where it was, without a copy
    CHECK(range.holds(2));
    CHECK(info_of(self).memory_bytes == before);
    Message reply{};
    Message request = message_of(range.address());
    CHECK_ERROR(sys::ipc_call(channel.get(), &request, &reply, 0), would_block);
    Message answer = message_of(to.address());
    to.fill(3);
    CHECK_ERROR(sys::ipc_reply_wait(channel.get(), 12345, &answer, nullptr, 0), not_found);
    CHECK(range.holds(2) && to.holds(3));
}

// Charged besides while it is under way, to the page.
void test_charges() {
    const OwnedHandle channel = make_channel();
    const Range from, to;
    from.fill(1);
    to.fill(2);
    GET(send(channel.get(), from)); // the first has made what stays
    CHECK(receive(channel.get(), to) == kMost);
    for (const PageMode mode : {PageMode::moved, PageMode::frozen}) {
        from.fill(3);
        const std::uint64_t before = info_of(self).memory_bytes;
        GET(send(channel.get(), from, mode));
        const std::uint64_t under_way = info_of(self).memory_bytes - before;
        CHECK(under_way >= kBytes && under_way <= kBytes + 512);
        GET(send(channel.get(), from, mode)); // the same again
        CHECK(info_of(self).memory_bytes - before == 2 * under_way);
        CHECK(receive(channel.get(), to) == kMost);
        CHECK(info_of(self).memory_bytes - before == under_way);
        CHECK(receive(channel.get(), to) == kMost);
        CHECK(info_of(self).memory_bytes == before);
    }
}

// What the sender does afterwards is nothing to the receiver.
void test_sender_unmaps() {
    const OwnedHandle channel = make_channel();
    const Range to, second;
    Range from;
    from.fill(1);
    GET(send(channel.get(), from, PageMode::frozen));
    from.words()[0] = 99;
    GET(send(channel.get(), from, PageMode::frozen));
    from.free();
    const Range reused; // perhaps in the same place
    reused.fill(7);
    CHECK(receive(channel.get(), to) == kMost);
    CHECK(receive(channel.get(), second) == kMost);
    CHECK(to.holds(1) && second.words()[0] == 99);
    second.fill(8); // two ranges had the same frames
    CHECK(to.holds(1));
}

// --- two agents ------------------------------------------------------------------------------------------------------

struct Other {
    OwnedHandle agent;
    explicit Other(std::string_view mode, Handle channel, std::uint64_t memory = 2 << 20) {
        const HandleGrant grants[] = {console_grant(), grant(channel, rights::send, kSend),
                                      grant(channel, rights::receive | rights::wait, kReceive)};
        SpawnOptions options;
        options.arguments = mode;
        options.handles = grants;
        options.handle_count = std::size(grants);
        options.quota = {memory, 64, 8, 0};
        agent = OwnedHandle(GET(spawn(kOwn, options)));
    }
};

alignas(16) char stacks[4][8192];

// Writes all the time, into every page.
void write_for_ever(std::uint64_t address) {
    auto* words = reinterpret_cast<volatile std::uint64_t*>(address); // SAFETY: its agent's own memory
    for (std::uint64_t stamp = 1;; ++stamp)
        for (std::uint64_t i = 0; i < kWords; i += 64)
            words[i] = stamp;
}

// The hostile sender: three threads write while the fourth grants, moved and frozen by turns.
[[noreturn]] void grant_while_writing() {
    const Range range;
    range.fill(1);
    for (unsigned i = 0; i < 3; ++i)
        GET(sys::thread_create(self, address_of(write_for_ever), address_of(stacks[i] + sizeof(stacks[i])) - 8,
                               range.address()));
    for (std::uint64_t i = 0;; ++i) {
        if (!send(handle(kSend), range, i % 2 == 0 ? PageMode::moved : PageMode::frozen)) (void)sys::thread_yield();
    }
}

void test_writers_change_nothing() {
    const OwnedHandle channel = make_channel();
    const Other other("write\0"sv, channel.get());
    const Range to;
    static std::uint64_t seen[kWords / 64];
    unsigned rounds = 0, written = 0;
    for (const std::uint64_t until = now() + 60 * kSecond; rounds < 400 && now() < until;) {
        if (receive(channel.get(), to) != kMost) {
            (void)sys::thread_yield();
            continue;
        }
        ++rounds;
        for (std::uint64_t i = 0; i < std::size(seen); ++i)
            seen[i] = to.words()[i * 64];
        for (unsigned looks = 0; looks < 3; ++looks) {
            (void)sys::thread_yield();
            for (std::uint64_t i = 0; i < std::size(seen); ++i)
                CHECK(to.words()[i * 64] == seen[i]);
        }
        written += seen[0] > 1 || seen[kWordsOfPage / 64] > 1;
    }
    CHECK(rounds == 400);
    CHECK(written != 0); // they did write meanwhile
    GET(sys::agent_kill(other.agent.get(), 1));
    CHECK(wait_dead(other.agent.get()).state != ~0u);
}

// A sender that is dead: what it had under way is its own end's, and arrives as nothing; its quota is home.
void test_sender_dies() {
    const std::uint64_t before = info_of(self).quota.memory_bytes;
    const OwnedHandle channel = make_channel();
    const Range to;
    {
        const Other other("send\0"sv, channel.get());
        CHECK(ended_with(wait_dead(other.agent.get()), EndReason::exited, 0));
        CHECK(info_of(self).quota.memory_bytes == before); // while the messages are still there
    }
    for (unsigned i = 0; i < 4; ++i)
        CHECK(receive(channel.get(), to) == 0);
    CHECK(to.is_zero());
}

// A receiver that dies with what it has, and with messages that it has not taken.
void test_receiver_dies() {
    const OwnedHandle channel = make_channel();
    const Range from;
    from.fill(5);
    for (unsigned i = 0; i < 3; ++i)
        GET(send(channel.get(), from, PageMode::frozen));
    const Other other("receive\0"sv, channel.get());
    CHECK(ended_with(wait_dead(other.agent.get()), EndReason::exited, 0));
    CHECK(from.holds(5));
    from.fill(6);
    const Range to;
    CHECK(receive(channel.get(), to) == kMost && to.holds(5)); // two were taken
}

void test_over_quota() {
    const OwnedHandle channel = make_channel();
    const Other poor("poor\0"sv, channel.get(), 1 << 20);
    CHECK(ended_with(wait_dead(poor.agent.get()), EndReason::exited, 0));
}

// Buffers that go round: there with the question, back with the answer.
void test_calls() {
    const OwnedHandle channel = make_channel();
    const Other server("serve\0"sv, channel.get());
    const Range range;
    for (std::uint64_t i = 1; i < 200 && reason_bytes == 0; ++i) {
        range.fill(i);
        Message request = message_of(range.address());
        Message reply = message_of(range.address());
        static char bytes[1024];
        request.bytes = reply.bytes = address_of(bytes); // small ones go directly, large ones through the queue
        request.size = i % 3 == 0 ? 1000 : 8;
        reply.size = sizeof(bytes);
        GET(sys::ipc_call(channel.get(), &request, &reply, now() + 20 * kSecond));
        CHECK(reply.page_count == kMost);
        CHECK(range.words()[0] == i * kWords + 1 && range.words()[kWords - 1] == i * kWords + kWords);
    }
    // No room for the answer's pages: they are lost, the caller learns what it needed.
    range.fill(1);
    Message request = message_of(range.address()), reply = message_of(range.address(), 3);
    CHECK_ERROR(sys::ipc_call(channel.get(), &request, &reply, now() + 20 * kSecond), buffer_small);
    CHECK(reply.page_count == kMost && range.is_zero());
    GET(sys::agent_kill(server.agent.get(), 1));
    CHECK(wait_dead(server.agent.get()).state != ~0u);
}

// The capability of a caller that waits is revoked: the question is withdrawn with its pages.
std::atomic<int> call_error{-1};
void call_until_revoked(std::uint64_t argument) {
    const Range range;
    range.fill(9);
    Message request = message_of(range.address()), reply{};
    const auto answered = sys::ipc_call(argument, &request, &reply, kNoDeadline);
    call_error = answered ? 0 : static_cast<int>(answered.error());
    (void)sys::thread_exit();
}
void test_revoked_under_way() {
    const OwnedHandle channel = make_channel();
    const OwnedHandle above(GET(sys::handle_derive(channel.get(), (rights::send | rights::derive).bits())));
    const OwnedHandle caller(GET(sys::handle_derive(above.get(), rights::send.bits())));
    const OwnedHandle thread(GET(sys::thread_create(self, address_of(call_until_revoked),
                                                    address_of(stacks[3] + sizeof(stacks[3])) - 8, caller.get())));
    HandleInfo info{};
    for (const std::uint64_t until = now() + 20 * kSecond; info.size == 0 && now() < until; (void)sys::thread_yield())
        GET(sys::handle_info(channel.get(), &info));
    CHECK(info.size == 1);
    GET(sys::handle_revoke(above.get()));
    CHECK(wait_for(thread.get(), kSignalEnded));
    CHECK(call_error == static_cast<int>(Error::revoked));
    const Range to;
    CHECK(receive(channel.get(), to) == ~0u);
}

int be_other(std::string_view mode) {
    const Range range;
    if (mode == "write") grant_while_writing();
    if (mode == "send") { // and ends with it under way
        range.fill(3);
        for (unsigned i = 0; i < 4; ++i)
            GET(send(handle(kSend), range, i % 2 == 0 ? PageMode::frozen : PageMode::moved));
        return reason_bytes == 0 ? 0 : 1;
    }
    if (mode == "receive") {
        for (unsigned i = 0; i < 2; ++i)
            CHECK(receive(handle(kReceive), range) == kMost && range.holds(5));
        range.words()[0] = 1;
        return reason_bytes == 0 ? 0 : 1;
    }
    if (mode == "poor") { // has memory for one range, and not for one under way
        range.fill(4);
        const std::uint64_t quota = info_of(self).quota.memory_bytes;
        while (quota - info_of(self).memory_bytes >= kBytes && sys::agent_mem_alloc(self, kPageBytes, kRw)) {
        }
        const std::uint64_t left = quota - info_of(self).memory_bytes;
        CHECK(left < kBytes && left > kBytes / 2);
        CHECK_ERROR(send(handle(kSend), range), quota_exceeded);
        CHECK_ERROR(send(handle(kSend), range, PageMode::frozen), quota_exceeded);
        CHECK(range.holds(4));
        return reason_bytes == 0 ? 0 : 1;
    }
    if (mode == "serve") {
        static char bytes[1024];
        std::uint64_t reply_to = 0;
        for (;;) {
            Message in = message_of(range.address()), out = message_of(range.address());
            in.bytes = out.bytes = address_of(bytes);
            in.size = sizeof(bytes);
            out.size = 8;
            if (!sys::ipc_reply_wait(handle(kReceive), reply_to, &out, &in, kNoDeadline)) return 1;
            if (in.page_count != kMost) return 2;
            for (std::uint64_t i = 0; i < kWords; i += kWords - 1)
                range.words()[i] = range.words()[i] + 1;
            reply_to = in.reply_to;
        }
    }
    return 3;
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "pages");
    if (block.argument_count != 0) {
        const char* at = reinterpret_cast<const char*>(block.arguments); // SAFETY: put there by the kernel
        const int result = be_other(at);
        if (reason_bytes != 0) console_print("{}\n", std::string_view(reason, reason_bytes));
        return result;
    }
    run("contents", test_contents);
    run("refusals", test_refusals);
    run("given_back", test_given_back);
    run("charges", test_charges);
    run("sender_unmaps", test_sender_unmaps);
    run("writers_change_nothing", test_writers_change_nothing);
    run("sender_dies", test_sender_dies);
    run("receiver_dies", test_receiver_dies);
    run("over_quota", test_over_quota);
    run("calls", test_calls);
    run("revoked_under_way", test_revoked_under_way);
    return finish();
}
