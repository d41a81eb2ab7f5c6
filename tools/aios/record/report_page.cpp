// The page of facts for people.
#include <algorithm>
#include <format>
#include <map>

#include "base/bytes.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/record/report.hpp"

namespace aios::host {

namespace {

// Routes that say the same are shown once with their number.
std::string show_routes(const std::vector<Route>& routes) {
    struct Seen {
        std::size_t count = 0;
        const Route* route = nullptr;
    };
    std::vector<Seen> order;
    std::map<std::pair<std::string_view, std::string_view>, std::size_t> places;
    for (const Route& route : routes) {
        const auto [at, is_new] = places.try_emplace({route.intent, route.agent}, order.size());
        if (is_new) order.push_back({0, &route});
        ++order[at->second].count;
    }
    std::string out;
    for (const Seen& seen : order) {
        const Route& route = *seen.route;
        out += std::format("  {:<28} -> {:<18} {}x  {}\n", printable(route.intent),
                           route.agent.empty() ? "nobody" : printable(route.agent), seen.count, printable(route.why));
        std::string rest;
        for (const Candidate& candidate : route.candidates)
            rest += std::format("{}{} {:.3f}", rest.empty() ? "" : ", ", printable(candidate.agent), candidate.score);
        if (route.candidates.size() > 1) out += std::format("  {:<28}    candidates: {}\n", "", rest);
    }
    return out;
}

std::string show_agents(const std::map<std::uint64_t, Account>& agents) {
    std::string out = std::format("  {:>4} {:<20} {:<26} {:>10} {:>23} {:>15}\n", "id", "agent", "state", "CPU time",
                                  "peak memory of quota", "sent/received");
    for (const auto& [id, agent] : agents) {
        const std::string memory =
            std::format("{} of {}", human_bytes(agent.memory_peak_bytes), human_bytes(agent.quota_memory_bytes));
        out += std::format("  {:>4} {:<20} {:<26} {:>10} {:>23} {:>15}\n", id, printable(agent.name),
                           describe_state(agent), human_nanoseconds(agent.cpu_ns), memory,
                           std::format("{}/{}", agent.messages_sent, agent.messages_received));
        if (!agent.spent) continue;
        for (const auto& [resource, limit, used] : *agent.spent)
            out += std::format("  {:>4} {:<20} {} of {} used\n", "", resource_name(resource), with_thousands(used),
                               with_thousands(limit));
    }
    return out;
}

std::string show_checks(const std::vector<CheckCount>& checks) {
    std::uint64_t granted = 0;
    std::uint64_t refused = 0;
    std::string out;
    for (const CheckCount& count : checks) {
        granted += count.granted;
        refused += count.refused;
        out += std::format("  {:<12} {:<10} {:>14} granted {:>8} refused\n", type_name(count.type),
                           right_name(count.right), with_thousands(count.granted), with_thousands(count.refused));
    }
    return std::format("Capability checks: {} granted, {} refused\n", with_thousands(granted),
                       with_thousands(refused)) +
           out;
}

std::string show_quotations(const RunRecord& record) {
    std::string out = std::format("Quotations: {} compared with the documents, {} not in them\n",
                                  with_thousands(record.quotations), with_thousands(record.misquotations));
    for (const Misquote& misquote : record.misquotes)
        out += std::format("  [{}] {}: {}\n", misquote.question + 1, misquote.agent, misquote.text);
    if (record.misquotations > record.misquotes.size())
        out += std::format("  and {} more\n", with_thousands(record.misquotations - record.misquotes.size()));
    return out;
}

std::string show_boot(const Report& report) {
    std::string out =
        std::format("Boot: {} on {} ({}), {}, {} MiB\n", report.boot_kind, report.accelerator,
                    report.accelerator_reason, counted(report.processors, "processor"), report.memory_mib);
    if (const auto& boot = report.record.boot) {
        out += std::format("  from entry to the first user instruction: {:.1f} ms\n", boot->milliseconds());
        out += std::format("  {}{}\n", printable(boot->label), boot->seed_fixed ? "; the random seed is fixed" : "");
    }
    out += std::format("  whole run: {:.1f} s\n", report.seconds);
    return out;
}

} // namespace

std::string show_page(const Report& report) {
    const RunRecord& record = report.record;
    const auto answered = std::ranges::count_if(record.answers, [](const auto& one) { return one.second.answered; });
    std::string out = std::format("\n{}: {} answered, {} without an answer in {} ({})\n\n",
                                  counted(report.questions.size(), "question"), answered,
                                  report.questions.size() - static_cast<std::size_t>(answered),
                                  counted(report.documents, "document"), human_bytes(report.document_bytes));
    out += show_boot(report);
    out += "\nAgents\n" + show_agents(record.agents);
    if (!record.plan.empty()) out += std::format("\nPlan\n  {}\n", printable_lines(record.plan));
    out += "\nRoutes\n" + show_routes(record.routes);
    out += "\n" + show_checks(record.checks);
    if (!report.refusals.empty()) out += "\n" + show_refusals(report.refusals, report.verbose);
    if (record.quotations > 0) out += "\n" + show_quotations(record);
    if (!record.notes.empty()) {
        out += "\nFaults\n";
        for (const Remark& remark : record.notes)
            out += std::format("  {}: {}\n", printable(remark.agent), printable(remark.text));
    }
    out += std::format("\nAudit: {}, root {} (recomputed here, the kernel's is equal)\n  {}; check it with ./aios "
                       "audit verify, read it with ./aios audit show\n",
                       counted(record.audit.size(), "record"), hex(as_text(report.recomputed_root)),
                       printable(report.audit_file));
    return out;
}

} // namespace aios::host
