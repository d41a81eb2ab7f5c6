// What those who record and the audit thread share: the queue, the list of accounts with counts, the prices, and how
// the audit thread is woken. Only kernel/audit.
#pragma once

#include "kernel/audit/account.hpp"
#include "kernel/audit/price.hpp"

namespace aios::audit {

// Sees into accounts.
struct Engine {
    static RecordQueue queue;
    static std::atomic<Account*> listed; // accounts with counts, see list()
    static Price record_price, root_price;

    static void wake_audit_thread();

    // --- accounts: audit.cpp
    static bool has_room(const Account& account, Use use) { return account.slots_.has_room(use); }
    template <typename Condition>
    static sched::Outcome wait(Account& account, Use use, Condition&& ready, sched::Interruptible interruptible);
    // A slot, waiting for it through interrupts.
    static Slot& take(Account& account, Use use);
    static void give_back(Account& account, Slot& slot);
    static void commit(Account& account, Slot& slot, const Record& record);
    static bool may_lie(const Account& account, const Record& record);
    static void charge(const Account& account,
                       std::uint64_t ns); // the current thread, unless it is the kernel's account
    // Puts the account into the list that the audit thread goes through for counts.
    static void list(Account& account);
    static void refused(Account& account, Record record);
    static void spent(Account& account, Kind kind, const SpentAmounts& amounts);
    static void name_payer(const Account& account, Record& record);
    // What a verdict on something that is recorded or counted asks for. `slot`: one that was taken for it, or nullptr.
    static void follow(Account& account, Slot* slot, Refusals::Verdict verdict, const Record& record);
    static void close(Account& account);
    static Result<> make_kernel_account();
    // The next count that is due, or any; and when the next one will be (Refusals::kNone: nothing is counted).
    static bool take_count(Account& account, std::uint64_t now, Refusals::Which which, Record& out);
    static std::uint64_t next_due(Account& account);

    // --- the audit thread: log_thread.cpp
    static bool append_next();
    static void append_some(std::uint64_t count); // at most so many
    static void send_batch();
    static void note_cost(std::uint64_t before);
    static std::uint64_t append_counts(Refusals::Which which);
    static void look_at_counts(); // soon, whether or not one is due
    static void show_head();
    static void finish();
    static void run(void*);
};

} // namespace aios::audit
