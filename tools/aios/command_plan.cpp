// `aios plan DOMAIN.pddl PROBLEM.pddl`: the planner on the host.
#include <cstdio>
#include <format>
#include <nlohmann/json.hpp>

#include "runtime/planning/check.hpp"
#include "runtime/planning/search.hpp"
#include "tools/aios/commands.hpp"
#include "tools/aios/host/command_line.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/options.hpp"

namespace aios::host {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uint64_t kMaxBytes = std::uint64_t{16} << 20; // of one file
constexpr std::uint64_t kMaxSeconds = 24 * 3600;

struct PlanOptions {
    fs::path domain, problem;
    std::optional<fs::path> check;
    std::uint64_t seconds = 60, mebibytes = 2048;
    bool improve = false, as_json = false;
};

Outcome<PlanOptions> parse(ArgumentList arguments) {
    CommandLine line("plan");
    PlanOptions options;
    line.number("--time", options.seconds, 1, kMaxSeconds);
    line.number("--memory", options.mebibytes, 1, kMaxMemoryMib);
    line.value("--check", options.check);
    line.flag("--improve", options.improve);
    line.flag("--json", options.as_json);
    const auto files = HOST_TRY(line.parse(arguments));
    if (files.size() != 2)
        return failure(Exit::wrong_use, "plan takes a domain and a problem; see ./aios plan --help.");
    options.domain = files[0];
    options.problem = files[1];
    return options;
}

Outcome<planning::Task> read_task(const PlanOptions& options) {
    const std::string domain = HOST_TRY(read_file(options.domain, kMaxBytes)),
                      problem = HOST_TRY(read_file(options.problem, kMaxBytes));
    auto task = planning::parse_task(domain, problem);
    if (task) return std::move(*task);
    const bool in_problem = task.error().sentence.starts_with("problem");
    return failure(Exit::bad_input,
                   std::format("{}:{}: the {}.", (in_problem ? options.problem : options.domain).string(),
                               task.error().line, task.error().sentence));
}

Outcome<Exit> check(const PlanOptions& options, const planning::Task& task) {
    const auto plan = planning::parse_plan(task, HOST_TRY(read_file(*options.check, kMaxBytes)));
    if (!plan)
        return failure(Exit::bad_input, std::format("{}:{}: the {}.", options.check->string(), plan.error().line,
                                                    plan.error().sentence));
    const planning::Checked checked = planning::check_plan(task, *plan);
    if (!checked.flaw.empty()) {
        std::printf("not valid: %s\n", checked.flaw.c_str());
        return Exit::differs;
    }
    std::printf("valid: %zu steps, cost %llu\n", plan->size(), static_cast<unsigned long long>(checked.cost));
    return Exit::well;
}

void print(const planning::Task& task, const std::vector<planning::Step>& steps, std::uint64_t cost, bool as_json) {
    std::vector<std::string> lines;
    for (const planning::Step& step : steps)
        lines.push_back(planning::text_of(task, task.actions[step.action], step.arguments));
    if (as_json) {
        std::printf("%s\n", json({{"cost", cost}, {"steps", lines}}).dump().c_str());
        return;
    }
    for (const std::string& line : lines)
        std::printf("%s\n", line.c_str());
    std::printf("; cost = %llu%s\n", static_cast<unsigned long long>(cost), task.has_costs ? "" : " (one a step)");
}

std::string reason_of(const planning::Budget& budget, const PlanOptions& options) {
    if (budget.ended() == planning::Budget::Reason::memory)
        return std::format("no plan was found within {} MiB; --memory gives more.", options.mebibytes);
    return std::format("no plan was found within {} s; --time gives more.", options.seconds);
}

} // namespace

Outcome<Exit> command_plan(const Places&, ArgumentList arguments) {
    const PlanOptions options = HOST_TRY(parse(arguments));
    const planning::Task task = HOST_TRY(read_task(options));
    if (options.check) return check(options, task);
    planning::Budget budget(std::chrono::seconds(options.seconds), options.mebibytes << 20);
    const std::optional<planning::GroundTask> ground = planning::ground(task, budget);
    if (!ground) return failure(Exit::out_of_time, reason_of(budget, options));
    std::vector<planning::Step> best;
    std::uint64_t cost = 0;
    std::string flaw;
    const auto report = [&](const planning::FoundPlan& plan) {
        best.clear();
        for (const planning::OperatorId op : plan.operators)
            best.push_back(ground->steps[op]);
        const planning::Checked checked = planning::check_plan(task, best);
        flaw = checked.flaw.empty() && checked.cost != plan.cost ? "its cost is another" : checked.flaw;
        cost = checked.cost;
        if (options.improve)
            std::fprintf(stderr, "plan: %zu steps, cost %llu\n", best.size(), static_cast<unsigned long long>(cost));
    };
    const auto improve = options.improve ? planning::Improve::until_budget_ends : planning::Improve::no;
    switch (planning::search(*ground, budget, improve, report)) {
    case planning::Answer::no_plan:
        std::printf("; there is no plan\n");
        return Exit::differs;
    case planning::Answer::gave_up:
        return failure(Exit::out_of_time, reason_of(budget, options));
    case planning::Answer::found:
        break;
    }
    if (!flaw.empty())
        return failure(
            Exit::failed_inside,
            std::format("the plan that was found is not valid, which is a mistake of the planner: {}", flaw));
    print(task, best, cost, options.as_json);
    return Exit::well;
}

} // namespace aios::host
