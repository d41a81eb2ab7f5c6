// Lending of the caller's share to the thread that serves its call, through chains. Only kernel/ipc.
//
// A link is call.server -> the server's thread, and thread.serving -> the call. Its two ends belong to two threads, and
// each thread has a lend_lock (Rank::lending): that of the caller covers caller.calling and call.server, that of the
// server covers server.serving and server.billed. There is no lock for all; two pairs that have nothing to do with each
// other share nothing. A link is made, ended and followed like this:
//   (1) Who changes a link, or follows it from caller to server, holds the caller's lock first and the server's second.
//   (2) Locks are taken along a link only while it exists, which the first of them keeps so. Chains have no circle, as a
//       thread that waits in a call takes no other; so two that take pairs of locks never wait for each other.
//   (3) The caller's stack holds the call. The caller leaves only through calling_ends(), which takes both locks and ends
//       the link: whoever found the link under either lock may use both ends until he releases it.
//   (4) A server that wants its own link ended (it ends, or takes another call) knows only its own end: it takes a
//       reference to the caller's thread under its own lock, releases that, and then does (1). If the link is gone by
//       then, the caller ended it meanwhile, and that is as good.
//   (5) When a link ends, those behind the server are billed to what the server is billed to: link by link towards the
//       end of the chain, two locks at a time. Each step copies what holds at that moment, so of two that walk the same
//       chain the later one corrects the earlier.
#pragma once

#include "kernel/ipc/call.hpp"

namespace aios::ipc {

void calling_begins(Call& call); // the current thread is the caller
// The current thread has taken the call; what it served before runs on unlent. Under the channel's lock: the answer, a
// former caller, is to be dropped under none.
[[nodiscard]] Ref<Thread> lending_begins(Call& call);
// Whether somebody runs on the call's share: the current thread, which was handed the call. Under the channel's lock.
[[nodiscard]] bool is_served(const Call& call);
// The same as lending_begins(), made by the caller (the current thread) for a server that sleeps in ipc_reply_wait, and calling_begins() with
// it. Under the channel's lock, without which the server does not go on. Answers what sched::claim() does. A server that
// still serves another call gets no link: it ends that service itself when it takes this call.
[[nodiscard]] bool lending_begins_for(Call& call, Thread& server);
// The current thread answers the call, or does not take it after all. Under the channel's lock, which keeps the caller.
// `ended`: the link was its own; it still runs on the caller's share, and goes back by sched::hand_over() or lend_end()
// before that lock is released. `of_another`: nothing has changed.
enum class OwnLink : std::uint8_t { ended, none, of_another };
[[nodiscard]] OwnLink end_own_link(Call& call);
void lending_ends(Call& call); // answered: by the server, while the caller is held in `answering`
void calling_ends(Call& call); // the caller leaves: it has its answer, or gives up

} // namespace aios::ipc
