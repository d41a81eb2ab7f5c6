// Who runs on whose share. thread.serving and call.server point at each other; thread.calling is the call that a thread
// waits in: together they are the chains. A chain has no cycle, as a thread that waits in a call takes no other.
#include "kernel/ipc/lending.hpp"

namespace aios::ipc {

namespace {

using Lock = sync::SpinLock<sync::Rank::lending>;
constinit Lock g_lock; // one for all: chains cross channels

// `thread` is billed to somebody else now: so are those who work for it.
void bill_servants_locked(Thread& thread) {
    for (Thread* at = &thread; at->calling != nullptr && at->calling->server != nullptr;) {
        Thread* servant = at->calling->server;
        sched::lend_change(*servant, *at->billed);
        at = servant;
    }
}

void end_locked(Call& call) {
    Thread* server = call.server;
    if (server == nullptr) return;
    call.server = nullptr;
    server->serving = nullptr;
    sched::lend_end(*server, server == &Thread::current() ? call.caller : nullptr);
    bill_servants_locked(*server);
}

} // namespace

void calling_begins(Call& call) {
    Lock::Guard guard(g_lock);
    Thread& caller = Thread::current();
    call.caller = &caller;
    call.depth = caller.serving != nullptr ? caller.serving->depth + 1 : 1;
    caller.calling = &call;
}

void lending_begins(Call& call) {
    Lock::Guard guard(g_lock);
    Thread& server = Thread::current();
    if (server.serving != nullptr) end_locked(*server.serving);
    if (call.depth > Call::kMaxDepth) return;
    server.serving = &call;
    server.exit_hook = &thread_exiting;
    call.server = &server;
    sched::lend_from(*call.caller);
}

void lending_ends(Call& call) {
    Lock::Guard guard(g_lock);
    end_locked(call);
}

void calling_ends(Call& call) {
    Lock::Guard guard(g_lock);
    end_locked(call);
    call.caller->calling = nullptr;
}

void thread_exiting(Thread& thread) {
    Lock::Guard guard(g_lock);
    Call* call = thread.serving;
    if (call == nullptr) return;
    end_locked(*call);
    call->server_died.store(true, std::memory_order_release);
    sched::unpark(*call->caller); // it cannot leave without this lock
}

} // namespace aios::ipc
