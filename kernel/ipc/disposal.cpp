// One loop that empties and frees channels. See disposal.hpp.
#include "kernel/ipc/disposal.hpp"

#include "kernel/ipc/transfer.hpp"

namespace aios::ipc {

using Lock = sync::SpinLock<sync::Rank::wait_queue>;

// Channels to be emptied (one reference each) or destroyed (dead, no reference).
struct Disposal::List {
    Lock lock;
    IntrusiveList<Channel, &Channel::disposal_node_> channels;
};
constinit Disposal::List Disposal::list;

void Disposal::work() {
    Thread& me = Thread::current();
    if (me.is_disposing) return; // a frame above us goes on with it
    me.is_disposing = true;
    for (;;) {
        Channel* channel;
        {
            Lock::Guard guard(list.lock);
            channel = list.channels.pop_front();
        }
        if (channel == nullptr) break;
        channel->purge();
        if (channel->is_dead_)
            mm::destroy(channel);
        else
            channel->release(); // perhaps the last one: then it is in the list again
    }
    me.is_disposing = false;
}

void Disposal::purge(Channel& channel) {
    {
        Lock::Guard guard(list.lock);
        if (!channel.disposal_node_.is_linked()) {
            channel.retain();
            list.channels.push_back(channel);
        }
    }
    work();
}

void Disposal::destroy(Channel& channel) {
    {
        Lock::Guard guard(list.lock);
        channel.is_dead_ = true;
        list.channels.push_back(channel);
    }
    work();
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
        discard(store_.parcels(*message));
        store_.drop_parcels(*message);
        Lock::Guard guard(lock_);
        free_locked(*message);
    }
}

void Channel::last_reference_gone() { Disposal::destroy(*this); }

Channel::~Channel() { AIOS_ASSERT(open_calls_.is_empty() && store_.held() == 0); }

} // namespace aios::ipc
