// Any text as domain and problem (before and behind the first zero byte): parsed, grounded and searched within a small
// budget, without a crash; each plan is valid.
#include <string_view>

#include "base/assert.hpp"
#include "runtime/planning/check.hpp"
#include "runtime/planning/search.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace aios::planning;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t cut = std::min(text.find('\0'), size);
    const auto task = parse_task(text.substr(0, cut), cut < size ? text.substr(cut + 1) : std::string_view());
    if (!task) return 0;
    Budget budget(std::chrono::milliseconds(200), 1 << 22);
    const auto made = ground(*task, budget);
    if (!made) return 0;
    (void)search(*made, budget, Improve::no, [&](const FoundPlan& plan) {
        std::vector<Step> steps;
        for (const OperatorId op : plan.operators)
            steps.push_back(made->steps[op]);
        const Checked checked = check_plan(*task, steps);
        AIOS_ASSERT(checked.flaw.empty() && checked.cost == plan.cost);
    });
    return 0;
}
