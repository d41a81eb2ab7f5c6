// The loop that empties and frees channels. See disposal.hpp.
#include "kernel/ipc/disposal.hpp"

#include "kernel/ipc/transfer.hpp"

namespace aios::ipc {

// Into this thread's list; the outermost call of the thread works it off.
void Disposal::add(Channel& first) {
    Thread& me = Thread::current();
    if (me.disposing != nullptr) { // a frame above us goes on with it
        me.disposing->channels.push_back(first);
        return;
    }
    Disposal mine;
    me.disposing = &mine;
    mine.channels.push_back(first);
    while (Channel* channel = mine.channels.pop_front()) {
        // seq_cst: who finds the claim taken has put what is to be thrown away into the queue before.
        channel->disposal_claimed_.store(false, std::memory_order_seq_cst);
        channel->purge();
        if (channel->is_dead_)
            mm::destroy(channel);
        else
            channel->release(); // perhaps the last one: then it is in the list again
    }
    me.disposing = nullptr;
}

void Disposal::purge(Channel& channel) {
    if (channel.disposal_claimed_.exchange(true, std::memory_order_seq_cst)) return;
    channel.retain();
    add(channel);
}

void Disposal::destroy(Channel& channel) {
    channel.is_dead_ = true;
    add(channel);
}

void Channel::purge() {
    for (;;) {
        MessageHeader* message;
        {
            Lock::Guard guard(lock_);
            message = store_.pop_front();
            source_.clear(kSignalReadable);
        }
        if (message == nullptr) return;
        contents().drop_parcels(*message);
        free(*message);
    }
}

void Channel::last_reference_gone() { Disposal::destroy(*this); }

Channel::~Channel() { AIOS_ASSERT(open_calls_.is_empty() && store_.held() == 0); }

} // namespace aios::ipc
