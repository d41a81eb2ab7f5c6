// The two sides of a Stream. Numbers in brackets are the steps of stream.hpp.
#include "kernel/ipc/stream.hpp"

#include <bit>
#include <cstring>

#include "kernel/sched/thread.hpp"

namespace aios::ipc {

using event::News;

Stream::Stream(Payer& payer, event::Source& reader, event::Source& writer, Ends ends)
    : payer_(Ref<Payer>::share(payer)), reader_(reader), writer_(writer), ends_(ends) {
    writer_.set(kSignalWritable);
}

std::byte* Stream::Ring::page(std::uint64_t position) const {
    const std::uint64_t index = position % bytes / kPageBytes;
    return tables[index / kPagesOfTable]->pages[index % kPagesOfTable].data();
}

Result<std::byte*> Stream::Ring::page_for(Payer& payer, std::uint64_t position) {
    const std::uint64_t index = position % bytes / kPageBytes;
    mm::Owned<PageTable>& table = tables[index / kPagesOfTable];
    if (!table) {
        Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<PageTable>));
        table = TRY(mm::own<PageTable>(std::move(charge)));
    }
    mm::OwnedBytes& place = table->pages[index % kPagesOfTable];
    if (place.data() == nullptr) place = TRY(mm::OwnedBytes::make(payer, kPageBytes));
    return place.data();
}

// One piece of what is asked for, from within the writing side: as much as there is room for; of a write that stays
// whole everything or would_block.
Result<std::uint64_t> Stream::write_now(StreamIn& from, std::uint64_t offset, std::uint64_t bytes) {
    std::uint64_t at = 0, room = 0;
    {
        Lock::Guard guard(lock_);
        if (is_reader_gone_) return fail(Error::peer_closed);
        // Nobody reads: who does has bytes before him. So short exchanges stay in the first page.
        if (head_ == tail_) head_ = tail_ = 0;
        at = head_;
        room = ring_.bytes - used_locked();
    }
    const bool stays_whole = offset == 0 && bytes <= kWhole;
    if (room == 0 || (stays_whole && room < bytes)) return fail(Error::would_block);
    const std::uint64_t wanted = std::min(room, bytes - offset);
    std::uint64_t done = 0;
    Error error{};
    bool has_failed = false;
    while (done < wanted && !has_failed) { // (2): no lock
        const std::uint64_t within = (at + done) % kPageBytes;
        const std::uint64_t part = std::min(wanted - done, kPageBytes - within);
        const auto page = ring_.page_for(*payer_, at + done);
        const Result<> copied = page ? from.fetch(offset + done, {*page + within, part}) : fail(page.error());
        has_failed = !copied;
        if (has_failed) {
            error = copied.error();
        } else {
            done += part;
        }
    }
    if (done == 0 || (stays_whole && has_failed)) return fail(error);
    News news;
    {
        Lock::Guard guard(lock_);
        if (offset == 0) from.published(total_);
        total_ += done;
        head_ += done;
        news = reader_.raise(kSignalReadable);
        const bool finds_out = is_reader_gone_ && (ends_.for_writer & kSignalWritable) != 0; // who writes
        if (!has_room_locked() && !finds_out) writer_.clear(kSignalWritable);
    }
    reader_.tell(news); // each write is told, also if there were bytes before: edges count
    readers_.wake_one();
    return done;
}

namespace {
bool is_dead(const sched::Through& through) { return through.node != nullptr && !through.node->is_held(); }
} // namespace

Result<std::uint64_t> Stream::write(StreamIn& from, std::uint64_t bytes, WhenFull when, sched::Through through) {
    if (bytes == 0) return 0;
    std::uint64_t done = 0;
    Error error{};
    for (;;) {
        {
            Inside inside(writing_);
            error = Error::interrupted; // if it does not come in, or is killed under way
            while (inside && done < bytes && !Thread::current().is_killed()) {
                const auto part = write_now(from, done, bytes);
                if (!part) {
                    error = part.error();
                    break;
                }
                done += *part;
            }
        }
        if (done == bytes || error != Error::would_block || when != WhenFull::wait) break;
        const auto has_room = [&] { // (4)
            if (is_dead(through)) return true;
            Lock::Guard guard(lock_);
            return is_reader_gone_ || has_room_locked();
        };
        const sched::Outcome outcome =
            writers_.wait(sched::kNever, has_room, sched::Interruptible::yes, nullptr, through);
        if (outcome == sched::Outcome::ready && !is_dead(through)) continue;
        error = outcome == sched::Outcome::ready ? Error::revoked : Error::interrupted;
        break;
    }
    // (4): however it ends, it may have been woken for room that it did not take.
    writers_.wake_one_if([this] {
        Lock::Guard guard(lock_);
        return has_room_locked();
    });
    return done != 0 ? Result<std::uint64_t>(done) : fail(error);
}

Result<std::uint64_t> Stream::read_now(StreamOut& to, std::uint64_t bytes, Take take) {
    std::uint64_t at = 0, wanted = 0;
    {
        Lock::Guard guard(lock_);
        if (head_ == tail_) return is_writer_gone_ ? Result<std::uint64_t>(0) : fail(Error::would_block);
        at = tail_;
        wanted = to.bound(total_ - used_locked(), std::min(used_locked(), bytes));
    }
    std::uint64_t done = 0;
    Result<> copied;
    while (done < wanted) { // (3)
        const std::uint64_t within = (at + done) % kPageBytes;
        const std::uint64_t part = std::min(wanted - done, kPageBytes - within);
        copied = to.store(done, {ring_.page(at + done) + within, part});
        if (!copied) break;
        done += part;
    }
    if (done == 0) return fail(copied.error());
    if (take == Take::no) return done;
    News news;
    {
        Lock::Guard guard(lock_);
        const bool had_room = has_room_locked();
        to.taken(total_ - used_locked());
        tail_ += done;
        const bool end_is_readable = is_writer_gone_ && (ends_.for_reader & kSignalReadable) != 0;
        if (head_ == tail_ && !end_is_readable) reader_.clear(kSignalReadable);
        if (!had_room && has_room_locked()) news = writer_.raise(kSignalWritable);
    }
    if (news.signals != 0) {
        writer_.tell(news);
        writers_.wake_one();
    }
    return done;
}

Result<std::uint64_t> Stream::read(StreamOut& to, std::uint64_t bytes, WhenEmpty when, Take take,
                                   sched::Through through) {
    if (bytes == 0) return 0;
    for (;;) {
        Result<std::uint64_t> done = fail(Error::interrupted);
        {
            Inside inside(reading_);
            if (inside) done = read_now(to, bytes, take);
        }
        if (!done && done.error() == Error::would_block && when == WhenEmpty::wait) {
            const auto has_bytes = [&] { // (4)
                if (is_dead(through)) return true;
                Lock::Guard guard(lock_);
                return is_writer_gone_ || head_ != tail_;
            };
            const sched::Outcome outcome =
                readers_.wait(sched::kNever, has_bytes, sched::Interruptible::yes, nullptr, through);
            if (outcome == sched::Outcome::ready && !is_dead(through)) continue;
            done = fail(outcome == sched::Outcome::ready ? Error::revoked : Error::interrupted);
        }
        readers_.wake_one_if([this] { // (4)
            Lock::Guard guard(lock_);
            return head_ != tail_;
        });
        return done;
    }
}

void Stream::close_writer() {
    News news;
    {
        Lock::Guard guard(lock_);
        is_writer_gone_ = true;
        news = reader_.raise(ends_.for_reader);
    }
    reader_.tell(news);
    readers_.wake_all();
}

void Stream::close_reader() {
    News news;
    {
        Lock::Guard guard(lock_);
        is_reader_gone_ = true;
        news = writer_.raise(ends_.for_writer);
    }
    writer_.tell(news);
    writers_.wake_all();
}

void Stream::wake_revoked(std::uint64_t holder) {
    readers_.wake_revoked(holder);
    writers_.wake_revoked(holder);
}

std::uint64_t Stream::waiting() const {
    Lock::Guard guard(lock_);
    return used_locked();
}

std::uint64_t Stream::capacity() const {
    Lock::Guard guard(lock_);
    return ring_.bytes;
}

// What waits, at the start of a new ring. From within both sides.
Result<Stream::Ring> Stream::copied(std::uint64_t bytes) {
    std::uint64_t from = 0, end = 0;
    {
        Lock::Guard guard(lock_);
        from = tail_;
        end = head_;
    }
    if (end - from > bytes) return fail(Error::busy);
    Ring made;
    made.bytes = bytes;
    for (std::uint64_t to = 0; from != end;) {
        const std::uint64_t part = std::min({end - from, kPageBytes - from % kPageBytes, kPageBytes - to % kPageBytes});
        std::byte* const page = TRY(made.page_for(*payer_, to));
        std::memcpy(page + to % kPageBytes, ring_.page(from) + from % kPageBytes, part);
        from += part;
        to += part;
    }
    return made;
}

Result<std::uint64_t> Stream::resize(std::uint64_t bytes) {
    if (bytes > kMostBytes) return fail(Error::too_large);
    const std::uint64_t wanted = std::bit_ceil(std::max(bytes, kPageBytes));
    {
        Inside writer(writing_); // first this, then the other: whoever holds one waits for nothing
        if (!writer) return fail(Error::interrupted);
        Inside reader(reading_);
        if (!reader) return fail(Error::interrupted);
        Ring made = TRY(copied(wanted));
        News news;
        {
            Lock::Guard guard(lock_);
            std::swap(ring_, made);
            head_ = used_locked();
            tail_ = 0;
            if (has_room_locked()) {
                news = writer_.raise(kSignalWritable);
            } else {
                writer_.clear(kSignalWritable);
            }
        }
        writer_.tell(news);
    }
    writers_.wake_one_if([this] {
        Lock::Guard guard(lock_);
        return has_room_locked();
    });
    return wanted;
}

} // namespace aios::ipc
