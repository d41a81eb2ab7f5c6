// Event queues, timers, threads, and asynchronous hash operations.
#include <atomic>

#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

void test_timer() {
    const OwnedHandle queue(GET(sys::queue_create(self)));
    const OwnedHandle timer(GET(sys::timer_create(self)));
    GET(sys::event_register(queue.get(), timer.get(), kSignalFired, 42));
    EventPacket packet{};
    CHECK_ERROR(sys::event_wait(queue.get(), &packet, 1, 0), timed_out);
    const std::uint64_t start = now();
    GET(sys::timer_set(timer.get(), start + 5'000'000, 0));
    CHECK(GET(sys::event_wait(queue.get(), &packet, 1, start + 10 * kSecond)) == 1);
    CHECK(packet.key == 42 && packet.signals == kSignalFired && packet.count == 1);
    CHECK(now() >= start + 5'000'000);
    CHECK_ERROR(sys::event_wait(queue.get(), &packet, 1, now() + 2'000'000), timed_out);
    GET(sys::timer_set(timer.get(), 0, 0)); // in the past: at once
    GET(sys::event_wait(queue.get(), &packet, 1, now() + 10 * kSecond));
    GET(sys::timer_set(timer.get(), now() + 1'000'000, 1'000'000));
    std::uint64_t fired = 0;
    for (unsigned i = 0; i < 5; ++i) {
        GET(sys::event_wait(queue.get(), &packet, 1, now() + 10 * kSecond));
        fired += packet.count;
    }
    CHECK(fired >= 5);
    GET(sys::timer_set(timer.get(), kNoDeadline, 0));
    CHECK_ERROR(sys::timer_set(timer.get(), kNoDeadline, 5), bad_argument);
}

void test_registration() {
    const OwnedHandle queue(GET(sys::queue_create(self)));
    const OwnedHandle timer(GET(sys::timer_create(self)));
    CHECK_ERROR(sys::event_register(queue.get(), timer.get(), 0, 1), bad_argument);
    CHECK_ERROR(sys::event_register(queue.get(), timer.get(), 1ull << 40, 1), bad_argument);
    CHECK_ERROR(sys::event_register(queue.get(), kNoHandle, kSignalFired, 1), bad_handle);
    CHECK_ERROR(sys::event_register(queue.get(), handle(StartupRole::console), kSignalFired, 1), missing_right);
    GET(sys::event_register(queue.get(), timer.get(), kSignalFired, 1));
    CHECK_ERROR(sys::event_register(queue.get(), timer.get(), kSignalFired, 1), already_exists);
    GET(sys::event_cancel(queue.get(), 1));
    CHECK_ERROR(sys::event_cancel(queue.get(), 1), not_found);
    GET(sys::timer_set(timer.get(), 0, 0));
    EventPacket packet{};
    CHECK_ERROR(sys::event_wait(queue.get(), &packet, 1, now() + 2'000'000), timed_out);
    CHECK_ERROR(sys::event_wait(queue.get(), &packet, 0, 0), bad_argument);
    for (const std::uint64_t address : kBadAddresses)
        CHECK_ERROR(sys::event_wait(queue.get(), bad_pointer<EventPacket>(address), 1, 0), bad_address);
}

// One wait serves several sources, and posts are never lost: what is raised before the wait is there.
void test_many_sources() {
    const OwnedHandle queue(GET(sys::queue_create(self)));
    std::array<OwnedHandle, 20> timers;
    for (std::uint64_t i = 0; i < timers.size(); ++i) {
        timers[i] = OwnedHandle(GET(sys::timer_create(self)));
        GET(sys::event_register(queue.get(), timers[i].get(), kSignalFired, i));
        GET(sys::timer_set(timers[i].get(), 0, 0));
    }
    const OwnedHandle channel(GET(sys::channel_create(self, 4, 256)));
    GET(sys::event_register(queue.get(), channel.get(), kSignalReadable, 100));
    const Message message{};
    GET(sys::ipc_send(channel.get(), &message));
    std::uint64_t seen = 0;
    bool readable = false;
    EventPacket packets[8];
    while (seen < timers.size() || !readable) {
        const std::uint64_t count = GET(sys::event_wait(queue.get(), packets, 8, now() + 5 * kSecond));
        if (count == 0) break;
        for (std::uint64_t i = 0; i < count; ++i) {
            readable = readable || packets[i].key == 100;
            seen += packets[i].key < 100;
        }
    }
    CHECK(seen == timers.size() && readable);
}

void test_writable_and_closed() {
    const OwnedHandle queue(GET(sys::queue_create(self)));
    OwnedHandle channel(GET(sys::channel_create(self, 1, 64)));
    const OwnedHandle sender(GET(sys::handle_derive(channel.get(), (rights::send | rights::wait).bits())));
    GET(sys::event_register(queue.get(), sender.get(), kSignalWritable | kSignalClosed, 3));
    Message message{};
    GET(sys::ipc_send(sender.get(), &message));
    CHECK_ERROR(sys::ipc_send(sender.get(), &message), would_block);
    GET(sys::ipc_recv(channel.get(), &message));
    EventPacket packet{};
    GET(sys::event_wait(queue.get(), &packet, 1, now() + 5 * kSecond));
    CHECK(packet.key == 3 && (packet.signals & kSignalWritable) != 0);
    channel.reset();
    GET(sys::event_wait(queue.get(), &packet, 1, now() + 5 * kSecond));
    CHECK((packet.signals & kSignalClosed) != 0);
}

void test_registration_quota() {
    const std::uint64_t before = info_of(self).memory_bytes;
    {
        const OwnedHandle queue(GET(sys::queue_create(self)));
        const OwnedHandle timer(GET(sys::timer_create(self)));
        std::uint64_t made = 0;
        while (made < 1000 && sys::event_register(queue.get(), timer.get(), kSignalFired, made))
            ++made;
        CHECK(made == 4); // a timer tells few, in its interrupt
        CHECK_ERROR(sys::event_register(queue.get(), timer.get(), kSignalFired, 5000), no_space);

        const OwnedHandle channel(GET(sys::channel_create(self, 1, 64)));
        for (made = 0; made < 1000 && sys::event_register(queue.get(), channel.get(), kSignalReadable, 10 + made);)
            ++made;
        CHECK(made == 64); // any other source tells more
        CHECK_ERROR(sys::event_register(queue.get(), channel.get(), kSignalReadable, 5000), no_space);
    }
    CHECK(info_of(self).memory_bytes <= before + 4096);
}

// A registration ends with the handle that it was made through, whatever the object: the same key is free at once, the
// charge is back, and what was not delivered is gone.
void check_ends_with_its_handle(const OwnedHandle& queue, Handle object, std::uint64_t signals) {
    const std::uint64_t before = info_of(self).memory_bytes;
    EventPacket packet{};
    for (unsigned i = 0; i < 3; ++i) {
        const OwnedHandle through(GET(sys::handle_derive(object, rights::wait.bits())));
        GET(sys::event_register(queue.get(), through.get(), signals, 7));
        CHECK_ERROR(sys::event_register(queue.get(), object, signals, 7), already_exists);
    }
    CHECK_ERROR(sys::event_cancel(queue.get(), 7), not_found);
    CHECK_ERROR(sys::event_wait(queue.get(), &packet, 1, 0), timed_out);
    CHECK(info_of(self).memory_bytes == before);
    GET(sys::event_register(queue.get(), object, signals, 7)); // another handle keeps its own
    GET(sys::handle_close(GET(sys::handle_derive(object, rights::wait.bits()))));
    GET(sys::event_cancel(queue.get(), 7));
}

void exit_at_once(std::uint64_t) {
    for (;;)
        (void)sys::thread_exit();
}

alignas(16) char ending_stack[4096];

void test_registrations_end_with_their_handle() {
    const OwnedHandle queue(GET(sys::queue_create(self)));
    const OwnedHandle timer(GET(sys::timer_create(self)));
    check_ends_with_its_handle(queue, timer.get(), kSignalFired);
    const OwnedHandle channel(GET(sys::channel_create(self, 4, 256)));
    const Message message{};
    GET(sys::ipc_send(channel.get(), &message)); // readable: each registration has a packet at once
    check_ends_with_its_handle(queue, channel.get(), kSignalReadable);
    SpawnOptions idle;
    idle.arguments = std::string_view("wait\0", 5);
    const OwnedHandle child(GET(spawn("bin/child", idle)));
    check_ends_with_its_handle(queue, child.get(), kSignalEnded | kSignalFault);
    GET(sys::agent_kill(child.get(), 0));
    const PqcRequest request{static_cast<std::uint32_t>(PqcAlgorithm::sha2_256), 0, address_of("abc"), 3};
    const OwnedHandle operation(GET(sys::pqc_operation(self, &request)));
    CHECK(wait_for(operation.get(), kSignalDone));
    const OwnedHandle thread(GET(
        sys::thread_create(self, address_of(&exit_at_once), address_of(ending_stack + sizeof(ending_stack)) - 8, 0)));
    CHECK(wait_for(thread.get(), kSignalEnded));
    (void)wait_dead(child.get());
    check_ends_with_its_handle(queue, operation.get(), kSignalDone); // done: told at once
    check_ends_with_its_handle(queue, thread.get(), kSignalEnded);
}

// --- threads ---------------------------------------------------------------------------------------------------------

alignas(16) char stacks[4][16384];
std::atomic<std::uint64_t> sum{0};

void add_and_exit(std::uint64_t value) {
    for (unsigned i = 0; i < 1000; ++i)
        sum += value;
    for (;;)
        (void)sys::thread_exit();
}

void test_threads() {
    sum = 0;
    std::array<OwnedHandle, 4> threads;
    for (std::uint64_t i = 0; i < 4; ++i)
        threads[i] = OwnedHandle(GET(
            sys::thread_create(self, address_of(&add_and_exit), address_of(stacks[i] + sizeof(stacks[i])) - 8, i + 1)));
    for (const OwnedHandle& thread : threads)
        CHECK(wait_for(thread.get(), kSignalEnded));
    CHECK(sum == 1000 * (1 + 2 + 3 + 4));
    CHECK_ERROR(sys::thread_create(self, 0, 0x100000, 0), bad_address);
    CHECK_ERROR(sys::thread_create(self, 0xffff'8000'0000'0000, 0x100000, 0), bad_address);
    CHECK_ERROR(sys::thread_create(self, 0x8000'0000'0000, 0x100000, 0), bad_address);
    CHECK_ERROR(sys::thread_create(self, address_of(&add_and_exit), 0xffff'8000'0000'0000, 0), bad_address);
}

// --- PQCOperation ----------------------------------------------------------------------------------------------------

Result<std::uint64_t> hash(PqcAlgorithm algorithm, std::string_view text, std::uint8_t* out, std::uint64_t capacity) {
    const PqcRequest request{static_cast<std::uint32_t>(algorithm), 0, address_of(text.data()), text.size()};
    const OwnedHandle operation(TRY(sys::pqc_operation(self, &request)));
    if (!wait_for(operation.get(), kSignalDone)) return fail(Error::timed_out);
    AsyncResult result{};
    result.output = address_of(out);
    result.capacity = capacity;
    TRY(sys::get_async_result(operation.get(), &result));
    if (result.error != 0) return fail(static_cast<Error>(result.error));
    const auto again = sys::get_async_result(operation.get(), &result);
    if (again || again.error() != Error::bad_state) return fail(Error::busy); // fetched once only
    return result.value;
}

void test_hashes() {
    std::uint8_t out[64] = {};
    // FIPS 180-4 and FIPS 202 examples for "abc".
    CHECK(GET(hash(PqcAlgorithm::sha2_256, "abc", out, 64)) == 32 && out[0] == 0xba && out[31] == 0xad);
    CHECK(GET(hash(PqcAlgorithm::sha2_512, "abc", out, 64)) == 64 && out[0] == 0xdd && out[63] == 0x9f);
    CHECK(GET(hash(PqcAlgorithm::sha3_256, "abc", out, 64)) == 32 && out[0] == 0x3a && out[31] == 0x32);
    CHECK(GET(hash(PqcAlgorithm::sha3_512, "abc", out, 64)) == 64 && out[0] == 0xb7 && out[63] == 0xf0);
    CHECK(GET(hash(PqcAlgorithm::sha2_256, "", out, 32)) == 32 && out[0] == 0xe3 && out[31] == 0x55);
    CHECK_ERROR(hash(PqcAlgorithm::sha2_256, "abc", out, 31), buffer_small);
    CHECK_ERROR(hash(PqcAlgorithm::sha2_256, "abc", bad_pointer<std::uint8_t>(0), 32), bad_address);
}

// What the account says while an operation is under way, less what it said before. Tried again if it was over too soon.
std::uint64_t charged_for_operation(std::uint64_t input_bytes) {
    static volatile std::uint8_t input[600'001];
    for (std::size_t at = 0; at < sizeof(input); at += kPageBytes / 2)
        input[at] = 1; // its pages are charged when they are touched
    const PqcRequest request{static_cast<std::uint32_t>(PqcAlgorithm::sha3_512), 0, address_of(input), input_bytes};
    for (;;) {
        const std::uint64_t before = info_of(self).memory_bytes;
        std::uint64_t charged = 0;
        for (bool is_over = true; is_over;) {
            const OwnedHandle operation(GET(sys::pqc_operation(self, &request)));
            charged = info_of(self).memory_bytes - before;
            AsyncResult result{};
            const auto early = sys::get_async_result(operation.get(), &result);
            is_over = early || early.error() != Error::not_ready;
            CHECK(wait_for(operation.get(), kSignalDone));
        }
        for (const std::uint64_t until = now() + 20 * kSecond; info_of(self).memory_bytes > before && now() < until;)
            GET(sys::thread_yield()); // until the thread that did it is buried
        const std::uint64_t after = info_of(self).memory_bytes;
        CHECK(after <= before);
        if (after >= before) return charged;
        // Less: at first an earlier one had not come back yet.
    }
}

// An operation is charged at what its input takes (a block of 2^n frames), and all of it comes back.
void test_operations_are_charged_at_what_they_take() {
    const std::uint64_t half = charged_for_operation(512 << 10), more = charged_for_operation((512 << 10) + 1);
    const std::uint64_t odd = charged_for_operation(600'001);
    CHECK(more == half + (512 << 10));
    CHECK(odd == more);
}

void test_hash_arguments() {
    PqcRequest request{99, 0, address_of("abc"), 3};
    CHECK_ERROR(sys::pqc_operation(self, &request), unsupported);
    request.algorithm = 0;
    CHECK_ERROR(sys::pqc_operation(self, &request), unsupported);
    request.algorithm = 1;
    request.flags = 1;
    CHECK_ERROR(sys::pqc_operation(self, &request), bad_argument);
    request.flags = 0;
    request.input_bytes = (1 << 20) + 1;
    CHECK_ERROR(sys::pqc_operation(self, &request), too_large);
    for (const std::uint64_t address : kBadAddresses) {
        request.input = address;
        request.input_bytes = 32;
        CHECK_ERROR(sys::pqc_operation(self, &request), bad_address);
        CHECK_ERROR(sys::pqc_operation(self, bad_pointer<const PqcRequest>(address)), bad_address);
        CHECK_ERROR(sys::get_async_result(self, bad_pointer<AsyncResult>(address)), wrong_type);
    }
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "events");
    run("timer", test_timer);
    run("registration", test_registration);
    run("many_sources", test_many_sources);
    run("writable_and_closed", test_writable_and_closed);
    run("registration_quota", test_registration_quota);
    run("registrations_end_with_their_handle", test_registrations_end_with_their_handle);
    run("threads", test_threads);
    run("hashes", test_hashes);
    run("hash_arguments", test_hash_arguments);
    run("operations_are_charged_at_what_they_take", test_operations_are_charged_at_what_they_take);
    return finish();
}
