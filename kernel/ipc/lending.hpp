// Lending of the caller's share to the thread that serves its call, through chains. Only kernel/ipc. Lock:
// Rank::lending.
#pragma once

#include "kernel/ipc/call.hpp"

namespace aios::ipc {

void calling_begins(Call& call); // the current thread is the caller
void lending_begins(Call& call); // the current thread has taken the call; what it served before runs on unlent
void lending_ends(Call& call);   // answered, abandoned or failed; any thread. `call` is not read by others afterwards
void calling_ends(Call& call);   // the caller leaves
void thread_exiting(Thread& thread); // a call that it serves fails with peer_closed

} // namespace aios::ipc
