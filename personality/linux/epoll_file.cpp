// Items in and out of an epoll file, and delivery. See epoll_file.hpp and epoll_item.hpp.
#include "personality/linux/epoll_file.hpp"

#include "personality/linux/poll_set.hpp"

namespace aios::linux_abi {
namespace {

using WatchedLock = sync::SpinLock<sync::Rank::watched_file>;
constexpr std::size_t kWatchedLocks = 64;
constinit WatchedLock g_watched_locks[kWatchedLocks];

WatchedLock& lock_of(const OpenFile* file) {
    const auto address = reinterpret_cast<std::uintptr_t>(file); // SAFETY: only hashed
    return g_watched_locks[(address >> 6 ^ address >> 12) % kWatchedLocks];
}

event::Interest interest_of(std::uint32_t events) {
    event::Mode mode = event::Mode::level;
    if ((events & kEpollEdge) != 0) mode = event::Mode::changed;
    if ((events & kEpollOneShot) != 0)
        mode = event::Mode::once; // what is set, one time: so an edge makes no difference
    return {signals_for(events), mode};
}

} // namespace

std::expected<Ref<EpollFile>, Errno> EpollFile::create(Call& call) {
    auto queue = LINUX_TRY(event::EventQueue::create(call.process.quota()));
    return make_file<EpollFile>(call, std::move(queue), call.process.family().new_inode());
}

// The lock of a file outlives the file; while we hold it, one that the item still names is there.
bool EpollFile::end(EpollItem& item) {
    for (;;) {
        OpenFile* const file = item.file.load(std::memory_order_acquire);
        if (file == nullptr) return false;
        {
            WatchedLock::Guard guard(lock_of(file));
            if (item.file.load(std::memory_order_relaxed) != file) continue;
            EpollFile& epoll = item.epoll; // linked, so it is there
            Lock::Guard items_guard(epoll.lock_);
            file->watched.items_.remove(item);
            epoll.by_target_.erase(item);
            epoll.by_id_.erase(item);
            item.file.store(nullptr, std::memory_order_relaxed);
        }
        (void)item.queue->cancel(item.id); // it may have ended with its source
        item.release();
        return true;
    }
}

void WatchedFile::end_all(OpenFile& file) {
    // acquire: whoever was the last to let go of the file has seen it set, if it ever was.
    if (!has_been_watched_.load(std::memory_order_acquire)) return;
    for (;;) {
        Ref<EpollItem> item;
        {
            WatchedLock::Guard guard(lock_of(&file));
            EpollItem* const there = items_.front();
            if (there == nullptr) return;
            item = Ref<EpollItem>::share(*there);
        }
        EpollFile::end(*item);
    }
}

Ref<EpollItem> EpollFile::find(const OpenFile& file, Descriptor fd) {
    Lock::Guard guard(lock_);
    EpollItem* const item = by_target_.find(EpollItem::Target{&file, fd.number});
    return item != nullptr ? Ref<EpollItem>::share(*item) : Ref<EpollItem>();
}

Ref<EpollItem> EpollFile::first() {
    Lock::Guard guard(lock_);
    EpollItem* const item = by_id_.first();
    return item != nullptr ? Ref<EpollItem>::share(*item) : Ref<EpollItem>();
}

EpollFile::~EpollFile() {
    while (const Ref<EpollItem> item = first())
        end(*item); // or the file's end was faster: then it is in no tree any more
}

Outcome EpollFile::add(Call& call, const Ref<OpenFile>& file, Descriptor fd, std::uint32_t events, std::uint64_t data) {
    event::Source* const source = file->source();
    if (source == nullptr) return refuse(kPerm);
    sync::Mutex<sync::Rank::open_file>::Guard control(control_);
    if (find(*file, fd)) return refuse(kExists);
    Payer& payer = call.process.quota();
    Reservation charge = LINUX_TRY(Reservation::make(payer, Resource::memory, mm::cost_of<EpollItem>));
    auto item = Ref<EpollItem>::adopt(
        LINUX_TRY(mm::make<EpollItem>(std::move(charge), queue_, *this, *file, fd.number, ++last_id_)));
    item->events = events;
    item->data = data;
    file->watched.has_been_watched_.store(true, std::memory_order_release);
    {
        WatchedLock::Guard guard(lock_of(file.get()));
        Lock::Guard items_guard(lock_);
        item->file.store(file.get(), std::memory_order_relaxed);
        file->watched.items_.push_back(*item);
        by_target_.insert(*item);
        by_id_.insert(*item);
        item->retain(); // the lists'
    }
    // The caller holds the file, so its end does not come in between; and control_, so nothing else of ours does.
    event::EventQueue* const inner =
        file->kind() == FileKind::epoll ? static_cast<EpollFile&>(*file).queue_.get() : nullptr;
    const Result<> done = queue_->listen(payer, *source, inner, interest_of(events), item->id);
    if (done) return 0;
    end(*item);
    return refuse(done.error() == Error::busy ? kLoop : errno_of(done.error()));
}

Outcome EpollFile::change(OpenFile& file, Descriptor fd, std::uint32_t events, std::uint64_t data) {
    sync::Mutex<sync::Rank::open_file>::Guard control(control_);
    const Ref<EpollItem> item = find(file, fd);
    if (!item) return refuse(kNoEntry);
    {
        Lock::Guard guard(lock_);
        if ((item->events & kEpollExclusive) != 0) return refuse(kInvalid);
        item->events = events;
        item->data = data;
    }
    LINUX_TRY(queue_->change(item->id, interest_of(events)));
    return 0;
}

Outcome EpollFile::remove(OpenFile& file, Descriptor fd) {
    sync::Mutex<sync::Rank::open_file>::Guard control(control_);
    const Ref<EpollItem> item = find(file, fd);
    return item && end(*item) ? Outcome(0) : refuse(kNoEntry);
}

// What the program gets for a packet; false: nothing, the item is gone or what was told is over.
bool EpollFile::event_of(const EventPacket& packet, EpollEvent& event) {
    Ref<OpenFile> to_ask; // let go of when the lock is dropped
    std::uint32_t wanted = 0;
    {
        Lock::Guard guard(lock_);
        EpollItem* const item = by_id_.find(packet.key);
        if (item == nullptr) return false;
        wanted = item->events | kPollError | kPollHangUp;
        event.data_low = static_cast<std::uint32_t>(item->data);
        event.data_high = static_cast<std::uint32_t>(item->data >> 32);
        // Some files know better than their level. One that is ending has nothing to tell.
        OpenFile* const file = item->file.load(std::memory_order_relaxed);
        if (file->kind() == FileKind::epoll || file->kind() == FileKind::signals) {
            if (!file->try_retain()) return false;
            to_ask = Ref<OpenFile>::adopt(file);
        }
    }
    event.events = poll_bits(to_ask ? to_ask->ready() : packet.signals) & wanted;
    if (event.events != 0) return true;
    // It was disarmed for nothing.
    if ((wanted & kEpollOneShot) != 0) (void)queue_->change(packet.key, interest_of(wanted));
    return false;
}

Outcome EpollFile::deliver(std::span<const EventPacket> packets, UserOut<EpollEvent> out) {
    std::uint64_t done = 0;
    for (std::size_t i = 0; i < packets.size(); ++i) {
        EpollEvent event{};
        if (!event_of(packets[i], event)) continue;
        if (out.write(event, done)) {
            ++done;
            continue;
        }
        // What cannot be told now is told again.
        for (const EventPacket& packet : packets.subspan(i)) {
            Ref<EpollItem> item;
            std::uint32_t events = 0;
            {
                Lock::Guard guard(lock_);
                EpollItem* const there = by_id_.find(packet.key);
                if (there == nullptr) continue;
                item = Ref<EpollItem>::share(*there);
                events = there->events;
            }
            (void)queue_->change(item->id, interest_of(events));
        }
        return done != 0 ? Outcome(done) : refuse(kFault);
    }
    return done;
}

Outcome EpollFile::wait(Call& call, UserOut<EpollEvent> out, std::uint64_t most, sched::Deadline deadline,
                        std::uint64_t restarted) {
    EventPacket few[kFewPackets];
    std::span<EventPacket> packets(few);
    mm::OwnedBytes many;
    std::uint64_t items = 0;
    {
        Lock::Guard guard(lock_);
        items = by_id_.size();
    }
    const std::uint64_t room = std::min({most, std::max(items, kFewPackets), kMostPackets});
    if (room > kFewPackets) {
        many = LINUX_TRY(mm::OwnedBytes::make(call.process.quota(), room * sizeof(EventPacket)));
        // SAFETY: written by the queue before it is read; the heap aligns to 16.
        packets = {reinterpret_cast<EventPacket*>(many.data()), room};
    }
    packets = packets.first(std::min<std::uint64_t>(room, packets.size()));
    for (;;) {
        const auto taken = queue_->wait(packets, deadline, {});
        if (!taken && taken.error() == Error::timed_out) return 0;
        if (!taken) return interrupted_call(call, AfterHandler::ends, restarted);
        const Outcome done = deliver(packets.first(*taken), out);
        if (!done || *done != 0) return done;
        if (call.thread.is_killed()) return refuse(kInterrupted); // else: all that was told is over, so once more
    }
}

} // namespace aios::linux_abi
