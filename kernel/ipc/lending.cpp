// Who runs on whose share. The protocol is in lending.hpp.
#include "kernel/ipc/lending.hpp"

namespace aios::ipc {

namespace {

// The locks of both ends of a link, the caller's first.
class AIOS_SCOPED PairGuard {
public:
    PairGuard(Thread& caller, Thread& server) AIOS_ACQUIRE(caller.lend_lock, server.lend_lock)
        : caller_(caller), server_(server) {
        caller_.lend_lock.acquire();
        server_.lend_lock.acquire_peer();
    }
    ~PairGuard() AIOS_RELEASE() {
        server_.lend_lock.release();
        caller_.lend_lock.release();
    }
    PairGuard(const PairGuard&) = delete;

private:
    arch::InterruptGuard interrupts_;
    Thread& caller_;
    Thread& server_;
};

using Guard = sync::SpinLock<sync::Rank::lending>::Guard;

void link_locked(Call& call, Thread& server) AIOS_REQUIRES(call.caller->lend_lock, server.lend_lock) {
    call.caller->lend_lock.assert_held();
    server.lend_lock.assert_held();
    call.caller->calling = &call;
    call.server = &server;
    server.serving = &call;
}

// Ends the link of `call` to `server`.
void unlink_locked(Call& call, Thread& server) AIOS_REQUIRES(call.caller->lend_lock, server.lend_lock) {
    call.caller->lend_lock.assert_held();
    server.lend_lock.assert_held();
    AIOS_ASSERT(call.server == &server && server.serving == &call);
    call.server = nullptr;
    server.serving = nullptr;
    sched::lend_end(server, *call.caller);
}

// Step 5. `at` is billed to somebody else now: so are those who work for it.
void bill_servants(Ref<Thread> at) {
    for (unsigned depth = 0; at && depth < Call::kMaxDepth; ++depth) {
        Ref<Thread> next;
        {
            Guard guard(at->lend_lock);
            if (at->calling == nullptr) return;
            at->calling->caller->lend_lock.assert_held(); // `at` is the caller of what it waits in
            if (at->calling->server == nullptr) return;
            Thread& servant = *at->calling->server;
            next = Ref<Thread>::share(servant);
            servant.lend_lock.acquire_peer();
            sched::lend_change(servant, *at->billed);
            servant.lend_lock.release();
        }
        at = std::move(next);
    }
}

enum class Why : std::uint8_t { takes_another, exits };

// Step 4. Answers the caller, to be dropped under no lock.
Ref<Thread> end_own_service(Thread& me, Why why) {
    Ref<Thread> caller;
    Call* call;
    {
        Guard guard(me.lend_lock);
        call = me.serving;
        if (call == nullptr) return {};
        caller = Ref<Thread>::share(*call->caller);
    }
    PairGuard guard(*caller, me);
    // Only we take calls on, so `serving` is still this call or nothing, and while it is this call the caller is there.
    if (me.serving != call) return caller;
    call->caller->lend_lock.assert_held(); // who is `caller`
    unlink_locked(*call, me);
    if (why == Why::exits) {
        call->server_died.store(true, std::memory_order_release); // pairs with the acquire in reason_to_leave()
        sched::unpark(*caller);
    }
    return caller;
}

} // namespace

void calling_begins(Call& call) {
    Thread& caller = Thread::current();
    Guard guard(caller.lend_lock);
    call.caller = &caller;
    call.depth = caller.serving != nullptr ? caller.serving->depth + 1 : 1;
    caller.calling = &call;
}

// Under the lock of the call's channel, which keeps the caller.
Ref<Thread> lending_begins(Call& call) {
    Thread& server = Thread::current();
    Ref<Thread> former = end_own_service(server, Why::takes_another);
    if (call.depth > Call::kMaxDepth) return former;
    // The server waits in no call, so no link leads away from it and nobody holds its lock and wants another.
    PairGuard guard(*call.caller, server);
    link_locked(call, server);
    sched::lend_from(*call.caller);
    return former;
}

// No analysis: it reads without the caller's lock what nobody changes now. A link of this call to another thread ended
// when that gave the call back, and one to the current thread is ended by itself alone, as the caller is kept.
bool is_served(const Call& call) AIOS_NO_LOCK_ANALYSIS { return call.server != nullptr; }

// A server in ipc_reply_wait waits in no call either.
bool lending_begins_for(Call& call, Thread& server) {
    PairGuard guard(*call.caller, server);
    call.depth = call.caller->serving != nullptr ? call.caller->serving->depth + 1 : 1;
    call.caller->calling = &call;
    if (server.serving != nullptr || call.depth > Call::kMaxDepth) return sched::claim(server);
    link_locked(call, server);
    return sched::lend_and_claim(server);
}

OwnLink end_own_link(Call& call) {
    Thread& me = Thread::current();
    PairGuard guard(*call.caller, me);
    if (call.server != nullptr && call.server != &me) return OwnLink::of_another;
    call.caller->calling = nullptr;
    if (call.server == nullptr) return OwnLink::none;
    call.server = nullptr;
    me.serving = nullptr;
    return OwnLink::ended;
}

void lending_ends(Call& call) {
    Ref<Thread> with_servants;
    {
        Guard guard(call.caller->lend_lock);
        Thread* server = call.server; // not always the current thread: any of its agent may answer
        if (server == nullptr) return;
        server->lend_lock.acquire_peer();
        if (server->calling != nullptr) with_servants = Ref<Thread>::share(*server);
        unlink_locked(call, *server);
        server->lend_lock.release();
    }
    bill_servants(std::move(with_servants));
}

void calling_ends(Call& call) {
    lending_ends(call);
    Guard guard(call.caller->lend_lock);
    call.caller->calling = nullptr;
}

} // namespace aios::ipc

namespace aios::sched::upcall {

void thread_exits(Thread& thread) { static_cast<void>(ipc::end_own_service(thread, ipc::Why::exits)); }

} // namespace aios::sched::upcall
