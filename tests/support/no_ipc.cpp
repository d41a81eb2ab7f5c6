// For tests of threads without kernel/ipc: nobody serves a call when he leaves.
#include "kernel/sched/gate.hpp"

namespace aios::sched::upcall {
void thread_exits(Thread&) {}
} // namespace aios::sched::upcall
