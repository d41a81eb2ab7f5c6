// How records come into the log: waiting for room, taking a slot, committing it, counting refusals. See audit.hpp.
#include "kernel/audit/audit.hpp"

#include <algorithm>
#include <cstring>

#include "kernel/audit/engine.hpp"
#include "kernel/mm/size_classes.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::audit {

namespace {
constinit Account* g_kernel_account = nullptr; // from start() on
}

constinit RecordQueue Engine::queue;
constinit std::atomic<Account*> Engine::listed{nullptr};
constinit Price Engine::record_price{30'000};
constinit Price Engine::root_price{150'000};

// Waits for `ready`, which looks at the account's slots. Whoever gives a slot back looks at `waiting_` afterwards, and
// we look at the slots after we have raised it: one of the two sees the other.
template <typename Condition>
sched::Outcome Engine::wait(Account& account, Use use, Condition&& ready, sched::Interruptible interruptible) {
    account.waiting_.fetch_add(1, std::memory_order_seq_cst);
    const auto outcome = account.room_[static_cast<unsigned>(use)].wait(sched::kNever, ready, interruptible);
    account.waiting_.fetch_sub(1, std::memory_order_relaxed);
    return outcome;
}

Slot& Engine::take(Account& account, Use use) {
    Slot* slot = account.slots_.take(use);
    if (slot == nullptr) {
        (void)wait(
            account, use, [&] { return (slot = account.slots_.take(use)) != nullptr; }, sched::Interruptible::no);
    }
    return *slot;
}

void Engine::give_back(Account& account, Slot& slot) {
    account.slots_.give_back(slot);
    if (account.waiting_.load(std::memory_order_seq_cst) == 0) return;
    // Which of them the slot is for depends on how many are taken: one of each use looks.
    for (sched::WaitQueue& room : account.room_)
        room.wake_one();
}

// The record of a call may lie in the queue, unhashed, while its agent has another slot and nobody waits for one: the audit
// thread comes for it within a second, or sooner for whatever else it is woken for. So it takes a few in a turn, and a call
// does not cost two switches. The commit that takes an agent's last slot wakes it, so nobody waits for a slot in vain.
bool Engine::may_lie(const Account& account, const Record& record) {
    return record.kind == Kind::call && account.agent_ != 0 && has_room(account, Use::call) &&
           account.waiting_.load(std::memory_order_seq_cst) == 0;
}

void Engine::commit(Account& account, Slot& slot, const Record& record) {
    slot.record = record;
    if (record.trace.high == 0 && record.trace.low == 0) slot.record.trace = Thread::current().trace;
    slot.account = &account;
    account.retain(); // until it has been appended
    const bool lies = may_lie(account, record);
    if (queue.push(slot, sched::now_ns) == RecordQueue::Behind::others || !lies) wake_audit_thread();
}

void Engine::charge(const Account& account, std::uint64_t ns) {
    if (account.agent_ != 0) sched::charge_current(ns);
}

void Engine::list(Account& account) {
    if (account.listed_.exchange(true, std::memory_order_acq_rel)) return;
    account.retain(); // the list's
    Account* first = listed.load(std::memory_order_relaxed);
    do
        account.next_listed_ = first;
    while (!listed.compare_exchange_weak(first, &account, std::memory_order_release));
}

void Engine::refused(Account& account, Record record) {
    record.trace = Thread::current().trace; // a count keeps the first one's
    Slot* slot = account.slots_.take(Use::call);
    const std::uint64_t now = sched::now_ns();
    const auto has_slot = slot != nullptr ? Refusals::HasSlot::yes : Refusals::HasSlot::no;
    const auto verdict =
        account.refusals_.with([&](Refusals& refusals) { return refusals.refused(record, now, has_slot); });
    follow(account, slot, verdict, record);
}

// The record is the payer's: its slot, its name; the time is the current thread's, which dropped the hold or charged.
void Engine::spent(Account& account, Kind kind, const SpentAmounts& amounts) {
    Slot* slot = account.slots_.take(Use::call);
    const std::uint64_t now = sched::now_ns();
    const auto has_slot = slot != nullptr ? Refusals::HasSlot::yes : Refusals::HasSlot::no;
    const auto verdict =
        account.spendings_.with([&](Spendings& spendings) { return spendings.happened(kind, amounts, now, has_slot); });
    Record record = Spendings::record_of(kind, amounts);
    name_payer(account, record);
    follow(account, slot, verdict, record);
}

void Engine::name_payer(const Account& account, Record& record) {
    record.agent = record.subject = account.agent_;
    set_name(record, {account.name_, std::ranges::find(account.name_, '\0')});
}

void Engine::follow(Account& account, Slot* slot, Refusals::Verdict verdict, const Record& record) {
    if (verdict == Refusals::Verdict::record) {
        commit(account, *slot, record);
    } else {
        if (slot != nullptr) give_back(account, *slot);
        if (verdict == Refusals::Verdict::opened) list(account);
    }
    if (verdict != Refusals::Verdict::counted) charge(account, record_price.ns());
}

bool Engine::take_count(Account& account, std::uint64_t now, Refusals::Which which, Record& out) {
    if (account.refusals_.with([&](Refusals& refusals) { return refusals.take_due(now, which, out); })) {
        out.agent = account.agent_;
        return true;
    }
    if (!account.spendings_.with([&](Spendings& spendings) { return spendings.take_due(now, which, out); }))
        return false;
    name_payer(account, out);
    return true;
}

std::uint64_t Engine::next_due(Account& account) {
    return std::min(account.refusals_.with([](const Refusals& refusals) { return refusals.next_due(); }),
                    account.spendings_.with([](const Spendings& spendings) { return spendings.next_due(); }));
}

// The counts take the kernel's slots: the agent's own may still be in use.
void Engine::close(Account& account) {
    Record count;
    for (const std::uint64_t now = sched::now_ns(); take_count(account, now, Refusals::Which::any, count);)
        commit(*g_kernel_account, take(*g_kernel_account, Use::urgent), count);
    if (account.listed_.load(std::memory_order_acquire)) look_at_counts();
    if (account.slots_.has_taken())
        wake_audit_thread(); // its last records lie there, and no thread of it pushes another
}

Result<> Engine::make_kernel_account() {
    g_kernel_account = TRY(mm::make<Account>(0, Reservation()));
    return {};
}

Result<Ref<Account>> Account::create(Payer& payer, std::uint64_t agent, std::string_view name) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Account>));
    Ref<Account> account = Ref<Account>::adopt(TRY(mm::make<Account>(agent, std::move(charge))));
    std::ranges::copy(name.substr(0, sizeof(account->name_)), account->name_);
    return account;
}

void Account::ended_uncertain(const SpentAmounts& amounts) { Engine::spent(*this, Kind::hold_uncertain, amounts); }
void Account::passed_limit(const SpentAmounts& by) { Engine::spent(*this, Kind::overrun, by); }

Result<> wait_for_room(Account& account, Use use) {
    const auto has_room = [&] { return Engine::has_room(account, use); };
    if (has_room()) [[likely]]
        return {};
    const auto outcome = Engine::wait(account, use, has_room, sched::Interruptible::yes);
    return outcome == sched::Outcome::ready ? Result<>() : fail(Error::interrupted);
}

void record(Account& account, const Record& record, Use use) {
    Engine::commit(account, Engine::take(account, use), record);
    // Who starts an agent pays for the record of its end too: the dead cannot.
    Engine::charge(account, Engine::record_price.ns() * (record.kind == Kind::agent_start ? 2 : 1));
}

void refused(Account& account, const Refused& by, const cap::Refusal& refusal) {
    const cap::Asked asked = refusal.asked().value_or(by.asked);
    Record record;
    record.kind = Kind::refusal;
    record.agent = by.agent;
    record.call = by.call;
    record.detail[0] = static_cast<std::uint64_t>(asked.type);
    record.detail[1] = asked.rights.bits();
    record.detail[2] = static_cast<std::uint64_t>(Error(refusal));
    set_name(record, by.what);
    Engine::refused(account, record);
}

void service_refused(Account& account, const Record& record) {
    AIOS_ASSERT(record.kind == Kind::service_refusal && record.agent == account.agent());
    Engine::refused(account, record);
}

void close(Account& account) { Engine::close(account); }

Account& kernel_account() { return *g_kernel_account; }

} // namespace aios::audit
