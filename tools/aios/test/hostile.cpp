// The level `hostile`: the attacks of tests/hostile, one after the other beside an honest crew. On one processor with
// counted instructions, where shares and delays are exact and judged; on two and four for what must hold at any speed.
#include <algorithm>
#include <format>
#include <map>
#include <set>

#include "base/bytes.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/process.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/record/audit_record.hpp"
#include "tools/aios/test/boot.hpp"

namespace aios::host {

namespace {

constexpr std::uint64_t kMaxListBytes = 64 << 10;
constexpr std::uint64_t kAgentStart = 4, kAgentEnd = 5; // kinds of audit records, abi/messages.cddl section 5

// The attacks that are switched on, of tests/hostile/attacks.txt; only those that a filter names, if it names any.
Outcome<std::vector<std::string>> read_attacks(const Places& places, const TestLog& log) {
    const std::string text = HOST_TRY(read_file(places.root / "tests" / "hostile" / "attacks.txt", kMaxListBytes));
    std::vector<std::string> attacks, filtered;
    LineCutter lines([&](std::string_view line) {
        if (line.empty() || line.starts_with('#')) return;
        attacks.emplace_back(line);
        if (log.options().filter.contains(line)) filtered.emplace_back(line);
    });
    lines.feed(text);
    lines.finish();
    return filtered.empty() ? attacks : filtered;
}

// Every offender is named, by the log with its start and its end, and by an account that says what it used.
void check_named(const RunRecord& record, const std::vector<std::string>& attacks, TestLog& log) {
    std::map<std::uint64_t, std::string> started;
    std::set<std::uint64_t> ended;
    for (const std::string& text : record.audit) {
        const auto entry = decode_audit_record(text);
        if (!entry) continue;
        if (entry->kind == kAgentStart) started[entry->subject] = entry->name.value_or("");
        if (entry->kind == kAgentEnd) ended.insert(entry->subject);
    }
    for (const std::string& attack : attacks) {
        const bool named = std::ranges::any_of(record.agents, [&](const auto& one) {
            const auto& [id, account] = one;
            return account.name == attack && account.cpu_ns > 0 && started.contains(id) && started[id] == attack &&
                   ended.contains(id);
        });
        log.result(attack + ".is_named", named ? TestOutcome::passed : TestOutcome::failed,
                   named ? "" : "no account, or no start and end in the log");
    }
}

} // namespace

void test_hostile(const Places& places, TestLog& log) {
    const auto attacks = read_attacks(places, log);
    if (!attacks) {
        log.group("hostile");
        log.result("attacks", TestOutcome::failed, attacks.error().sentence);
        return;
    }
    Level level{"hostile", "hostile", ""};
    level.shown = "HOSTILE ";
    level.limit = std::chrono::minutes(40);
    level.after = [&](const RunRecord& record, TestLog& part) { check_named(record, *attacks, part); };
    for (const std::string& attack : *attacks)
        level.job.push_back("attack/" + attack);
    log.begin_level();
    Level exact = level;
    exact.job.emplace_back("exact");
    auto parts = boots_of(places, exact, {{"release", BootKind::pvh, 1, true, true}}, log.options());
    parts.append_range(
        boots_of(places, level, {{"release", BootKind::pvh, 2}, {"release", BootKind::pvh, 4}}, log.options()));
    run_parts(parts, log);
    log.end_level();
}

} // namespace aios::host
