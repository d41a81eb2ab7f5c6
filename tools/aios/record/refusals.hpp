// All that was refused in a run, for people and programs: what the kernel refused (from the audit log), and what
// services and the crew told of (job-message "refusal"). The same of the same agent is one row with its number. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/aios/record/grants.hpp"
#include "tools/aios/record/record.hpp"

namespace aios::host {

struct RefusalRow {
    std::string agent;  // who was refused
    std::string by;     // "kernel", or the agent that told of it
    std::string call;   // "memory_map", "intent.offer"; empty: told in words alone, or several calls in one record
    std::string object; // "memory with map", "question.answer"
    std::string text;   // what was said, or the kernel's reason
    std::uint64_t count = 1;
    GrantLine grant;
};

// In the order in which each was first heard of: what was told, then the kernel's.
[[nodiscard]] std::vector<RefusalRow> list_refusals(const RunRecord& record, const UnitFiles& files);

// For the page. A list that is longer than a screen is only counted, unless `whole`.
[[nodiscard]] std::string show_refusals(const std::vector<RefusalRow>& rows, bool whole);

} // namespace aios::host
