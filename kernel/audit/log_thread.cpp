// The audit thread: takes records out of the queue, appends them to the log, writes the counts of refusals when they
// are due, and publishes the head for those who ask. See audit.hpp.
//
// How a reader gets a head with all that was recorded before it asked (info()):
//   (1) It notes how many slots were ever pushed, and how many records there are. A slot that was pushed before is among
//       the first that are popped, because the queue keeps its order.
//   (2) If the published head has both, that is the answer: nothing is computed.
//   (3) Else it asks for a head after that many slots, wakes the audit thread and sleeps. The first asker's wish stands
//       until it is served; whom that answer does not serve is woken too, and asks again.
//   (4) The audit thread, when it has popped that many, computes the root if the log has changed, publishes it and wakes
//       the readers one by one.
#include <utility>

#include "kernel/audit/engine.hpp"
#include "kernel/audit/log.hpp"
#include "kernel/sched/thread.hpp"

namespace aios::audit {

namespace {

constexpr std::uint64_t kBatchNs = 1'000'000'000;
constexpr std::uint64_t kTurn = 32; // records that are appended before the thread looks at its other work
constexpr unsigned kMaxWoken = 256; // readers woken in one turn

constinit Log* g_log = nullptr;
constinit sched::WaitQueue g_work;    // the audit thread
constinit sched::WaitQueue g_readers; // threads that wait for a head
constinit std::atomic<bool> g_asleep{false};
constinit std::atomic<std::uint64_t> g_head_wanted{0}; // 1 + the number of popped slots that the first asker waits for
constinit std::atomic<bool> g_look_at_counts{false};   // an account that is closed stands in the list
constinit std::atomic<bool> g_stop{false};             // drain() wants the end
constinit std::atomic<bool> g_finished{false};         // the head was sent: nothing may follow it

void ask_for_head(std::uint64_t popped) {
    std::uint64_t nobody = 0;
    g_head_wanted.compare_exchange_strong(nobody, popped + 1, std::memory_order_seq_cst);
}

// One after the other, so that no lock is held over all of them.
void wake_readers() {
    for (unsigned i = 0; i < kMaxWoken && g_readers.has_waiters(); ++i)
        g_readers.wake_one();
    if (g_readers.has_waiters()) ask_for_head(0);
}

std::uint64_t own_cpu_ns() { return Thread::current().cpu_ns(); }

// What the records from g_priced on have cost so far. When none of them waits for its hash it is whole, and becomes a price.
constinit std::uint64_t g_unpriced_ns = 0, g_priced = 0;

} // namespace

void Engine::wake_audit_thread() {
    if (g_asleep.exchange(false, std::memory_order_seq_cst)) g_work.wake_one();
}

void Engine::look_at_counts() {
    g_look_at_counts.store(true, std::memory_order_seq_cst);
    wake_audit_thread();
}

// One record from the queue; false if there is none.
bool Engine::append_next() {
    g_log->busy = true;
    Slot* slot = queue.pop();
    g_log->busy = false;
    if (slot == nullptr) return false;
    g_log->append(slot->record, slot->time_ns, Log::Keep::yes);
    Account& account = *slot->account;
    give_back(account, *slot);
    account.release();
    return true;
}

// Records cost what this thread has used since its time was `before`.
void Engine::note_cost(std::uint64_t before) {
    g_unpriced_ns += own_cpu_ns() - before;
    const std::uint64_t size = g_log->size();
    if (g_log->has_waiting() || size == g_priced) return;
    record_price.measured(std::exchange(g_unpriced_ns, 0), size - std::exchange(g_priced, size));
}

void Engine::append_some(std::uint64_t count) {
    const std::uint64_t before = own_cpu_ns();
    std::uint64_t done = 0;
    while (done < count && append_next())
        ++done;
    if (done != 0) note_cost(before);
}

void Engine::send_batch() {
    const std::uint64_t before = own_cpu_ns();
    g_log->send_batch();
    note_cost(before);
}

// Counts that are due, or any; answers when the next one will be.
std::uint64_t Engine::append_counts(Refusals::Which which) {
    const std::uint64_t before = own_cpu_ns();
    std::uint64_t next = sched::kNever;
    Account* account = listed.exchange(nullptr, std::memory_order_acquire); // pairs with the release in list()
    while (account != nullptr) {
        Account* following = account->next_listed_;
        account->listed_.store(false, std::memory_order_seq_cst); // whoever counts from here on lists it again
        const std::uint64_t now = sched::now_ns();
        Record record;
        while (take_count(*account, now, which, record))
            g_log->append(record, now, Log::Keep::yes);
        const std::uint64_t due = next_due(*account);
        if (due != Refusals::kNone) {
            next = std::min(next, due);
            list(*account);
        }
        account->release(); // the list's reference of before
        account = following;
    }
    note_cost(before);
    return next;
}

// Step (4).
void Engine::show_head() {
    const std::uint64_t wanted = g_head_wanted.load(std::memory_order_seq_cst);
    if (wanted == 0 || queue.popped() + 1 < wanted) return;
    g_head_wanted.store(0, std::memory_order_seq_cst); // who asks from here on asks again
    const std::uint64_t before = own_cpu_ns();
    g_log->hash_waiting();
    note_cost(before);
    const std::uint64_t hashed = own_cpu_ns();
    if (g_log->publish(queue.popped())) root_price.measured(own_cpu_ns() - hashed, 1);
    wake_readers();
}

void Engine::finish() {
    for (const std::uint64_t last = queue.pushed(); queue.popped() < last;)
        (void)append_next();
    (void)append_counts(Refusals::Which::any);
    g_log->send_batch();
    g_log->send_head();
    g_finished.store(true, std::memory_order_release);
    g_readers.wake_all(); // nobody runs programs any more
}

void Engine::run(void*) {
    std::uint64_t batch_due = sched::now_ns() + kBatchNs, counts_due = sched::kNever;
    const auto has_work = [] {
        g_asleep.store(true, std::memory_order_seq_cst); // before the look: whoever comes after it wakes us
        const bool is_asked =
            g_head_wanted.load(std::memory_order_seq_cst) != 0 || g_look_at_counts.load(std::memory_order_seq_cst);
        return is_asked || queue.has_records() || g_stop.load(std::memory_order_seq_cst);
    };
    for (;;) {
        // Records lie in the queue until somebody needs them out of it; a batch leaves when it is full or a second old.
        (void)g_work.wait(std::min(batch_due, counts_due), has_work, sched::Interruptible::no);
        g_asleep.store(false, std::memory_order_relaxed);
        if (g_stop.load(std::memory_order_acquire)) return finish();
        append_some(kTurn);
        show_head();
        const std::uint64_t now = sched::now_ns();
        const bool is_asked = g_look_at_counts.exchange(false, std::memory_order_acq_rel);
        const bool has_listed = now >= batch_due && listed.load(std::memory_order_relaxed) != nullptr;
        if (is_asked || now >= counts_due || has_listed) counts_due = append_counts(Refusals::Which::due);
        if (now >= batch_due) {
            append_some(queue.pushed() - queue.popped()); // what is a second old leaves
            send_batch();
            batch_due = now + kBatchNs;
        }
    }
}

void start() {
    const auto log = Log::create();
    AIOS_ASSERT(log.has_value() && Engine::make_kernel_account().has_value()); // at boot, with all memory free
    g_log = *log;
    auto thread = Thread::create_kernel("audit", Engine::run, nullptr);
    AIOS_ASSERT(thread.has_value());
    (*thread)->start();
}

void drain() {
    if (g_log == nullptr) return;
    g_stop.store(true, std::memory_order_seq_cst);
    Engine::wake_audit_thread();
    (void)g_readers.wait(
        sched::kNever, [] { return g_finished.load(std::memory_order_acquire); }, sched::Interruptible::no);
}

void drain_in_panic() {
    if (g_log == nullptr || g_log->busy || g_finished.load(std::memory_order_relaxed))
        return; // a half-appended record cannot be mended here
    while (const Slot* slot = Engine::queue.pop())
        g_log->append(slot->record, slot->time_ns, Log::Keep::no);
    g_log->send_batch();
    g_log->send_head();
}

Result<LogInfo> info() {
    const std::uint64_t position = Engine::queue.pushed(), size = g_log->size(); // step (1)
    LogInfo answer{};
    if (g_log->look(size, position, answer)) return answer; // step (2)
    const auto outcome = g_readers.wait(sched::kNever, [&] {
        if (g_log->look(size, position, answer) || g_finished.load(std::memory_order_acquire)) return true;
        ask_for_head(position);
        Engine::wake_audit_thread();
        return false;
    });
    if (outcome != sched::Outcome::ready) return fail(Error::interrupted);
    sched::charge_current(Engine::root_price.ns());
    return answer;
}

Result<ReadResult> read(std::uint64_t index, MutableBytes out) {
    if (index >= g_log->size()) TRY(info()); // it may be under way
    return g_log->read(index, out);
}

} // namespace aios::audit
