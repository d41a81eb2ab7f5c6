// Streams by their native calls: what goes in comes out, ends and levels, who may do what, who pays, and revocation of a
// capability that somebody waits with.
#include <algorithm>
#include <atomic>

#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr std::uint64_t kCapacity = 64 << 10; // of a stream, as it is made

struct Ends {
    OwnedHandle reader, writer;
};
Ends make() {
    StreamHandles made{};
    GET(sys::stream_create(self, &made));
    return {OwnedHandle(made.reader), OwnedHandle(made.writer)};
}

void test_bytes_come_out_in_order() {
    const Ends ends = make();
    static std::uint8_t out[10'000], in[10'000];
    for (std::size_t i = 0; i < sizeof(out); ++i)
        out[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
    CHECK_ERROR(sys::stream_read(ends.reader.get(), in, 1, kStreamNoWait), would_block);
    CHECK(GET(sys::stream_write(ends.writer.get(), out, sizeof(out), 0)) == sizeof(out));
    std::size_t done = 0;
    for (const std::size_t part : {std::size_t{1}, std::size_t{4095}, std::size_t{5000}, sizeof(in)})
        done += GET(sys::stream_read(ends.reader.get(), in + done, std::min(part, sizeof(in) - done), 0));
    CHECK(done == sizeof(out));
    CHECK(std::equal(out, out + sizeof(out), in));
    CHECK_ERROR(sys::stream_read(ends.reader.get(), in, 1, kStreamNoWait), would_block);
    CHECK(GET(sys::stream_read(ends.reader.get(), in, 0, 0)) == 0);
}

void test_room_and_ends() {
    Ends ends = make();
    static std::uint8_t bytes[kCapacity];
    CHECK(GET(sys::stream_write(ends.writer.get(), bytes, sizeof(bytes), kStreamNoWait)) == kCapacity);
    CHECK_ERROR(sys::stream_write(ends.writer.get(), bytes, 1, kStreamNoWait), would_block);
    HandleInfo info{};
    GET(sys::handle_info(ends.reader.get(), &info));
    CHECK(info.size == kCapacity);
    CHECK(GET(sys::stream_read(ends.reader.get(), bytes, 4096, 0)) == 4096);
    CHECK(GET(sys::stream_write(ends.writer.get(), bytes, 5000, kStreamNoWait)) == 4096); // more than is kept whole
    ends.writer.reset();
    std::uint64_t left = 0;
    for (std::uint64_t part = 1; part != 0; left += part)
        part = GET(sys::stream_read(ends.reader.get(), bytes, sizeof(bytes), 0));
    CHECK(left == kCapacity); // the end comes after the last byte
    ends = make();
    ends.reader.reset();
    CHECK_ERROR(sys::stream_write(ends.writer.get(), bytes, 1, 0), peer_closed);
}

// An end closes with its last handle, wherever that is.
void test_derived_ends() {
    Ends ends = make();
    OwnedHandle second(GET(sys::handle_derive(ends.writer.get(), rights::write.bits())));
    ends.writer.reset(); // what was derived from it stays
    char byte = 'x';
    CHECK(GET(sys::stream_write(second.get(), &byte, 1, 0)) == 1);
    second.reset();
    CHECK(GET(sys::stream_read(ends.reader.get(), &byte, 1, 0)) == 1);
    CHECK(GET(sys::stream_read(ends.reader.get(), &byte, 1, 0)) == 0);
}

void test_who_may() {
    const Ends ends = make(), others = make();
    char byte = 0;
    CHECK_ERROR(sys::stream_write(ends.reader.get(), &byte, 1, 0), missing_right);
    CHECK_ERROR(sys::stream_read(ends.writer.get(), &byte, 1, 0), missing_right);
    CHECK_ERROR(sys::handle_derive(ends.reader.get(), rights::write.bits()), missing_right);
    const OwnedHandle blind(GET(sys::handle_derive(ends.reader.get(), rights::wait.bits())));
    CHECK_ERROR(sys::stream_read(blind.get(), &byte, 1, 0), missing_right);
    CHECK_ERROR(sys::stream_read(self, &byte, 1, 0), wrong_type);
    CHECK_ERROR(sys::stream_read(kNoHandle, &byte, 1, 0), bad_handle);
    CHECK_ERROR(sys::stream_read(ends.reader.get(), &byte, 1, 2), bad_argument);
    CHECK_ERROR(sys::stream_write(ends.writer.get(), &byte, 1, ~0ull), bad_argument);
    CHECK_ERROR(sys::stream_create(ends.reader.get(), nullptr), wrong_type);
    const OwnedHandle child(GET(spawn("bin/child", {.arguments = std::string_view("wait\0", 5)})));
    StreamHandles made{};
    CHECK_ERROR(sys::stream_create(child.get(), &made), missing_right);
    (void)sys::agent_kill(child.get(), 1);
    (void)wait_dead(child.get());
}

void test_bad_addresses() {
    const Ends ends = make();
    char byte = 'x';
    for (const std::uint64_t address : kBadAddresses) {
        CHECK_ERROR(sys::stream_create(self, bad_pointer<StreamHandles>(address)), bad_address);
        CHECK_ERROR(sys::stream_write(ends.writer.get(), bad_pointer<char>(address), 1, 0), bad_address);
        CHECK(GET(sys::stream_write(ends.writer.get(), &byte, 1, 0)) == 1);
        CHECK_ERROR(sys::stream_read(ends.reader.get(), bad_pointer<char>(address), 1, 0), bad_address);
        CHECK(GET(sys::stream_read(ends.reader.get(), &byte, 1, 0)) == 1); // nothing was lost
    }
}

// Full streams cost what is in them, and all of it comes back.
void fill_and_close() {
    static StreamHandles ends[64];
    static std::uint8_t bytes[kCapacity];
    const std::uint64_t before = info_of(self).memory_bytes;
    for (StreamHandles& end : ends)
        GET(sys::stream_create(self, &end));
    const std::uint64_t empty = info_of(self).memory_bytes;
    CHECK(empty > before);
    for (const StreamHandles& end : ends)
        CHECK(GET(sys::stream_write(end.writer, bytes, sizeof(bytes), 0)) == kCapacity);
    CHECK(info_of(self).memory_bytes >= empty + std::size(ends) * kCapacity);
    for (const StreamHandles& end : ends) {
        GET(sys::handle_close(end.reader));
        GET(sys::handle_close(end.writer));
    }
}
void test_who_pays() {
    fill_and_close(); // its own pages and those of the handle table stay
    const std::uint64_t before = info_of(self).memory_bytes;
    fill_and_close();
    CHECK(info_of(self).memory_bytes == before);
}

void test_levels() {
    Ends ends = make();
    const OwnedHandle queue(GET(sys::queue_create(self)));
    constexpr std::uint64_t kAll = kSignalReadable | kSignalWritable | kSignalClosed | kSignalError;
    GET(sys::event_register(queue.get(), ends.reader.get(), kAll | kModeLevel, 1));
    GET(sys::event_register(queue.get(), ends.writer.get(), kAll | kModeLevel, 2));
    const auto told = [&](std::uint64_t key) {
        EventPacket packets[2]{};
        const auto count = sys::event_wait(queue.get(), packets, 2, 0);
        for (std::uint64_t i = 0; count && i < *count; ++i) {
            if (packets[i].key == key) return packets[i].signals;
        }
        return std::uint64_t{0};
    };
    static std::uint8_t bytes[kCapacity];
    CHECK(told(1) == 0);
    CHECK(told(2) == kSignalWritable);
    GET(sys::stream_write(ends.writer.get(), bytes, 1, 0));
    CHECK(told(1) == kSignalReadable);
    GET(sys::stream_write(ends.writer.get(), bytes, sizeof(bytes) - 1, 0));
    CHECK(told(2) == 0); // full
    GET(sys::stream_read(ends.reader.get(), bytes, sizeof(bytes), 0));
    CHECK(told(1) == 0);
    CHECK(told(2) == kSignalWritable);
    ends.writer.reset();
    CHECK(told(1) == kSignalClosed);
    ends = make();
    GET(sys::event_register(queue.get(), ends.writer.get(), kAll | kModeLevel, 3));
    ends.reader.reset();
    CHECK(told(3) == (kSignalWritable | kSignalError));
}

alignas(16) char stacks[2][8192];
std::atomic<std::uint64_t> answer{0};
Handle waits_with = kNoHandle;

void wait_to_read(std::uint64_t) {
    char byte = 0;
    const auto done = sys::stream_read(waits_with, &byte, 1, 0);
    answer.store(done ? 1000 + *done : static_cast<std::uint64_t>(done.error()));
    (void)sys::thread_exit();
}
void wait_to_write(std::uint64_t) {
    static std::uint8_t bytes[kCapacity + 1];
    const auto done = sys::stream_write(waits_with, bytes + kCapacity, 1, 0);
    answer.store(done ? 1000 + *done : static_cast<std::uint64_t>(done.error()));
    (void)sys::thread_exit();
}

// What a thread answers that waits with a handle, of which `end_it` then takes the authority.
template <typename F>
std::uint64_t answer_of(void (*waits)(std::uint64_t), Handle with, F&& end_it) {
    answer.store(0);
    waits_with = with;
    const OwnedHandle thread(
        GET(sys::thread_create(self, address_of(waits), address_of(stacks[0] + sizeof(stacks[0])) - 8, 0)));
    const std::uint64_t until = now() + kSecond / 50;
    while (now() < until)
        (void)sys::thread_yield();
    CHECK(answer.load() == 0); // it waits
    end_it();
    CHECK(wait_for(thread.get(), kSignalEnded));
    return answer.load();
}

void test_waiting_ends() {
    static std::uint8_t bytes[kCapacity];
    constexpr auto kRevoked = static_cast<std::uint64_t>(Error::revoked);
    constexpr auto kClosed = static_cast<std::uint64_t>(Error::peer_closed);
    Ends ends = make();
    OwnedHandle lent(GET(sys::handle_derive(ends.reader.get(), rights::read.bits())));
    CHECK(answer_of(wait_to_read, lent.get(), [&] { GET(sys::handle_revoke(ends.reader.get())); }) == kRevoked);
    CHECK(answer_of(wait_to_read, ends.reader.get(), [&] { GET(sys::stream_write(ends.writer.get(), bytes, 1, 0)); }) ==
          1001);
    GET(sys::stream_write(ends.writer.get(), bytes, sizeof(bytes), 0));
    lent = OwnedHandle(GET(sys::handle_derive(ends.writer.get(), rights::write.bits())));
    CHECK(answer_of(wait_to_write, lent.get(), [&] { GET(sys::handle_revoke(ends.writer.get())); }) == kRevoked);
    CHECK(answer_of(wait_to_write, ends.writer.get(), [&] { ends.reader.reset(); }) == kClosed);
    ends = make();
    CHECK(answer_of(wait_to_read, ends.reader.get(), [&] { ends.writer.reset(); }) == 1000);
}

// A megabyte between two threads, whichever is faster.
std::atomic<std::uint64_t> wrong{0};
constexpr std::uint64_t kMegabyte = 1 << 20;
void write_much(std::uint64_t) {
    static std::uint8_t piece[3000];
    std::uint64_t at = 0;
    while (at < kMegabyte) {
        const std::uint64_t part = std::min<std::uint64_t>(sizeof(piece), kMegabyte - at);
        for (std::uint64_t i = 0; i < part; ++i)
            piece[i] = static_cast<std::uint8_t>((at + i) % 253);
        const auto done = sys::stream_write(waits_with, piece, part, 0);
        if (!done || *done != part) wrong.fetch_add(1);
        at += part;
    }
    (void)sys::thread_exit();
}
void test_two_threads() {
    const Ends ends = make();
    waits_with = ends.writer.get();
    const OwnedHandle thread(
        GET(sys::thread_create(self, address_of(write_much), address_of(stacks[1] + sizeof(stacks[1])) - 8, 0)));
    static std::uint8_t piece[7000];
    for (std::uint64_t at = 0; at < kMegabyte;) {
        const std::uint64_t part = GET(sys::stream_read(ends.reader.get(), piece, sizeof(piece), 0));
        if (part == 0) return failed("the end came early", __LINE__);
        for (std::uint64_t i = 0; i < part; ++i) {
            if (piece[i] != static_cast<std::uint8_t>((at + i) % 253)) wrong.fetch_add(1);
        }
        at += part;
    }
    CHECK(wrong.load() == 0);
    CHECK(wait_for(thread.get(), kSignalEnded));
}

// A child's end goes with the child.
void test_child() {
    Ends ends = make();
    const HandleGrant grants[] = {grant(ends.writer.get(), rights::write, StartupRole::output)};
    SpawnOptions options;
    options.arguments = std::string_view("wait\0", 5);
    options.handles = grants;
    options.handle_count = std::size(grants);
    const OwnedHandle child(GET(spawn("bin/child", options)));
    ends.writer.reset();
    char byte = 0;
    CHECK_ERROR(sys::stream_read(ends.reader.get(), &byte, 1, kStreamNoWait), would_block);
    GET(sys::agent_kill(child.get(), 1));
    CHECK(GET(sys::stream_read(ends.reader.get(), &byte, 1, 0)) == 0);
    (void)wait_dead(child.get());
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "streams");
    run("bytes_come_out_in_order", test_bytes_come_out_in_order);
    run("room_and_ends", test_room_and_ends);
    run("derived_ends", test_derived_ends);
    run("who_may", test_who_may);
    run("bad_addresses", test_bad_addresses);
    run("who_pays", test_who_pays);
    run("levels", test_levels);
    run("waiting_ends", test_waiting_ends);
    run("two_threads", test_two_threads);
    run("child", test_child);
    return finish();
}
