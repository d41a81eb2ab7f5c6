// Budgets and holds as programs see them: by an honest service, by one that dies or is revoked, and by hostile ones. With an
// argument the program is such a service: it finds the budget that it was lent in role kLent.
#include <atomic>

#include "runtime/kernel/budget.hpp"
#include "tests/guest/audit_log.hpp"
#include "tests/guest/spawn.hpp"

using namespace aios;
using namespace guest;

namespace {

constexpr std::string_view kOwn = "bin/test_budgets";
constexpr auto kLent = static_cast<StartupRole>(100);
std::uint64_t log_at_start = 0; // records
constexpr Rights kCharge = rights::charge, kLend = rights::charge | rights::derive | rights::transfer;

ResourceAmounts tokens(std::uint64_t amount) {
    ResourceAmounts amounts;
    amounts.tokens = amount;
    return amounts;
}
BudgetLine line_of(Handle budget, Resource resource = Resource::tokens) {
    BudgetInfo info{};
    GET(sys::budget_info(budget, &info));
    return info.lines[static_cast<unsigned>(resource)];
}
// limit, held, spent, uncertain, overrun of tokens
bool is(const BudgetLine& line, std::uint64_t limit, std::uint64_t held, std::uint64_t spent, std::uint64_t uncertain,
        std::uint64_t overrun = 0) {
    if (line.limit == limit && line.held == held && line.spent == spent && line.uncertain == uncertain &&
        line.overrun == overrun)
        return true;
    console_print("limit {} held {} spent {} uncertain {} overrun {}\n", line.limit, line.held, line.spent,
                  line.uncertain, line.overrun);
    return false;
}

// The tests share one quota, which never gets back what they spend: each looks at what changed.
struct Ledger {
    OwnedHandle budget{GET(sys::agent_budget(self))};
    BudgetLine before = line_of(budget.get());
    [[nodiscard]] bool changed(std::uint64_t held, std::uint64_t spent, std::uint64_t uncertain) const {
        return is(line_of(budget.get()), before.limit, before.held + held, before.spent + spent,
                  before.uncertain + uncertain);
    }
};

// A program of ours that is lent `budget`, and says `ready` through a channel when it has done what it is for.
struct Service {
    OwnedHandle channel, agent;
    explicit Service(Handle budget, std::string_view arguments, Rights rights = kCharge) {
        channel = OwnedHandle(GET(sys::channel_create(self, 4, 256)));
        const HandleGrant grants[] = {console_grant(), grant(budget, rights, kLent),
                                      grant(channel.get(), rights::send, StartupRole::parent)};
        SpawnOptions options;
        options.arguments = arguments;
        options.handles = grants;
        options.handle_count = std::size(grants);
        agent = OwnedHandle(GET(spawn(kOwn, options)));
    }
    void wait_ready() const {
        CHECK(wait_for(channel.get(), kSignalReadable));
        Message message{};
        GET(sys::ipc_recv(channel.get(), &message));
    }
    [[nodiscard]] AgentInfo kill() const {
        GET(sys::agent_kill(agent.get(), 0));
        return wait_dead(agent.get());
    }
};

// --- the services ------------------------------------------------------------------------------------------------------

[[noreturn]] void say_ready_and_wait() {
    Message message{};
    (void)sys::ipc_send(handle(StartupRole::parent), &message);
    const OwnedHandle queue(*sys::queue_create(self));
    for (;;) {
        EventPacket packet{};
        (void)sys::event_wait(queue.get(), &packet, 1, kNoDeadline);
    }
}

int serve(std::string_view mode) {
    const Handle budget = handle(kLent);
    if (mode == "hold") {
        const auto hold = BudgetHold::place(budget, tokens(70));
        if (!hold) return static_cast<int>(hold.error());
        say_ready_and_wait();
    }
    if (mode == "exit") { // with an open hold
        const ResourceAmounts some = tokens(30);
        const auto hold = sys::budget_hold(budget, &some);
        return hold ? 0 : 1;
    }
    if (mode == "fault") {
        const auto hold = BudgetHold::place(budget, tokens(20));
        if (hold) *bad_pointer<volatile int>(0x1230) = 1;
        return 1;
    }
    if (mode == "honest") {
        auto hold = BudgetHold::place(budget, tokens(50));
        if (!hold) return 1;
        if (!hold->settle(tokens(20), tokens(5))) return 2;
        BudgetInfo info{};
        if (sys::budget_info(budget, &info)) return 3; // it has no right to look
        if (sys::handle_derive(budget, kCharge.bits())) return 4;
        return 0;
    }
    if (mode == "flood") { // as many holds as there are handles and tokens; all are dropped with us
        const ResourceAmounts one = tokens(1);
        while (sys::budget_hold(budget, &one)) {
        }
        Message message{};
        (void)sys::ipc_send(handle(StartupRole::parent), &message);
        for (;;)
            (void)sys::thread_yield();
    }
    if (mode == "payer") { // makes a budget of its own, gives it to the parent, and holds something itself
        const Handle own = *sys::agent_budget(self);
        const HandleGrant given{own, (kLend | rights::inspect).bits(), 1};
        Message message{};
        message.handles = address_of(&given);
        message.handle_count = 1;
        (void)sys::ipc_send(handle(StartupRole::parent), &message);
        const ResourceAmounts some = tokens(11);
        const auto hold = sys::budget_hold(own, &some);
        if (!hold) return 1;
        const OwnedHandle queue(*sys::queue_create(self));
        EventPacket packet{};
        (void)sys::event_wait(queue.get(), &packet, 1, kNoDeadline);
    }
    return 77;
}

// --- what is promised --------------------------------------------------------------------------------------------------

void test_hold_and_settle() {
    const Ledger ledger;
    auto hold = GET(BudgetHold::place(ledger.budget.get(), tokens(100)));
    CHECK(ledger.changed(100, 0, 0));
    CHECK(hold.settle(tokens(40), tokens(10)).has_value());
    CHECK(ledger.changed(0, 40, 10));
    const AgentInfo info = info_of(self);
    CHECK(info.quota.tokens == ledger.before.limit);
    CHECK(info.used.tokens == ledger.before.spent + ledger.before.uncertain + 50);
    CHECK(info.used.memory_bytes == info.memory_bytes);
}

void test_what_is_refused() {
    const Ledger ledger;
    const Handle budget = ledger.budget.get();
    const ResourceAmounts nothing{}, ten = tokens(10), eleven = tokens(11);
    ResourceAmounts odd = tokens(1);
    CHECK_ERROR(sys::budget_hold(budget, &nothing), bad_argument);
    odd.memory_bytes = 1; // what comes back is not held in budgets
    CHECK_ERROR(sys::budget_hold(budget, &odd), bad_argument);
    CHECK_ERROR(sys::budget_charge(budget, &odd), bad_argument);
    odd = tokens(~0ull);
    CHECK_ERROR(sys::budget_hold(budget, &odd), quota_exceeded);
    odd = tokens(1);
    odd.money = ledger.before.limit + 1'000'000'000; // all or nothing
    CHECK_ERROR(sys::budget_hold(budget, &odd), quota_exceeded);
    for (const std::uint64_t address : kBadAddresses) {
        CHECK_ERROR(sys::budget_hold(budget, bad_pointer<ResourceAmounts>(address)), bad_address);
        CHECK_ERROR(sys::budget_charge(budget, bad_pointer<ResourceAmounts>(address)), bad_address);
        CHECK_ERROR(sys::budget_info(budget, bad_pointer<BudgetInfo>(address)), bad_address);
    }
    CHECK(ledger.changed(0, 0, 0));

    const OwnedHandle hold(GET(sys::budget_hold(budget, &ten)));
    const ResourceAmounts one = tokens(1);
    CHECK_ERROR(sys::hold_settle(hold.get(), &eleven, nullptr), bad_argument);
    CHECK_ERROR(sys::hold_settle(hold.get(), &ten, &one), bad_argument);
    odd = tokens(~0ull);
    CHECK_ERROR(sys::hold_settle(hold.get(), &one, &odd), bad_argument);
    odd = {};
    odd.money = 1; // of which it holds nothing
    CHECK_ERROR(sys::hold_settle(hold.get(), &odd, nullptr), bad_argument);
    CHECK_ERROR(sys::hold_settle(hold.get(), bad_pointer<ResourceAmounts>(0), nullptr), bad_address);
    CHECK(ledger.changed(10, 0, 0)); // it is still open
    GET(sys::hold_settle(hold.get(), &ten, nullptr));
    CHECK_ERROR(sys::hold_settle(hold.get(), &nothing, nullptr), bad_state);
    CHECK_ERROR(sys::hold_settle(hold.get(), &ten, nullptr), bad_state);
    CHECK(ledger.changed(0, 10, 0));
}

void test_versions() {
    const Ledger ledger;
    ResourceAmounts amounts = tokens(5);
    amounts.money = 7;
    amounts.count = 5; // a program from before there was money
    const OwnedHandle hold(GET(sys::budget_hold(ledger.budget.get(), &amounts)));
    CHECK(line_of(ledger.budget.get(), Resource::money).held == 0);
    amounts.count = kMaxResources;
    amounts.unknown[0] = 1;
    CHECK_ERROR(sys::hold_settle(hold.get(), &amounts, nullptr), unsupported);
    CHECK_ERROR(sys::budget_hold(ledger.budget.get(), &amounts), unsupported);
    amounts.count = kMaxResources + 1;
    CHECK_ERROR(sys::budget_hold(ledger.budget.get(), &amounts), too_large);
    amounts = tokens(5);
    amounts.version = 2;
    CHECK_ERROR(sys::budget_hold(ledger.budget.get(), &amounts), unsupported);
    amounts = tokens(5);
    amounts.count = kMaxResources; // a newer one that wants nothing new
    GET(sys::hold_settle(hold.get(), &amounts, nullptr));
    SpawnRequest request = make_request("bin/child", {});
    request.quota.unknown[2] = 1;
    request.quota.count = kMaxResources;
    CHECK_ERROR(sys::agent_spawn(self, &request), unsupported);
    request.quota.version = 0;
    CHECK_ERROR(sys::agent_spawn(self, &request), unsupported);
}

void test_closed_is_uncertain() {
    const Ledger ledger;
    const ResourceAmounts some = tokens(10);
    const std::uint64_t before = log_size();
    GET(sys::handle_close(GET(sys::budget_hold(ledger.budget.get(), &some))));
    CHECK(ledger.changed(0, 0, 10));
    // Another handle on it keeps it open; the last one does not.
    const Handle first = GET(sys::budget_hold(ledger.budget.get(), &some));
    const Handle second = GET(sys::handle_derive(first, kCharge.bits()));
    GET(sys::handle_close(first));
    CHECK(ledger.changed(10, 0, 10));
    GET(sys::handle_close(second));
    CHECK(ledger.changed(0, 0, 20));
    // Both stand in the log, in one record or in two, and name the payer.
    std::uint64_t holds = 0, amount = 0;
    const AgentInfo me = info_of(self);
    for (const std::uint64_t until = now() + 10 * kSecond; holds < 2 && now() < until; (void)sys::thread_yield()) {
        holds = amount = 0;
        CHECK(for_each_record(before, [&](const LogRecord& record) {
            if (!record.is(AuditKind::hold_uncertain) || record.agent != me.id) return;
            CHECK(record.subject == me.id && std::string_view(record.name) == "test_budgets" && record.detail[1] == 0);
            holds += record.count;
            amount += record.detail[0];
        }));
    }
    CHECK(holds == 2 && amount == 20);
}

void test_budgets_are_recorded() {
    const std::uint64_t before = log_size();
    const OwnedHandle budget(GET(sys::agent_budget(self)));
    HandleInfo info{};
    GET(sys::handle_info(budget.get(), &info));
    const OwnedHandle derived(GET(sys::handle_derive(budget.get(), kCharge.bits())));
    unsigned made = 0, derives = 0;
    const std::uint64_t me = info_of(self).id;
    CHECK(for_each_record(before, [&](const LogRecord& record) {
        if (!record.is(AuditKind::call) || record.agent != me) return;
        made += record.call == 4190 && record.subject == me && record.detail[0] == info.object;
        derives += record.call == 4101 && record.detail[0] == kCharge.bits();
    }));
    CHECK(made == 1 && derives == 1);
    // Nobody makes a budget of another's quota.
    const Service service(budget.get(), std::string_view("hold\0", 5));
    service.wait_ready();
    CHECK_ERROR(sys::agent_budget(service.agent.get()), missing_right);
    (void)service.kill();
}

// --- those that end ----------------------------------------------------------------------------------------------------

void test_honest_service() {
    const Ledger ledger;
    const Service service(ledger.budget.get(), std::string_view("honest\0", 7));
    const AgentInfo end = wait_dead(service.agent.get());
    CHECK(ended_with(end, EndReason::exited, 0));
    CHECK(ledger.changed(0, 20, 5));
    CHECK(end.used.tokens == 0); // it paid for the object, not with tokens of its own
}

void test_kill_is_uncertain() {
    const Ledger ledger;
    const Service service(ledger.budget.get(), std::string_view("hold\0", 5));
    service.wait_ready();
    CHECK(ledger.changed(70, 0, 0));
    CHECK(service.kill().end_reason == static_cast<std::uint32_t>(EndReason::killed));
    CHECK(ledger.changed(0, 0, 70));
}

void test_crash_is_uncertain() {
    const Ledger ledger;
    const Service exits(ledger.budget.get(), std::string_view("exit\0", 5));
    CHECK(ended_with(wait_dead(exits.agent.get()), EndReason::exited, 0));
    CHECK(ledger.changed(0, 0, 30));
    const Service faults(ledger.budget.get(), std::string_view("fault\0", 6));
    CHECK(wait_dead(faults.agent.get()).end_reason == static_cast<std::uint32_t>(EndReason::fault));
    CHECK(ledger.changed(0, 0, 50));
}

void test_revoked_is_uncertain() {
    const Ledger ledger;
    const Service service(ledger.budget.get(), std::string_view("hold\0", 5));
    service.wait_ready();
    GET(sys::handle_revoke(ledger.budget.get()));
    CHECK(ledger.changed(0, 0, 70)); // at once, whatever the service does
    // Our own hold, through a budget that is revoked from above.
    const ResourceAmounts some = tokens(9);
    const OwnedHandle between(GET(sys::handle_derive(ledger.budget.get(), kLend.bits())));
    const OwnedHandle hold(GET(sys::budget_hold(between.get(), &some)));
    CHECK(ledger.changed(9, 0, 70));
    GET(sys::handle_revoke(ledger.budget.get()));
    CHECK(ledger.changed(0, 0, 79));
    CHECK_ERROR(sys::hold_settle(hold.get(), &some, nullptr), revoked);
    CHECK_ERROR(sys::budget_hold(between.get(), &some), revoked);
    // A hold that was handed on, and is taken back.
    const OwnedHandle owner(GET(sys::budget_hold(ledger.budget.get(), &some)));
    const OwnedHandle user(GET(sys::handle_derive(owner.get(), kCharge.bits())));
    GET(sys::handle_revoke(owner.get()));
    CHECK_ERROR(sys::hold_settle(user.get(), &some, nullptr), revoked);
    GET(sys::hold_settle(owner.get(), &some, nullptr)); // the owner still has it
    CHECK(ledger.changed(0, 9, 79));
    (void)service.kill();
}

void test_flood_is_bounded() {
    const Ledger ledger;
    const std::uint64_t before = log_size(), started_at = now();
    const Service service(ledger.budget.get(), std::string_view("flood\0", 6));
    service.wait_ready();
    const BudgetLine during = line_of(ledger.budget.get());
    CHECK(during.held > ledger.before.held + 20); // its handles are used up before our tokens are
    const std::uint64_t holds = during.held - ledger.before.held;
    (void)service.kill();
    CHECK(ledger.changed(0, 0, holds));
    // Whatever this program ever lost in doubt stands in the log, in few records.
    const std::uint64_t uncertain = line_of(ledger.budget.get()).uncertain, me = info_of(self).id;
    std::uint64_t records = 0, sum = 0;
    for (const std::uint64_t until = now() + 10 * kSecond; sum != uncertain && now() < until;
         (void)sys::thread_yield()) {
        records = sum = 0;
        CHECK(for_each_record(log_at_start, [&](const LogRecord& record) {
            if (!record.is(AuditKind::hold_uncertain) || record.agent != me) return;
            records += record.index >= before;
            sum += record.detail[0];
        }));
    }
    CHECK(sum == uncertain);
    CHECK(records <= 2 + (now() - started_at) / kSecond);
}

// A child that sends a budget on its own quota, takes a hold on it, and stays.
struct Payer {
    explicit Payer(std::uint64_t amount) {
        const OwnedHandle channel(GET(sys::channel_create(self, 4, 256)));
        const HandleGrant grants[] = {console_grant(), grant(channel.get(), rights::send, StartupRole::parent)};
        SpawnOptions options;
        options.arguments = std::string_view("payer\0", 6);
        options.handles = grants;
        options.handle_count = std::size(grants);
        options.quota.tokens = amount;
        agent = OwnedHandle(GET(spawn(kOwn, options)));
        CHECK(wait_for(channel.get(), kSignalReadable));
        HandleGrant received{};
        Message message{};
        message.handles = address_of(&received);
        message.handle_count = 1;
        GET(sys::ipc_recv(channel.get(), &message));
        budget = OwnedHandle(received.handle);
    }
    // Until it has its own hold: at most ten seconds.
    void await_hold(std::uint64_t held) const {
        for (const std::uint64_t until = now() + 10 * kSecond; line_of(budget.get()).held != held && now() < until;)
            (void)sys::thread_yield();
    }
    OwnedHandle agent, budget;
};

// A budget whose agent is dead answers an error, and the dead agent's quota is home although we keep handles.
void test_payer_dies() {
    const AgentInfo at_start = info_of(self);
    const Payer child(1000);
    const OwnedHandle &payer = child.agent, &budget = child.budget;
    CHECK(info_of(self).quota.tokens + 1000 == at_start.quota.tokens);
    BudgetInfo info{};
    GET(sys::budget_info(budget.get(), &info));
    CHECK(info.payer == info_of(payer.get()).id);
    const ResourceAmounts hundred = tokens(100), thirty = tokens(30);
    const OwnedHandle settled(GET(sys::budget_hold(budget.get(), &hundred)));
    const OwnedHandle open(GET(sys::budget_hold(budget.get(), &hundred)));
    GET(sys::hold_settle(settled.get(), &thirty, nullptr));
    child.await_hold(111);
    GET(sys::agent_kill(payer.get(), 0));
    CHECK(wait_dead(payer.get()).end_reason == static_cast<std::uint32_t>(EndReason::killed));
    CHECK_ERROR(sys::budget_hold(budget.get(), &thirty), revoked);
    CHECK_ERROR(sys::budget_info(budget.get(), &info), revoked);
    CHECK_ERROR(sys::hold_settle(open.get(), &thirty, nullptr), revoked);
    // Home is exactly what was not spent: 30 were, 111 may have been.
    const AgentInfo at_end = info_of(self);
    CHECK(at_end.quota.tokens == at_start.quota.tokens);
    CHECK(at_end.used.tokens == at_start.used.tokens + 30 + 111);
    CHECK(at_end.quota.memory_bytes == at_start.quota.memory_bytes);
    CHECK(at_end.quota.handles == at_start.quota.handles);
}

// --- overruns ----------------------------------------------------------------------------------------------------------

void test_overrun() {
    const std::uint64_t before = log_size();
    const Payer child(100);
    const OwnedHandle &payer = child.agent, &budget = child.budget;
    const AgentInfo at_start = info_of(self);
    child.await_hold(11);
    const ResourceAmounts ninety = tokens(90), one = tokens(1), twenty = tokens(20);
    GET(sys::budget_charge(budget.get(), &ninety)); // 89 are left
    CHECK(is(line_of(budget.get()), 100, 11, 90, 0, 1));
    CHECK_ERROR(sys::budget_hold(budget.get(), &one), quota_exceeded);
    GET(sys::budget_charge(budget.get(), &twenty));
    CHECK(is(line_of(budget.get()), 100, 11, 110, 0, 21));
    // Only its parent raises its limit, out of his own.
    CHECK_ERROR(sys::agent_grant(self, &twenty), missing_right);
    GET(sys::agent_grant(payer.get(), &twenty));
    CHECK_ERROR(sys::budget_hold(budget.get(), &one), quota_exceeded); // 1 beyond it still
    const ResourceAmounts two = tokens(2), too_much = tokens(~0ull);
    CHECK_ERROR(sys::agent_grant(payer.get(), &too_much), quota_exceeded);
    GET(sys::agent_grant(payer.get(), &two));
    CHECK(is(line_of(budget.get()), 122, 11, 110, 0));
    const OwnedHandle hold(GET(sys::budget_hold(budget.get(), &one)));
    GET(sys::hold_settle(hold.get(), &one, nullptr));
    ResourceAmounts thread;
    thread.threads = 1; // a held resource as well
    const std::uint64_t threads = info_of(payer.get()).quota.threads;
    GET(sys::agent_grant(payer.get(), &thread));
    CHECK(info_of(payer.get()).quota.threads == threads + 1);

    const std::uint64_t id = info_of(payer.get()).id;
    GET(sys::agent_kill(payer.get(), 0));
    (void)wait_dead(payer.get());
    CHECK_ERROR(sys::agent_grant(payer.get(), &one), bad_state);
    CHECK(info_of(self).used.tokens == at_start.used.tokens + 111 + 11);
    CHECK(info_of(self).quota.threads == at_start.quota.threads + threads);
    std::uint64_t passed = 0, count = 0, grants_seen = 0;
    for (const std::uint64_t until = now() + 10 * kSecond; count < 2 && now() < until; (void)sys::thread_yield()) {
        passed = count = grants_seen = 0;
        CHECK(for_each_record(before, [&](const LogRecord& record) {
            grants_seen += record.is(AuditKind::call) && record.call == 4195 && record.subject == id;
            if (!record.is(AuditKind::overrun) || record.agent != id) return;
            CHECK(record.subject == id && std::string_view(record.name).starts_with("test_budgets-"));
            count += record.count;
            passed += record.detail[0];
        }));
    }
    CHECK(count == 2 && passed == 21 && grants_seen == 3);
}

// --- threads -----------------------------------------------------------------------------------------------------------

constexpr unsigned kThreads = 8;
constexpr std::uint64_t kLast = 1000; // tokens that they race for
alignas(16) char stacks[kThreads][8192];
std::atomic<std::uint64_t> taken{0}, finished{0}, wrong{0}, started{0};
Handle race_budget = kNoHandle;

[[noreturn]] void race(std::uint64_t place) {
    started.fetch_add(1);
    while (started.load() != kThreads)
        (void)sys::thread_yield();
    for (std::uint64_t i = 0;; ++i) {
        const std::uint64_t amount = 1 + (i + place) % 3;
        const ResourceAmounts amounts = tokens(amount), all_but_one = tokens(amount - 1);
        const auto hold = sys::budget_hold(race_budget, &amounts);
        if (!hold) {
            if (hold.error() != Error::quota_exceeded) wrong.fetch_add(1);
            if (amount == 1) break; // there is not one left
            continue;
        }
        const bool gives_back = i % 2 == 0;
        if (!sys::hold_settle(*hold, gives_back ? &all_but_one : &amounts, nullptr)) wrong.fetch_add(1);
        taken.fetch_add(gives_back ? amount - 1 : amount);
        (void)sys::handle_close(*hold);
    }
    finished.fetch_add(1);
    (void)sys::thread_exit();
    for (;;) {
    }
}

// Eight threads hold and settle until nothing is left: what they took is exactly what there was.
int race_for_the_last() {
    race_budget = GET(sys::agent_budget(self));
    for (std::uint64_t i = 0; i < kThreads; ++i)
        GET(sys::thread_create(self, address_of(&race), address_of(stacks[i] + sizeof(stacks[i])) - 8, i));
    for (const std::uint64_t until = now() + 60 * kSecond; finished.load() != kThreads && now() < until;)
        (void)sys::thread_yield();
    if (finished.load() != kThreads) return 1;
    if (wrong.load() != 0) return 2;
    if (!is(line_of(race_budget), kLast, 0, taken.load(), 0)) return 3;
    return taken.load() == kLast ? 0 : 4;
}

void test_threads_race() {
    const HandleGrant grants[] = {console_grant()};
    SpawnOptions options;
    options.arguments = std::string_view("race\0", 5);
    options.handles = grants;
    options.handle_count = 1;
    options.quota.threads = kThreads + 2;
    options.quota.tokens = kLast;
    const OwnedHandle racer(GET(spawn(kOwn, options)));
    const AgentInfo end = wait_dead(racer.get(), 90);
    if (!ended_with(end, EndReason::exited, 0)) console_print("the racer ended with {}\n", end.end_status);
    CHECK(ended_with(end, EndReason::exited, 0));
    CHECK(end.used.tokens == kLast);
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "budgets");
    if (block.argument_count != 0) {
        // SAFETY: the kernel's argument strings, each ended by NUL.
        const std::string_view mode(reinterpret_cast<const char*>(block.arguments));
        return mode == "race" ? race_for_the_last() : serve(mode);
    }
    log_at_start = log_size();
    run("hold_and_settle", test_hold_and_settle);
    run("what_is_refused", test_what_is_refused);
    run("versions", test_versions);
    run("closed_is_uncertain", test_closed_is_uncertain);
    run("budgets_are_recorded", test_budgets_are_recorded);
    run("honest_service", test_honest_service);
    run("kill_is_uncertain", test_kill_is_uncertain);
    run("crash_is_uncertain", test_crash_is_uncertain);
    run("revoked_is_uncertain", test_revoked_is_uncertain);
    run("flood_is_bounded", test_flood_is_bounded);
    run("payer_dies", test_payer_dies);
    run("overrun", test_overrun);
    run("threads_race", test_threads_race);
    return finish();
}
