// The end of channels without recursion: a channel may hold the last reference to a channel that holds the last
// reference to a third, as deep as an agent likes, and the kernel's stack is small. So a thread that is emptying one
// channel leaves further ones to its own loop: they stand in a list of that thread's, which no other thread sees.
// Nobody works off what another agent closed, and there is no lock to share.
//
//  (1) Whoever wants a channel emptied claims it (disposal_claimed_) and puts it, with a reference, into his thread's
//      list. Who finds it claimed has nothing to do: its claimer has not begun to empty it.
//  (2) The claimer takes it out, gives the claim up, and only then empties it. A message that came before (1) found the
//      claim is seen: the claim is exchanged before the queue is looked at.
//  (3) A channel whose last reference is gone is in no list, because a list holds one: it joins that of the thread that
//      dropped it, and is freed by it.
// Only kernel/ipc.
#pragma once

#include "kernel/ipc/channel.hpp"

namespace aios::ipc {

struct Disposal {
    static void
    purge(Channel& channel); // throws its queue away, soon: on this thread, or on that of who wanted it before
    static void destroy(Channel& channel); // its last reference is gone

    // What a thread that is at it has still to do. On its stack; Thread::disposing points to it.
    IntrusiveList<Channel, &Channel::disposal_node_> channels;

private:
    static void add(Channel& channel);
};

} // namespace aios::ipc
