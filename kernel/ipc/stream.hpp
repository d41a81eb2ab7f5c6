// Stream: a ring of bytes with one writing and one reading side. A Linux pipe is one; a socket inside an agent is two.
//
// Whoever makes it pays. Its pages come when they are first written to and stay until it ends, so it never holds more
// than its capacity; what cannot be paid for is quota_exceeded to the writer.
//
// How bytes get from one side to the other:
//  (1) Each side is entered by one thread at a time (Side). That keeps a write of up to kWhole bytes in one piece, and
//      two readers from taking the same bytes. A side is a flag with a wait queue, not a mutex: user memory may fault
//      while it is held, so whoever waits for it can be interrupted and killed.
//  (2) Under the lock the writer reads how much room there is. Only readers change that meanwhile, and they make it
//      more. It copies into the room with no lock held, and then publishes under the lock: the head moves on, and
//      `readable` is raised. A copy that fails in the middle publishes what was copied whole pages before.
//  (3) The reader does the same with what there is and the tail; `writable` is raised once there is room for kWhole.
//  (4) Nobody waits for bytes or room inside a side. Who waits sleeps on the level (readers_, writers_), and the one
//      who makes the step to it wakes one. Whoever was woken and leaves it set wakes the next.
//  (5) An end closes when its last holder has let go of it. That is a level too, told to all.
//
// The levels are those of two sources that the owner provides, one an end (both may be parts of one object, or for a
// socket the same), and outlive the stream: `readable` and the signals of the end to the reader, `writable` and
// those of the end to the writer. They are true whenever the lock is free.
//
// Locks: Rank::stream, then what Source takes. No user memory is touched under it.
#pragma once

#include <algorithm>

#include "base/types.hpp"
#include "kernel/cap/derivation.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/object/source.hpp"
#include "kernel/sched/wait_queue.hpp"

namespace aios::ipc {

// Where the bytes of one write come from, and where those of one read go. Called with a side held, but under no lock.
class StreamIn {
public:
    virtual Result<> fetch(std::uint64_t offset, MutableBytes to) = 0;
    // Its first byte is in, at this position of all that was ever written. Once, under the stream's lock.
    virtual void published(std::uint64_t position) { (void)position; }

protected:
    ~StreamIn() = default;
};
class StreamOut {
public:
    virtual Result<> store(std::uint64_t offset, Bytes from) = 0;
    // How many of `bytes` (not 0) from this position on may be taken together, at least 1; and: some of them were taken. Both
    // under the stream's lock.
    virtual std::uint64_t bound(std::uint64_t position, std::uint64_t bytes) {
        (void)position;
        return bytes;
    }
    virtual void taken(std::uint64_t position) { (void)position; }

protected:
    ~StreamOut() = default;
};

// The kernel's own bytes as one side.
class BytesIn final : public StreamIn {
public:
    explicit BytesIn(Bytes bytes) : bytes_(bytes) {}
    Result<> fetch(std::uint64_t offset, MutableBytes to) override {
        const Bytes part = bytes_.subspan(offset, to.size());
        std::copy(part.begin(), part.end(), to.begin());
        return {};
    }

private:
    const Bytes bytes_;
};
// What is left of another one, from `skip` on.
class OffsetOut final : public StreamOut {
public:
    OffsetOut(StreamOut& to, std::uint64_t skip) : to_(to), skip_(skip) {}
    Result<> store(std::uint64_t offset, Bytes from) override { return to_.store(skip_ + offset, from); }
    std::uint64_t bound(std::uint64_t position, std::uint64_t bytes) override { return to_.bound(position, bytes); }
    void taken(std::uint64_t position) override { to_.taken(position); }

private:
    StreamOut& to_;
    const std::uint64_t skip_;
};

enum class WhenFull : bool { fail, wait };  // would_block, or sleep
enum class WhenEmpty : bool { fail, wait }; // likewise
enum class Take : bool { no, yes };         // whether what is read is gone from the ring

class Stream : Pinned {
public:
    static constexpr std::uint64_t kWhole =
        4096; // a write of so much is never split (PIPE_BUF), nor waits if `writable`
    static constexpr std::uint64_t kDefaultBytes = 64 << 10, kMostBytes = 1 << 20;

    // What is told, and stays so: to the reader when no writer is left (with kSignalReadable among it the end counts as
    // something to read), and to the writer when no reader is left.
    struct Ends {
        std::uint64_t for_reader = kSignalClosed;
        std::uint64_t for_writer = kSignalError;
    };
    // Of `reader` and `writer` only these, and the two levels, change.
    Stream(Payer& payer, event::Source& reader, event::Source& writer, Ends ends);

    // Up to `bytes`: those up to kWhole as a whole, of more as many as go in before an error. peer_closed (no reader is
    // left), would_block, interrupted, quota_exceeded and out_of_memory (pages), and what `from` answers. An error is
    // answered only if nothing was written. 0 bytes are 0, whatever the state. `through`: the capability that the call is
    // made with, if it is made with one; a call that waits when that is revoked answers `revoked`.
    Result<std::uint64_t> write(StreamIn& from, std::uint64_t bytes, WhenFull when, sched::Through through = {});
    // Up to `bytes` of what there is; waits for the first. 0: no writer is left, and everything was read.
    Result<std::uint64_t> read(StreamOut& to, std::uint64_t bytes, WhenEmpty when, Take take = Take::yes,
                               sched::Through through = {});

    void close_writer(); // any context without locks; more than once is once
    void close_reader();
    void wake_revoked(std::uint64_t holder); // capabilities of its are dead: who waits through them leaves. No locks

    [[nodiscard]] std::uint64_t waiting() const; // bytes to read
    [[nodiscard]] std::uint64_t capacity() const;
    // Rounds up to a power of two of pages; answers what it is then. too_large (more than kMostBytes), busy (it holds
    // more than that), quota_exceeded, out_of_memory, interrupted.
    Result<std::uint64_t> resize(std::uint64_t bytes);

private:
    using Lock = sync::SpinLock<sync::Rank::stream>;
    static constexpr std::uint64_t kPageBytes = arch::kPageSize;
    static constexpr unsigned kPagesOfTable = 16;

    // One thread at a time (1).
    class Side {
    public:
        bool enter() {
            return queue_.wait(sched::kNever, [this] { return !is_busy_.exchange(true, std::memory_order_acquire); }) ==
                   sched::Outcome::ready;
        }
        void leave() {
            is_busy_.store(false, std::memory_order_release); // pairs with the exchange in enter()
            queue_.wake_one();
        }

    private:
        std::atomic<bool> is_busy_{false};
        sched::WaitQueue queue_;
    };
    class Inside {
    public:
        explicit Inside(Side& side) : side_(side), is_in_(side.enter()) {}
        ~Inside() {
            if (is_in_) side_.leave();
        }
        Inside(const Inside&) = delete;
        explicit operator bool() const { return is_in_; } // false: interrupted

    private:
        Side& side_;
        const bool is_in_;
    };

    // The pages of a ring, made as they are needed.
    struct PageTable {
        explicit PageTable(Reservation reservation) : charge(std::move(reservation)) {}
        ~PageTable() = default;
        Reservation charge;
        mm::OwnedBytes pages[kPagesOfTable];
    };
    struct Ring {
        std::uint64_t bytes = kDefaultBytes; // a power of two
        mm::Owned<PageTable> tables[kMostBytes / kPageBytes / kPagesOfTable];
        [[nodiscard]] std::byte* page(std::uint64_t position) const; // that was written to
        Result<std::byte*> page_for(Payer& payer, std::uint64_t position);
    };

    Result<std::uint64_t> write_now(StreamIn& from, std::uint64_t offset, std::uint64_t bytes);
    Result<std::uint64_t> read_now(StreamOut& to, std::uint64_t bytes, Take take);
    Result<Ring> copied(std::uint64_t bytes);
    [[nodiscard]] std::uint64_t used_locked() const AIOS_REQUIRES(lock_) {
        lock_.assert_held();
        return head_ - tail_;
    }
    [[nodiscard]] bool has_room_locked() const AIOS_REQUIRES(lock_) {
        lock_.assert_held();
        return ring_.bytes - used_locked() >= kWhole;
    }

    const Ref<Payer> payer_;
    event::Source& reader_;
    event::Source& writer_;
    const Ends ends_;
    Side reading_, writing_;
    sched::WaitQueue readers_, writers_; // that sleep for bytes or room (4)
    mutable Lock lock_;
    std::uint64_t head_ AIOS_GUARDED_BY(lock_) = 0, tail_ AIOS_GUARDED_BY(lock_) =
                                                        0; // positions; both only grow, but when empty
    std::uint64_t total_ AIOS_GUARDED_BY(lock_) = 0; // bytes that were ever written: positions for those who count
    bool is_writer_gone_ AIOS_GUARDED_BY(lock_) = false, is_reader_gone_ AIOS_GUARDED_BY(lock_) = false;
    Ring ring_; // pages: by whoever is in the writing side. Replaced by whoever is in both, under the lock
};

} // namespace aios::ipc
