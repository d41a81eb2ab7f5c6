// The end of channels without recursion: a channel may hold the last reference to a channel that holds the last
// reference to a third, as deep as an agent likes, and the kernel's stack is small. So what is to be emptied waits in
// one list, and a thread that is emptying one channel already leaves further ones to its own loop. Lock:
// Rank::wait_queue. Only kernel/ipc.
#pragma once

#include "kernel/ipc/channel.hpp"

namespace aios::ipc {

struct Disposal {
    static void purge(Channel& channel);   // throws its queue away, soon and on this thread
    static void destroy(Channel& channel); // its last reference is gone

private:
    struct List;
    static List list;
    static void work();
};

} // namespace aios::ipc
