// The audit log as an agent sees it: every kind of record that there is while the node runs, read back with its
// details; what floods of refusals and of recorded calls make of it, and who pays for that.
#include "tests/guest/audit_log.hpp"
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr std::string_view kSelf = "bin/test_audit";
constexpr std::uint64_t kDoors = 68;
constexpr std::uint64_t kRecordsInASecond =
    5; // of an agent's refusals: kMaxRecordsInWindow in kernel/audit/refusals.hpp

std::uint64_t own_id() {
    static std::uint64_t id = info_of(self).id;
    return id;
}

Result<OwnedHandle> start(std::string_view arguments, std::uint32_t weight = 100) {
    const HandleGrant grants[] = {console_grant()};
    SpawnOptions options;
    options.arguments = arguments;
    options.handles = grants;
    options.handle_count = 1;
    options.weight = weight;
    return spawn(kSelf, options);
}

void sleep_until(std::uint64_t deadline) {
    const OwnedHandle queue(GET(sys::queue_create(self)));
    EventPacket packet{};
    (void)sys::event_wait(queue.get(), &packet, 1, deadline);
}

// --- what the children do --------------------------------------------------------------------------------------------

// Refused calls of many kinds for `seconds`; the exit status is how many they were.
std::uint64_t refuse(std::uint64_t seconds) {
    std::uint64_t count = 0;
    const std::uint64_t until = now() + seconds * kSecond;
    const Handle timer = GET(sys::timer_create(self));
    while (now() < until) {
        for (std::uint64_t door = 0; door < kDoors; ++door) {
            // 4110 to 4182: two errors for each call that takes a handle; calls that do not are answered, not refused.
            const std::uint64_t number = 4110 + door;
            if (number == 4161) continue; // thread_exit takes none
            for (const Handle handle : {kNoHandle, timer}) {
                if (number == 4145 && handle == timer) continue; // its own call
                const std::int64_t answer = sys::detail::call(number, handle, 0, 0, 0, 0, 0);
                count += answer == -static_cast<std::int64_t>(Error::bad_handle) ||
                         answer == -static_cast<std::int64_t>(Error::wrong_type);
            }
        }
    }
    return count;
}

[[noreturn]] void derive_for_ever(std::uint64_t) {
    const Handle timer = GET(sys::timer_create(self));
    for (;;) {
        const auto derived = sys::handle_derive(timer, rights::write.bits());
        if (derived) (void)sys::handle_close(*derived);
    }
}

[[noreturn]] void spin_for_ever() {
    for (volatile std::uint64_t i = 0;; i = i + 1) {
    }
}

alignas(16) char stacks[3][8192];

void derive_once() {
    const Handle timer = GET(sys::timer_create(self));
    (void)sys::handle_close(GET(sys::handle_derive(timer, rights::write.bits())));
    (void)sys::handle_close(timer);
}

// Once by itself, then once for each message.
[[noreturn]] void derive_when_asked() {
    derive_once();
    char text[8];
    for (std::uint64_t reply_to = 0;;) {
        Message reply{}, next{};
        next.bytes = address_of(text);
        next.size = sizeof(text);
        reply_to =
            sys::ipc_reply_wait(handle(StartupRole::parent), reply_to, &reply, &next, kNoDeadline) ? next.reply_to : 0;
        derive_once();
    }
}

// --- kinds -----------------------------------------------------------------------------------------------------------

void test_boot() {
    const LogRecord boot = GET(read_record(0));
    CHECK(boot.is(AuditKind::boot) && boot.agent == 0 && boot.index == 0);
    CHECK((boot.detail[0] == 1 || boot.detail[0] == 2) && boot.detail[2] >= 1);
    const LogRecord first = GET(read_record(1));
    CHECK(first.is(AuditKind::agent_start) && first.agent == 0 && first.subject != 0);
}

void test_call() {
    const std::uint64_t before = log_size();
    const Handle timer = GET(sys::timer_create(self));
    const Handle derived = GET(sys::handle_derive(timer, rights::write.bits()));
    GET(sys::handle_revoke(timer));
    unsigned derives = 0, revokes = 0;
    CHECK(for_each_record(before, [&](const LogRecord& record) {
        if (record.agent != own_id() || !record.is(AuditKind::call)) return;
        derives += record.call == 4101 && record.has_details(rights::write.bits(), timer, derived);
        revokes += record.call == 4102 && record.detail[1] == timer;
        CHECK(record.count == 1);
    }));
    CHECK(derives == 1 && revokes == 1);
}

// What a derivation of `agent` in the log from `from` on was made for; {1, 1}: there is not one, but another number.
TraceId trace_of_derive(std::uint64_t agent, std::uint64_t from) {
    TraceId found{1, 1};
    unsigned count = 0;
    CHECK(for_each_record(from, [&](const LogRecord& record) {
        if (record.agent != agent || record.call != 4101) return;
        found = record.trace;
        ++count;
    }));
    return count == 1 ? found : TraceId{1, 1};
}

void derive_and_leave(std::uint64_t) {
    derive_once();
    (void)sys::thread_exit();
}

void test_traces() {
    static constexpr char kText[] =
        "why is the sky blue? \n 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456";
    static_assert(sizeof(kText) - 1 == kMaxAuditText);
    TraceId made{};
    TraceRequest request{{}, address_of(kText), 0};
    CHECK_ERROR(sys::trace_begin(&request, &made), bad_argument);
    request.text_bytes = kMaxAuditText + 1;
    CHECK_ERROR(sys::trace_begin(&request, &made), too_large);
    request.text_bytes = sizeof(kText) - 1;
    for (const std::uint64_t address : kBadAddresses) {
        const TraceRequest bad{{}, address, 4};
        CHECK_ERROR(sys::trace_begin(&bad, &made), bad_address);
        CHECK_ERROR(sys::trace_begin(bad_pointer<TraceRequest>(address), &made), bad_address);
    }
    std::uint64_t from = log_size();
    derive_once();
    CHECK(same(trace_of_derive(own_id(), from), {})); // nothing was begun

    from = log_size();
    GET(sys::trace_begin(&request, &made));
    CHECK(made.high != 0 || made.low != 0);
    unsigned begins = 0;
    CHECK(for_each_record(from, [&](const LogRecord& record) {
        if (!record.is(AuditKind::trace)) return;
        ++begins;
        CHECK(record.agent == own_id() && same(record.trace, made));
        std::string_view name(record.name);
        CHECK(name.size() == sizeof(kText) - 1 && name.starts_with("why is the sky blue? ? 0123"));
    }));
    CHECK(begins == 1);

    // A child and a thread begin with what their maker works on.
    from = log_size();
    const OwnedHandle channel(GET(sys::channel_create(self, 8, 4096)));
    const HandleGrant grants[] = {console_grant(),
                                  grant(channel.get(), rights::receive | rights::wait, StartupRole::parent)};
    SpawnOptions options;
    options.arguments = std::string_view("serve\0", 6);
    options.handles = grants;
    options.handle_count = 2;
    const OwnedHandle child(GET(spawn(kSelf, options)));
    const std::uint64_t child_id = info_of(child.get()).id;
    char out[1] = {}, in[8];
    const auto ask = [&](const TraceId& trace) {
        Message question{}, answer{};
        question.bytes = address_of(out);
        question.size = sizeof(out);
        question.trace = trace;
        answer.bytes = address_of(in);
        answer.size = sizeof(in);
        GET(sys::ipc_call(channel.get(), &question, &answer, now() + 20 * kSecond));
        // It derives behind its answer: the next call comes after that.
        return answer.trace;
    };
    const OwnedHandle thread(
        GET(sys::thread_create(self, address_of(&derive_and_leave), address_of(stacks[0] + sizeof(stacks[0])) - 8, 0)));
    CHECK(wait_for(thread.get(), kSignalEnded));
    CHECK(same(trace_of_derive(own_id(), from), made));
    CHECK(for_each_record(from, [&](const LogRecord& record) {
        if (record.is(AuditKind::agent_start) && record.subject == child_id) CHECK(same(record.trace, made));
    }));

    // A message brings its own, whether it waits in the queue or is handed over.
    CHECK(same(ask({}), made));
    const TraceId other{0x0102'0304'0506'0708, 9};
    CHECK(same(ask(other), other));
    (void)sys::agent_kill(child.get(), 1);
    CHECK(ended_with(wait_dead(child.get()), EndReason::killed, 1));
    TraceId seen[4] = {};
    unsigned derived = 0;
    CHECK(for_each_record(from, [&](const LogRecord& record) {
        if (record.agent == child_id && record.call == 4101 && derived < 4) seen[derived++] = record.trace;
    }));
    CHECK(derived >= 2 && same(seen[0], made) && same(seen[1], made));
    if (derived == 3) CHECK(same(seen[2], other)); // it may have died before
    GET(sys::trace_begin(&request, &made));        // a chosen one
    request.id = other;
    GET(sys::trace_begin(&request, &made));
    CHECK(same(made, other));
}

void test_life() {
    const std::uint64_t before = log_size();
    const auto child = GET(start(std::string_view("exit\0", 5)));
    const AgentInfo end = wait_dead(child.get());
    CHECK(ended_with(end, EndReason::exited, 7));
    unsigned starts = 0, ends = 0, exits = 0;
    CHECK(for_each_record(before, [&](const LogRecord& record) {
        if (record.subject != end.id) return;
        starts += record.is(AuditKind::agent_start) && record.agent == own_id() && record.call == 4110 &&
                  record.has_details(static_cast<std::uint64_t>(PersonalityKind::native), 4 << 20, 1) &&
                  std::string_view(record.name).starts_with("test_audit-");
        exits += record.is(AuditKind::call) && record.call == 4099 && record.agent == end.id && record.detail[0] == 7;
        ends += record.is(AuditKind::agent_end) && record.agent == own_id() &&
                record.has_details(static_cast<std::uint64_t>(EndReason::exited), 7, 0);
    }));
    CHECK(starts == 1 && exits == 1 && ends == 1);
}

void test_fault() {
    const std::uint64_t before = log_size();
    const auto child = GET(start(std::string_view("fault\0", 6)));
    const AgentInfo end = wait_dead(child.get());
    CHECK(end.end_reason == static_cast<std::uint32_t>(EndReason::fault));
    unsigned faults = 0;
    CHECK(for_each_record(before, [&](const LogRecord& record) {
        if (!record.is(AuditKind::fault) || record.subject != end.id) return;
        faults +=
            record.agent == end.id && record.detail[0] == 14 && record.detail[1] == 0x1230 && record.detail[2] != 0;
    }));
    CHECK(faults == 1);
}

void test_order_and_bounds() {
    const std::uint64_t size = log_size();
    std::uint64_t time = 0;
    bool ordered = true;
    // On several CPUs two records may be written at one moment; further apart than that their order is that of time.
    for (std::uint64_t index = size > 200 ? size - 200 : 0; index < size; ++index) {
        const LogRecord record = GET(read_record(index));
        ordered = ordered && record.time_ns + 10'000'000 > time;
        time = record.time_ns;
    }
    CHECK(ordered);
    CHECK_ERROR(read_record(log_size() + 1000), not_found);
}

// --- floods ----------------------------------------------------------------------------------------------------------

// However many doors an agent tries: few records a second, and no refusal that is not in one of them.
void test_refusals_coalesce() {
    const std::uint64_t before = log_size();
    const std::uint64_t started = now();
    const auto child = GET(start(std::string_view("refuse\0", 7)));
    const AgentInfo end = wait_dead(child.get(), 60);
    const std::uint64_t seconds = (now() - started) / kSecond + 1;
    CHECK(end.end_reason == static_cast<std::uint32_t>(EndReason::exited) && end.end_status > 1000);
    std::uint64_t records = 0, counted = 0, in_window = 0, window = 0;
    bool few = true, ended = false;
    CHECK(for_each_record(before, [&](const LogRecord& record) {
        if (record.is(AuditKind::agent_end) && record.subject == end.id) ended = true;
        if (!record.is(AuditKind::refusal) || record.agent != end.id) return;
        CHECK(!ended); // the counts come before the end
        ++records;
        counted += record.count;
        // Windows that start with a record and are a second long. Each door has one record in it; one more that was decided
        // on before and written late, by who was kept waiting; and the count that the end brings out early.
        if (record.time_ns - window >= kSecond) {
            window = record.time_ns;
            in_window = 0;
        }
        few = few && ++in_window <= 3 * kRecordsInASecond;
    }));
    CHECK(counted == end.end_status);
    CHECK(few);
    CHECK(records <= (seconds + 1) * kRecordsInASecond);
}

// A door that is tried again and again makes one record a second, also over several seconds.
void test_one_record_a_second() {
    const std::uint64_t before = log_size(), before_ns = now();
    std::uint64_t made = 0, until = now() + 3 * kSecond + kSecond / 2;
    while (now() < until)
        for (unsigned i = 0; i < 100; ++i)
            made += !sys::timer_set(self, 0, 0);
    sleep_until(now() + 2 * kSecond); // the last count is written at the latest two seconds after
    std::uint64_t records = 0, counted = 0, last = 0;
    bool apart = true;
    CHECK(for_each_record(before, [&](const LogRecord& record) {
        if (!record.is(AuditKind::refusal) || record.agent != own_id() || record.call != 4145) return;
        ++records;
        counted += record.count;
        // A count's time is that of its writing. A single refusal is written by who was refused, who may have been kept
        // waiting since: what follows may be nearer to it, but not to the beginning.
        apart = apart && (last == 0 || record.time_ns - last >= kSecond - 1'000'000);
        last = record.count > 1 ? record.time_ns : records == 1 ? before_ns : 0;
    }));
    CHECK(counted == made);
    CHECK(apart);
    CHECK(records >= 3 && records <= 6);
}

// A service's refusals: the record says who said so, whatever it was told to say; many become few; nothing is lost.
void test_service_refusals() {
    const Handle log = handle(StartupRole::log);
    const std::uint64_t before = log_size();
    ServiceRefusal said{.agent = 77, .what = "question.answer"};
    constexpr std::uint64_t kMany = 2000;
    for (std::uint64_t i = 0; i < kMany; ++i)
        GET(sys::log_refusal(log, &said));
    said = {.agent = 78, .what = "a\tb\xff, and a name of its length"}; // fills the array: no NUL ends it
    static_assert(sizeof("a\tb\xff, and a name of its length") <= kMaxNameBytes);
    GET(sys::log_refusal(log, &said));
    said.agent = 0;
    CHECK_ERROR(sys::log_refusal(log, &said), bad_argument);
    said = {.agent = 77, .what = {}};
    CHECK_ERROR(sys::log_refusal(log, &said), bad_argument);
    for (const std::uint64_t address : kBadAddresses)
        CHECK_ERROR(sys::log_refusal(log, bad_pointer<const ServiceRefusal>(address)), bad_address);
    const OwnedHandle reader(GET(sys::handle_derive(log, rights::read.bits())));
    CHECK_ERROR(sys::log_refusal(reader.get(), &said), missing_right);
    sleep_until(now() + 2 * kSecond); // the count is written at the latest two seconds after
    std::uint64_t records = 0, counted = 0;
    bool right = true, other = false;
    CHECK(for_each_record(before, [&](const LogRecord& record) {
        if (!record.is(AuditKind::service_refusal)) return;
        right = right && record.agent == own_id() && record.call == 4177 && record.has_details(0, 0, 0);
        if (record.subject == 78) {
            other = std::string_view(record.name).starts_with("a?b?, and a name");
            return;
        }
        ++records;
        counted += record.count;
        right = right && record.subject == 77 && std::string_view(record.name) == "question.answer";
    }));
    console_print("service refusals: {} in {} records\n", counted, records);
    CHECK(right && other);
    CHECK(counted == kMany);
    CHECK(records >= 2 && records <= 12); // one a second, and the machine may be slow
}

// Four threads of an agent that derive for ever are in nobody's way: another's recorded calls, a look at the log and
// the kill of the flooder take a moment.
void test_flood_delays_nobody() {
    const auto flooder = GET(start(std::string_view("derive\0", 7), 1));
    const Handle timer = GET(sys::timer_create(self));
    std::uint64_t worst = 0;
    for (unsigned i = 0; i < 50; ++i) {
        sleep_until(now() + 5'000'000);
        const std::uint64_t from = now();
        GET(sys::handle_close(GET(sys::handle_derive(timer, rights::write.bits()))));
        (void)log_size();
        worst = now() - from > worst ? now() - from : worst;
    }
    // A loaded machine takes its time; held slots made it seven seconds.
    const std::uint64_t most = counts_instructions() ? kSecond / 20 : 5 * kSecond;
    CHECK(worst < most);
    const std::uint64_t from = now();
    GET(sys::agent_kill(flooder.get(), 0));
    CHECK(now() - from < most);
    CHECK(ended_with(wait_dead(flooder.get()), EndReason::killed, 0));
}

// The flooder pays for the recording: beside a busy agent of weight 100 one of weight 1 gets its hundredth, hashing
// included. Exact where there is one CPU; elsewhere the flooder has a CPU of its own.
void test_flooder_pays() {
    const auto flooder = GET(start(std::string_view("derive\0", 7), 1));
    const auto honest = GET(start(std::string_view("spin\0", 5), 100));
    sleep_until(now() + kSecond);
    const std::uint64_t from = now(), records = log_size();
    const std::uint64_t honest_before = info_of(honest.get()).cpu_ns, flooder_before = info_of(flooder.get()).cpu_ns;
    sleep_until(now() + 2 * kSecond);
    const std::uint64_t passed = now() - from;
    const std::uint64_t honest_got = info_of(honest.get()).cpu_ns - honest_before;
    const std::uint64_t flooder_got = info_of(flooder.get()).cpu_ns - flooder_before;
    console_print("flood: {} records, honest {} us, flooder {} us of {} us\n", log_size() - records, honest_got / 1000,
                  flooder_got / 1000, passed / 1000);
    CHECK(honest_got * 100 >= passed * 94);
    CHECK(flooder_got * 100 <= passed * 4);
    (void)sys::agent_kill(flooder.get(), 0);
    (void)sys::agent_kill(honest.get(), 0);
    (void)wait_dead(flooder.get());
    (void)wait_dead(honest.get());
}

// log_info of a log that has not changed computes nothing.
void test_log_info_is_cheap() {
    LogInfo info{};
    const Handle log = handle(StartupRole::log);
    GET(sys::log_info(log, &info));
    LogInfo same{};
    bool equal = true;
    for (unsigned i = 0; i < 100; ++i) {
        GET(sys::log_info(log, &same));
        if (same.records != info.records) continue; // others record too
        for (unsigned b = 0; b < 32; ++b)
            equal = equal && same.root[b] == info.root[b];
    }
    CHECK(equal);
}

std::uint64_t processors() { return GET(read_record(0)).detail[2]; }

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "audit");
    if (block.argument_count != 0) {
        // SAFETY: the kernel's argument strings, each ended by NUL.
        const std::string_view mode(reinterpret_cast<const char*>(block.arguments));
        if (mode == "exit") return 7;
        if (mode == "refuse") return static_cast<int>(refuse(3));
        if (mode == "spin") spin_for_ever();
        if (mode == "fault") *reinterpret_cast<volatile int*>(0x1230) = 1; // SAFETY: meant to fault
        if (mode == "serve") derive_when_asked();
        if (mode == "derive") {
            for (auto& stack : stacks)
                (void)sys::thread_create(self, address_of(&derive_for_ever), address_of(stack + sizeof(stack) - 8), 0);
            derive_for_ever(0);
        }
        return 1;
    }
    const std::uint64_t cpus = processors(); // while the first record is still in memory
    run("boot", test_boot);
    run("call", test_call);
    run("traces", test_traces);
    run("life", test_life);
    run("fault", test_fault);
    run("order_and_bounds", test_order_and_bounds);
    run("refusals_coalesce", test_refusals_coalesce);
    run("one_record_a_second", test_one_record_a_second);
    run("service_refusals", test_service_refusals);
    run("flood_delays_nobody", test_flood_delays_nobody);
    if (cpus == 1) {
        run("flooder_pays", test_flooder_pays);
    } else {
        skip("flooder_pays", "a share is exact on one CPU alone");
    }
    run("log_info_is_cheap", test_log_info_is_cheap);
    return finish();
}
