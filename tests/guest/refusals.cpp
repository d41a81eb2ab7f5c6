// Every call against every way of refusing it, made from abi/calls.def: a handle that has all rights of its object but
// the one that the call needs, one of another type, a revoked one and one that was never given; each refused with its
// error, and each recorded once, as exactly that call, type, right and error. A handle with that right alone passes.
//
// Each row is tried by an agent of its own (this program with the row's place as argument), because an agent's refusals
// make few records a second; the parent reads them back from the log.
#include "abi/first_argument.hpp"
#include "tests/guest/audit_log.hpp"
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

enum class Audit : std::uint8_t { never, refusal, always };
struct Row {
    std::uint64_t number;
    const char* name;
    bool takes_handle;
    ObjectType type; // any: of all types
    Rights right;
    Audit audit;
};

constexpr Row kRows[] = {
#define CALL(number, call_name, document_name, object, rights_name, audit_class, restart_class, charge, arguments)     \
    {number,                                                                                                           \
     #call_name,                                                                                                       \
     FirstArgument::object != FirstArgument::none,                                                                     \
     type_of(FirstArgument::object),                                                                                   \
     rights::rights_name,                                                                                              \
     Audit::audit_class},
#include "abi/calls.def"
#undef CALL
};

constexpr auto kTarget = static_cast<StartupRole>(200); // an agent that the parent started for this row
constexpr Rights kOwn = rights::map | rights::spawn | rights::thread | rights::time | rights::inspect | rights::charge;

bool is(const Row& row, std::string_view name) { return row.name == name; }

// A handle on an object of the row's type, with all rights that there are on it.
Handle source_of(const Row& row) {
    switch (row.type) {
    case ObjectType::any:
    case ObjectType::timer:
        return GET(sys::timer_create(self));
    case ObjectType::agent:
        return kOwn.contains(row.right) ? self : handle(kTarget);
    case ObjectType::memory:
        return GET(sys::agent_pool_alloc(self, 4096));
    case ObjectType::channel:
        return GET(sys::channel_create(self, 4, 1024));
    case ObjectType::queue:
        return GET(sys::queue_create(self));
    case ObjectType::operation: {
        PqcRequest request{};
        request.algorithm = static_cast<std::uint32_t>(PqcAlgorithm::sha2_256);
        request.input = address_of(&request);
        return GET(sys::pqc_operation(self, &request));
    }
    case ObjectType::log:
        return handle(StartupRole::log);
    case ObjectType::tree:
        return handle(StartupRole::bundle);
    case ObjectType::device:
        return handle(is(row, "console_write")                          ? StartupRole::console
                      : is(row, "host_send") || is(row, "host_receive") ? StartupRole::host_port
                      : is(row, "node_power")                           ? StartupRole::power
                                                                        : StartupRole::frames);
    case ObjectType::budget:
        return GET(sys::agent_budget(self));
    case ObjectType::hold: {
        ResourceAmounts one;
        one.tokens = 1;
        return GET(sys::budget_hold(GET(sys::agent_budget(self)), &one));
    }
    case ObjectType::stream: {
        StreamHandles ends{};
        GET(sys::stream_create(self, &ends));
        return is(row, "stream_read") ? ends.reader : ends.writer;
    }
    case ObjectType::process:
    case ObjectType::thread:
        break;
    }
    failed("no source for a type: a new row needs one", __LINE__);
    return kNoHandle;
}

// All other arguments are of no use, so that a call which passes the check does nothing.
// (handle_derive looks at the rights that it is asked for before it looks at the handle.)
std::int64_t call(const Row& row, Handle first) {
    return sys::detail::call(row.number, first, is(row, "handle_derive") ? 0 : ~0, ~0, ~0, ~0, ~0);
}
bool refuses(const Row& row, Handle first, Error error) {
    return call(row, first) == -static_cast<std::int64_t>(error);
}

// In the child. Its exit status is the line of the first failed check.
int try_row(const Row& row) {
    const Handle full = source_of(row);
    HandleInfo info{};
    GET(sys::handle_info(full, &info));
    const Rights all(info.rights);
    if (!all.contains(row.right | rights::derive)) return __LINE__;
    const Handle lacking = GET(sys::handle_derive(full, all.bits() & ~row.right.bits()));
    const Handle only = GET(sys::handle_derive(full, row.right.bits()));
    const Handle above = GET(sys::handle_derive(full, all.bits()));
    const Handle dead = GET(sys::handle_derive(above, all.bits()));
    GET(sys::handle_revoke(above));
    const Handle other = row.type == ObjectType::channel ? self : GET(sys::channel_create(self, 1, 64));
    if (reason_bytes != 0) return __LINE__;

    if (row.right != rights::none && !refuses(row, lacking, Error::missing_right)) return __LINE__;
    if (row.type != ObjectType::any && !refuses(row, other, Error::wrong_type)) return __LINE__;
    // A dead handle can still be closed; all else is refused.
    if (!is(row, "handle_close") && !refuses(row, dead, Error::revoked)) return __LINE__;
    if (!refuses(row, Handle{0x7fff'0000'1234}, Error::bad_handle)) return __LINE__;
    const std::int64_t passed = call(row, only);
    for (const Error error : {Error::missing_right, Error::wrong_type, Error::revoked})
        if (passed == -static_cast<std::int64_t>(error)) return __LINE__;
    return 0;
}

// Further handles among the arguments, which the table does not name: what an object to watch, a queue for a
// supervisor, a program's tree and a handle in a message must allow.
struct Second {
    std::uint64_t call;
    ObjectType type;
    Rights needed;
};
constexpr Second kSeconds[] = {{4141, ObjectType::any, rights::wait},
                               {4111, ObjectType::queue, rights::write},
                               {4110, ObjectType::tree, rights::read | rights::execute},
                               {4131, ObjectType::any, rights::transfer}};

int try_seconds() {
    const Handle queue = GET(sys::queue_create(self));
    const Handle timer = GET(sys::timer_create(self));
    const auto without = [](Handle source, Rights right) {
        HandleInfo info{};
        GET(sys::handle_info(source, &info));
        return GET(sys::handle_derive(source, info.rights & ~right.bits()));
    };
    const auto missing = [](const auto& result) { return !result && result.error() == Error::missing_right; };
    if (!missing(sys::event_register(queue, without(timer, rights::wait), kSignalFired, 1))) return __LINE__;
    if (!missing(sys::agent_supervisor_register(handle(kTarget), without(queue, rights::write), 1))) return __LINE__;
    SpawnRequest request = make_request("bin/child", {});
    request.tree = without(handle(StartupRole::bundle), rights::execute);
    if (!missing(sys::agent_spawn(self, &request))) return __LINE__;
    const Handle channel = GET(sys::channel_create(self, 4, 1024));
    const HandleGrant grant{without(timer, rights::transfer), 0, 0};
    Message message{};
    message.handles = address_of(&grant);
    message.handle_count = 1;
    if (!missing(sys::ipc_send(channel, &message))) return __LINE__;
    return reason_bytes == 0 ? 0 : __LINE__;
}

// Rights that depend on the other arguments, and those of what a new agent is given.
constexpr Second kArguments[] = {{4123, ObjectType::memory, rights::map | rights::read | rights::write},
                                 {4110, ObjectType::any, rights::transfer},
                                 {4125, ObjectType::device, rights::write}};

int try_arguments() {
    const auto missing = [](const auto& result) { return !result && result.error() == Error::missing_right; };
    const Handle memory = GET(sys::agent_pool_alloc(self, 4096));
    const Handle reader = GET(sys::handle_derive(memory, (rights::map | rights::read).bits()));
    const MapRequest writing{0, 4096, 0, kProtectRead | kProtectWrite};
    if (!missing(sys::memory_map(reader, &writing))) return __LINE__;
    const HandleGrant grants[] = {{reader, 0, 200}};
    SpawnOptions options;
    options.handles = grants;
    options.handle_count = 1;
    SpawnRequest request = make_request("bin/child", options);
    if (!missing(sys::agent_spawn(self, &request))) return __LINE__;
    const Handle device = handle(StartupRole::registers); // to be read only
    if (device != kNoHandle && !missing(sys::page_map(device, &writing))) return __LINE__;
    return reason_bytes == 0 ? 0 : __LINE__;
}

// --- the parent ------------------------------------------------------------------------------------------------------

struct Child {
    AgentInfo end{};
    std::uint64_t records = 0; // of the log before it
};

Child run_child(std::string_view argument) {
    Child child;
    child.records = log_size();
    SpawnOptions idle;
    idle.arguments = std::string_view("wait\0", 5);
    const auto target = spawn("bin/test_refusals", idle);
    if (!target) {
        failed("the target cannot be started", __LINE__);
        return child;
    }
    HandleGrant grants[kMaxStartupHandles];
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < startup->count; ++i) {
        const StartupEntry& entry = startup->entries[i];
        if (entry.role != static_cast<std::uint32_t>(StartupRole::self))
            grants[count++] = {entry.handle, entry.rights, entry.role};
    }
    HandleInfo info{};
    GET(sys::handle_info(target->get(), &info));
    grants[count++] = grant(target->get(), Rights(info.rights), kTarget);
    SpawnOptions options;
    options.arguments = argument;
    options.quota.tokens = 1; // for a hold
    options.handles = grants;
    options.handle_count = count;
    const auto started = spawn("bin/test_refusals", options);
    if (!started) {
        failed("the child cannot be started", __LINE__, error_info(started.error()).name);
        return child;
    }
    child.end = wait_dead(started->get());
    (void)sys::agent_kill(target->get(), 0);
    (void)wait_dead(target->get());
    return child;
}

// The child's refusals are these, in any order (what is refused at one door does not wait for another), and after them
// at most ones of the passed call's further arguments.
void expect_records(const Child& child, std::uint64_t call, const LogRecord* wanted, unsigned count) {
    unsigned seen = 0;
    std::uint64_t found = 0; // a bit for each of `wanted`
    bool good = true;
    CHECK(for_each_record(child.records, [&](const LogRecord& record) {
        if (record.agent != child.end.id || !record.is(AuditKind::refusal)) return;
        bool fits = record.call == call || record.call == 0;
        if (seen < count) {
            fits = false;
            for (unsigned i = 0; i < count && !fits; ++i) {
                const LogRecord& one = wanted[i];
                fits = (found >> i & 1) == 0 && record.call == one.call && record.count == 1 &&
                       record.has_details(one.detail[0], one.detail[1], one.detail[2]);
                if (fits) found |= std::uint64_t{1} << i;
            }
        }
        if (!fits) {
            console_print("refusal {} of call {}: call {} count {} details {} {} {}\n", seen, call, record.call,
                          record.count, record.detail[0], record.detail[1], record.detail[2]);
        }
        good = good && fits;
        ++seen;
    }));
    CHECK(good);
    CHECK(seen >= count);
}

void check_row(std::size_t index) {
    const Row& row = kRows[index];
    char argument[] = {'r', 'o', 'w', '\0', static_cast<char>('0' + index / 10), static_cast<char>('0' + index % 10),
                       0};
    const Child child = run_child({argument, sizeof(argument)});
    if (!ended_with(child.end, EndReason::exited, 0)) {
        console_print("the child of {} failed at line {}\n", row.name, child.end.end_status);
        return failed("the child failed", __LINE__);
    }
    LogRecord wanted[4];
    unsigned count = 0;
    const auto want = [&](Error error) {
        wanted[count].call = row.number;
        wanted[count].detail[0] = static_cast<std::uint64_t>(row.type);
        wanted[count].detail[1] = row.right.bits();
        wanted[count++].detail[2] = static_cast<std::uint64_t>(error);
    };
    if (row.audit != Audit::never) {
        if (row.right != rights::none) want(Error::missing_right);
        if (row.type != ObjectType::any) want(Error::wrong_type);
        want(Error::revoked);
        want(Error::bad_handle);
    }
    expect_records(child, row.number, wanted, count);
}

void check_listed(std::string_view mode, const Second* list, unsigned count) {
    const Child child = run_child(mode);
    CHECK(ended_with(child.end, EndReason::exited, 0));
    LogRecord wanted[std::size(kSeconds)];
    for (unsigned i = 0; i < count; ++i) {
        wanted[i].call = list[i].call;
        wanted[i].detail[0] = static_cast<std::uint64_t>(list[i].type);
        wanted[i].detail[1] = list[i].needed.bits();
        wanted[i].detail[2] = static_cast<std::uint64_t>(Error::missing_right);
    }
    expect_records(child, 0, wanted, count);
}

void check_seconds() { check_listed(std::string_view("seconds\0", 8), kSeconds, std::size(kSeconds)); }

void check_arguments() {
    const bool has_registers = handle(StartupRole::registers) != kNoHandle;
    check_listed(std::string_view("arguments\0", 10), kArguments, std::size(kArguments) - (has_registers ? 0 : 1));
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "refusals");
    if (block.argument_count != 0) {
        // SAFETY: the kernel's argument strings, each ended by NUL.
        const std::string_view mode(reinterpret_cast<const char*>(block.arguments));
        if (mode == "seconds") return try_seconds();
        if (mode == "arguments") return try_arguments();
        if (mode == "row") {
            const char* digits = mode.data() + mode.size() + 1;
            return try_row(kRows[static_cast<unsigned>(digits[0] - '0') * 10 + static_cast<unsigned>(digits[1] - '0')]);
        }
        const OwnedHandle queue(GET(sys::queue_create(self)));
        EventPacket packet{};
        (void)sys::event_wait(queue.get(), &packet, 1, kNoDeadline); // until we are killed
        return 0;
    }
    unsigned rows = 0;
    for (std::size_t i = 0; i < std::size(kRows); ++i) {
        if (!kRows[i].takes_handle) continue;
        ++rows;
        run(kRows[i].name, [&] { check_row(i); });
    }
    run("further_handles", check_seconds);
    run("rights_by_argument", check_arguments);
    run("all_rows", [&] { CHECK(rows >= 35); });
    return finish();
}
