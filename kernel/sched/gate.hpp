// The gate inside a wait: a thread of a stopped agent stays there before it looks at its condition. gate.cpp tells how
// agents are stopped.
#pragma once

namespace aios {
class Thread;
}

namespace aios::sched {

// Whether the current thread is to stop where it waits: its agent is stopped, and the call that it is in is one whose
// wait may be left standing (`restart` in the tables of calls). A few loads when nobody stops anybody.
[[nodiscard]] bool has_to_stop_in_wait();
// Stops the current thread until its agent may go on, or it is killed. No lock or mutex is held.
void stop_at_gate();

// docs/design/upcalls.md
namespace upcall {
// Answered by kernel/entry, above the tables of calls: false if the call that the thread is in must run to its end
// before the thread stops.
[[nodiscard]] bool may_stop_in_call(Thread& thread);
// Answered by kernel/ipc: the current thread leaves for good; a call that it serves fails with peer_closed.
void thread_exits(Thread& thread);
} // namespace upcall

} // namespace aios::sched
