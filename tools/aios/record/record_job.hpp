// The part of a record that the crew tells: the body of a frame of kind job_output.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "base/types.hpp"
#include "tools/aios/record/record.hpp"

namespace aios::host {

// Takes one message into `record`. `told_by` is the agent that sent it, as the kernel names it.
[[nodiscard]] Result<> take_job_output(Bytes message, std::string_view told_by, std::size_t question_count,
                                       RunRecord& record, const RunEvents& events);

} // namespace aios::host
