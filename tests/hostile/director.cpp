// The first program of the hostile set: lets an honest crew work, starts one attack after the other beside it, and
// judges each:
//
//   TEST attack.crew_keeps_its_share    in every second each of the crew did 95 % of what its share allows (counted
//   instructions only) TEST attack.others_are_not_held_up  a derivation, a revocation, and the death of a stranger took
//   no longer than their bounds
//                                       (counted instructions only)
//   TEST attack.revoked_is_gone         nothing written after the revocation of a page was read in it
//   TEST attack.ends                    the offender could be killed, or had ended by its own fault
//   TEST attack.gives_everything_back   account and free frames are to the unit what they were
//
// and one line "HOSTILE attack ..." of figures. Which attacks run, and whether times count, the host says in the job
// bundle: entries attack/NAME, and "exact". Everything of the director is static, so that its own account stands still.
#include <algorithm>

#include "tests/hostile/attack.hpp"

using namespace hostile;

namespace {

constexpr unsigned kWindows = 2; // seconds that are judged, of each attack
constexpr std::uint64_t kWarmUp = 500 * kMillisecond;
constexpr std::uint64_t kKept = 95; // per cent of its share that an honest agent keeps
constexpr std::uint64_t kHoldUp = 50 * kMillisecond;
constexpr std::uint64_t kDeathOfStranger = 500 * kMillisecond;
constexpr std::uint64_t kDeathOfOffender = 20, kDeathAnywhere = 120; // seconds: a busy machine is no failure

constexpr Rights kAll = rights::read | rights::write | rights::map;
constexpr Rights kProgramRights = rights::read | rights::execute | rights::derive | rights::transfer;

struct Row {
    std::string_view name;
    QuotaGrant quota;
    bool gets_bundle = false;
};
constexpr Row kRows[] = {
    {"chain", {96 << 20, 40'000, 2'000, 1'900}, true},
    {"channel_flood", {4 << 20, 1'000, 4, 0}},
    {"console_flood", {2 << 20, 64, 4, 0}},
    {"derive_flood", {2 << 20, 64, 8, 0}},
    {"faulting_threads", {16 << 20, 200, 70, 0}},
    {"handle_bomb", {8 << 20, 3'000, 4, 0}},
    {"hints", {8 << 20, 200, 20, 0}},
    {"hold_mapping", {2 << 20, 64, 4, 0}},
    {"many_handles", {32 << 20, 16'000, 4, 0}},
    {"map_again", {2 << 20, 64, 4, 0}},
    {"memory_bomb", {16 << 20, 64, 4, 0}},
    {"open_files", {16 << 20, 20'000, 4, 0}, true},
    {"refusal_flood", {2 << 20, 64, 4, 0}},
    {"refusal_one", {2 << 20, 64, 4, 0}},
    {"registrations", {8 << 20, 20'000, 4, 0}},
    {"revokers", {8 << 20, 600, 220, 0}},
    {"sleepers", {8 << 20, 400, 120, 0}},
    {"spawn_bomb", {48 << 20, 2'000, 100, 60}, true},
    {"spin", {4 << 20, 64, 20, 0}},
    {"stale_registrations", {32 << 20, 40'000, 4, 0}},
    {"temporary_files", {8 << 20, 64, 4, 0}},
    {"thread_bomb", {8 << 20, 200, 50, 0}},
    {"thread_churn", {8 << 20, 200, 60, 0}},
    {"timer_churn", {2 << 20, 200, 4, 0}},
    {"timers", {8 << 20, 4'000, 4, 0}},
};

// --- what the director holds -----------------------------------------------------------------------------------------

Board* board = nullptr;
Handle board_memory = kNoHandle;
std::atomic<std::uint64_t>* page = nullptr; // the page that is shared with an attack and revoked
Handle page_memory = kNoHandle;
Handle queue = kNoHandle, source = kNoHandle, victim = kNoHandle, timer = kNoHandle, frames = kNoHandle;
bool exact = false;

struct Member {
    Handle agent = kNoHandle;     // lives as long as the director
    std::uint64_t wanted = 0;     // units of a second when the crew is alone
    std::uint64_t affordable = 0; // units of a second of its quarter of the processor
};
Member crew[kCrew];

// --- strangers and crew ----------------------------------------------------------------------------------------------

Result<OwnedHandle> start_honest(std::string_view arguments, std::uint32_t weight) {
    const HandleGrant grants[] = {grant(board_memory, kAll, kBoardRole)};
    SpawnOptions options;
    options.arguments = arguments;
    options.handles = grants;
    options.handle_count = 1;
    options.weight = weight;
    return spawn("bin/honest", options);
}

bool start_crew() {
    constexpr std::string_view kArguments[kCrew] = {{"spin\0"
                                                     "0\0",
                                                     7},
                                                    {"call\0"
                                                     "1\0",
                                                     7},
                                                    {"tick\0"
                                                     "2\0",
                                                     7}};
    for (unsigned i = 0; i < kCrew; ++i) {
        auto started = start_honest(kArguments[i], 100);
        if (!started) return false;
        crew[i].agent = started->leak();
    }
    return true;
}

// What each of the crew does in a second without an attack, and what a quarter of the processor would be worth to it.
void measure_crew() {
    sleep_until(now() + kSecond);
    std::uint64_t units[kCrew], ran[kCrew];
    for (unsigned i = 0; i < kCrew; ++i) {
        ran[i] = info_of(crew[i].agent).cpu_ns;
        units[i] = board->crew[i].units;
    }
    const std::uint64_t begin = now();
    sleep_until(begin + 2 * kSecond);
    const std::uint64_t took = now() - begin;
    for (unsigned i = 0; i < kCrew; ++i) {
        units[i] = board->crew[i].units - units[i];
        ran[i] = std::max<std::uint64_t>(info_of(crew[i].agent).cpu_ns - ran[i], 1);
        crew[i].wanted = units[i] * kSecond / took;
        crew[i].affordable = units[i] * (kSecond / 4) / ran[i];
        console_print("HOSTILE crew {}: {} units a second, {} in a quarter of a processor\n", i, crew[i].wanted,
                      crew[i].affordable);
    }
}

// --- one attack ------------------------------------------------------------------------------------------------------

struct Figures {
    std::uint64_t least_kept = ~0ull; // per mille of its share that the worst of the crew did in the worst second
    std::uint64_t worst_derive = 0;
    std::uint64_t worst_revoke = 0;
    std::uint64_t worst_death = 0; // of a stranger
    std::uint64_t own_death = 0;
    std::uint64_t reached = 0; // what the attack counted
};

void keep_worst(std::uint64_t& worst, std::uint64_t begin) { worst = std::max(worst, now() - begin); }

// What a bystander does: derives, revokes, starts somebody and ends him.
void live_beside(Figures& figures) {
    std::uint64_t begin = now();
    const OwnedHandle derived(*sys::handle_derive(timer, rights::write.bits()));
    keep_worst(figures.worst_derive, begin);
    begin = now();
    (void)sys::handle_revoke(timer);
    keep_worst(figures.worst_revoke, begin);
}

void end_a_stranger(Figures& figures) {
    const auto stranger = start_honest(std::string_view("wait\0"
                                                        "0\0",
                                                        7),
                                       100);
    if (!stranger) return failed("a stranger can be started", __LINE__);
    const std::uint64_t begin = now();
    (void)sys::agent_kill(stranger->get(), 1);
    (void)wait_dead(stranger->get(), kDeathOfOffender);
    keep_worst(figures.worst_death, begin);
}

// A second beside the attack: what the crew did in it.
void judge_second(Figures& figures) {
    std::uint64_t units[kCrew];
    for (unsigned i = 0; i < kCrew; ++i)
        units[i] = board->crew[i].units;
    const std::uint64_t begin = now();
    for (unsigned part = 1; part <= 5; ++part) {
        live_beside(figures);
        if (part == 3) end_a_stranger(figures);
        sleep_until(begin + part * kSecond / 5);
    }
    const std::uint64_t took = now() - begin;
    for (unsigned i = 0; i < kCrew; ++i) {
        const std::uint64_t share = std::max<std::uint64_t>(std::min(crew[i].wanted, crew[i].affordable), 1);
        const std::uint64_t did = (board->crew[i].units - units[i]) * kSecond / took;
        figures.least_kept = std::min(figures.least_kept, did * 1000 / share);
    }
}

// Revokes the page while the attack uses it. What is written afterwards must never be seen.
bool revoke_page(Handle given, Figures& figures, std::uint64_t secret) {
    page->store(1);
    const std::uint64_t begin = now();
    (void)sys::handle_revoke(given);
    keep_worst(figures.worst_revoke, begin);
    page->store(secret);
    sleep_until(now() + 20 * kMillisecond);
    return board->attack.seen != secret;
}

Result<OwnedHandle> start_attack(const Row& row, Handle given) {
    HandleGrant grants[] = {
        console_grant(),
        grant(board_memory, kAll | rights::derive | rights::transfer, kBoardRole),
        grant(given, rights::read | rights::map | rights::derive, kSharedRole),
        grant(queue, rights::write | rights::derive | rights::transfer, kQueueRole),
        grant(source, rights::wait | rights::derive | rights::transfer, kSourceRole),
        grant(victim, rights::send | rights::wait, kVictimRole),
        grant(handle(StartupRole::bundle), kProgramRights, StartupRole::bundle),
    };
    char path[64];
    SpawnOptions options;
    options.quota = row.quota;
    options.name = row.name;
    options.handles = grants;
    options.handle_count = static_cast<std::uint32_t>(std::size(grants)) - (row.gets_bundle ? 0 : 1);
    return spawn(format_to(path, "bin/{}", row.name), options);
}

// Every handle that is opened here is closed here.
void run_attack(const Row& row, Figures& figures, bool& page_is_gone, AgentInfo& end) {
    static std::uint64_t secret = 1000;
    board->attack.seen = 0;
    board->attack.figure = 0;
    queue = *sys::queue_create(self);
    source = *sys::channel_create(self, 4, 4096);
    victim = *sys::channel_create(self, 16, 65536);
    const OwnedHandle given(
        *sys::handle_derive(page_memory, (rights::read | rights::map | rights::derive | rights::transfer).bits()));
    {
        const auto offender = start_attack(row, given.get());
        if (!offender) return failed("the attack starts", __LINE__, error_info(offender.error()).name);
        sleep_until(now() + kWarmUp);
        judge_second(figures);
        page_is_gone = revoke_page(given.get(), figures, ++secret);
        for (unsigned i = 1; i < kWindows; ++i)
            judge_second(figures);
        page_is_gone = page_is_gone && board->attack.seen != secret;
        figures.reached = board->attack.figure;
        const std::uint64_t begin = now();
        (void)sys::agent_kill(offender->get(), 1);
        end = wait_dead(offender->get(), exact ? kDeathOfOffender : kDeathAnywhere);
        keep_worst(figures.own_death, begin);
    }
    (void)sys::event_cancel(queue, 77); // what the deepest of the chain left there
    for (const Handle mine : {queue, source, victim})
        (void)sys::handle_close(mine);
}

// --- what is left afterwards -----------------------------------------------------------------------------------------

struct Holdings {
    AgentInfo account;
    std::uint64_t free_bytes; // of the node
};
Holdings holdings() {
    HandleInfo info{};
    (void)sys::handle_info(frames, &info);
    return {info_of(self), info.size};
}

// Accounts are equal to the unit. Of the node's frames the kernel's own caches keep some (magazines and slabs of each
// CPU); what an attack leaves there once it does not leave there twice.
constexpr std::uint64_t kCachedExact = 64 << 10, kCached = 256 << 10; // bytes
bool same(const Holdings& a, const Holdings& b) {
    return b.free_bytes + (exact ? kCachedExact : kCached) >= a.free_bytes &&
           a.account.memory_bytes == b.account.memory_bytes &&
           a.account.quota.memory_bytes == b.account.quota.memory_bytes &&
           a.account.quota.handles == b.account.quota.handles && a.account.quota.threads == b.account.quota.threads &&
           a.account.quota.agents == b.account.quota.agents;
}

// What is being taken down may need a moment; what is not back then is lost.
bool settles(const Holdings& before) {
    const std::uint64_t until = now() + 2 * kSecond;
    while (!same(before, holdings())) {
        if (now() > until) return false;
        sleep_until(now() + 10 * kMillisecond);
    }
    return true;
}

void say_difference(const Holdings& before) {
    const Holdings after = holdings();
    const auto more = [](std::uint64_t a, std::uint64_t b) { return static_cast<std::int64_t>(b - a); };
    console_print(
        "HOSTILE afterwards: free bytes {}, memory used {}, quota: memory {}, handles {}, threads {}, agents {}\n",
        more(before.free_bytes, after.free_bytes), more(before.account.memory_bytes, after.account.memory_bytes),
        more(before.account.quota.memory_bytes, after.account.quota.memory_bytes),
        more(before.account.quota.handles, after.account.quota.handles),
        more(before.account.quota.threads, after.account.quota.threads),
        more(before.account.quota.agents, after.account.quota.agents));
}

void judge(const Row& row) {
    char name[64];
    const auto test = [&](std::string_view what, auto check) { run(format_to(name, "{}.{}", row.name, what), check); };
    const Holdings before = holdings();
    Figures figures;
    bool page_is_gone = false;
    AgentInfo end{};
    test("runs", [&] { run_attack(row, figures, page_is_gone, end); });
    console_print("HOSTILE {} agent {}: kept {} per mille; derive {} us, revoke {} us, death of a stranger {} us, own "
                  "{} us; reached {}; "
                  "cpu {} us, refused {}\n",
                  row.name, end.id, figures.least_kept, figures.worst_derive / 1000, figures.worst_revoke / 1000,
                  figures.worst_death / 1000, figures.own_death / 1000, figures.reached, end.cpu_ns / 1000,
                  end.checks_refused);
    if (exact) {
        test("crew_keeps_its_share", [&] { CHECK(figures.least_kept >= kKept * 10); });
        test("others_are_not_held_up", [&] {
            CHECK(figures.worst_derive <= kHoldUp);
            CHECK(figures.worst_revoke <= kHoldUp);
            CHECK(figures.worst_death <= kDeathOfStranger);
        });
    }
    test("revoked_is_gone", [&] { CHECK(page_is_gone); });
    test("ends", [&] { CHECK(end.state == static_cast<std::uint32_t>(AgentState::dead)); });
    test("gives_everything_back", [&] {
        bool settled = settles(before);
        if (!settled) {
            say_difference(before);
            const Holdings again = holdings();
            run_attack(row, figures, page_is_gone, end);
            settled = settles(again);
            if (!settled) say_difference(again);
        }
        CHECK(settled);
    });
}

bool job_has(std::string_view path) {
    TreeEntry entry;
    for (std::uint64_t i = 0; sys::tree_list(handle(StartupRole::job), i, &entry); ++i)
        if (std::string_view(entry.name, entry.name_bytes) == path) return true;
    return false;
}

// Once without judging, so that caches of the kernel and the director's own page tables are filled.
void warm_up() {
    Figures figures;
    end_a_stranger(figures);
    live_beside(figures);
    for (unsigned i = 0; i < 2; ++i) {
        bool gone = false;
        AgentInfo end;
        run_attack({"spin", {4 << 20, 64, 20, 0}}, figures, gone, end);
        run_attack({"handle_bomb", {8 << 20, 3'000, 4, 0}}, figures, gone, end);
    }
    sleep_until(now() + kSecond);
}

bool prepare() {
    exact = job_has("exact");
    frames = handle(StartupRole::frames);
    timer = *sys::timer_create(self);
    board_memory = *sys::agent_pool_alloc(self, kPageBytes);
    board = map_memory<Board>(board_memory, sizeof(Board));
    page_memory = *sys::agent_pool_alloc(self, kPageBytes);
    page = map_memory<std::atomic<std::uint64_t>>(page_memory, kPageBytes);
    return board != nullptr && page != nullptr && start_crew();
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "hostile");
    run("crew_starts", [] { CHECK(prepare()); });
    if (failures != 0) return 1;
    run("warm_up", warm_up);
    measure_crew();
    unsigned judged = 0;
    char path[64];
    for (const Row& row : kRows) {
        if (!job_has(format_to(path, "attack/{}", row.name))) continue;
        judge(row);
        ++judged;
    }
    run("attacks_ran", [&] { CHECK(judged > 0); });
    return finish();
}
