// Why a run failed, as far as the host was told: the sentence names what went wrong first, and then how it showed. Pure
// functions of the gathered facts.
#pragma once

#include <string>
#include <string_view>

#include "tools/aios/record/record.hpp"

namespace aios::host {

// True if the account is of an agent that ended without being asked to: it exited with a status other than 0, faulted,
// used up its quota, ran a changed page or ended itself by a signal. What ends after the job is done is not looked at.
[[nodiscard]] bool is_trouble(const Account& account);

// Notes a trouble; the same of the same agent is counted. At most kMaxTroubles are kept: the first.
void add_trouble(RunRecord& record, std::string_view agent, std::string_view text);

// What came first and what it led to: "memoryd: ended by its own signal 6 (4 times); then initd: memoryd failed for
// good". Empty if nothing was told. `kernel_text` is the kernel's own text, whose first error line counts when no
// agent had trouble.
[[nodiscard]] std::string describe_cause(const RunRecord& record, std::string_view kernel_text);

// Where a run that ran out of time stood: "the crew was taking in documents: 3 of 25".
[[nodiscard]] std::string describe_standing(const RunRecord& record, std::size_t question_count);

} // namespace aios::host
