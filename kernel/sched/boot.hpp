// The threads that there are from the start: the boot code's, an idle thread a CPU, the reaper; and the owner and
// weights of kernel threads. Only kernel/sched.
#pragma once

#include "kernel/sched/thread.hpp"

namespace aios::sched {

[[nodiscard]] Ref<ThreadOwner> kernel_owner();

} // namespace aios::sched
