// Event descriptors (eventfd): a count that writes add to and reads take from.
//
// Holds always, under the lock: `readable` is set while the count is not 0, `writable` while 1 can be added. Each read
// and write tells its level, also one that was set before, as Linux does: edges count. Lock: Rank::stream.
#include "personality/linux/anonymous_file.hpp"

namespace aios::linux_abi {
namespace {

class EventFile final : public OpenFile {
public:
    EventFile(Reservation charge, std::uint64_t count, bool is_semaphore, std::uint64_t inode)
        : OpenFile(std::move(charge)), inode_(inode), is_semaphore_(is_semaphore), count_(count),
          source_(kSignalWritable | (count != 0 ? kSignalReadable : 0)) {}
    [[nodiscard]] event::Source* source() override { return &source_; }
    [[nodiscard]] Stat info() const override { return anonymous_info(0600, inode_); }
    [[nodiscard]] bool is_seekable() const override { return false; }

    Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) override {
        if (bytes < sizeof(std::uint64_t)) return refuse(kInvalid);
        std::uint64_t taken = 0;
        LINUX_TRY(wait_for(call, *this, readers_, [&] { return take(taken); }));
        writers_.wake_all(); // of different needs
        readers_.wake_one_if([this] {
            Lock::Guard guard(lock_);
            return count_ != 0;
        });
        LINUX_TRY(UserOut<std::uint64_t>(to.address()).write(taken)); // a bad address loses it, as on Linux
        return sizeof(taken);
    }

    Outcome write(Call& call, UserIn<std::byte> from, std::uint64_t bytes) override {
        if (bytes < sizeof(std::uint64_t)) return refuse(kInvalid);
        const auto added = LINUX_TRY(UserIn<std::uint64_t>(from.address()).read());
        if (added == kNever) return refuse(kInvalid);
        LINUX_TRY(wait_for(call, *this, writers_, [&] { return add(added); }));
        readers_.wake_one();
        return sizeof(added);
    }

private:
    using Lock = sync::SpinLock<sync::Rank::stream>;
    static constexpr std::uint64_t kNever = ~0ull; // the count stays below

    bool take(std::uint64_t& taken) {
        event::News news;
        {
            Lock::Guard guard(lock_);
            if (count_ == 0) return false;
            taken = is_semaphore_ ? 1 : count_;
            count_ -= taken;
            if (count_ == 0) source_.clear(kSignalReadable);
            news = source_.raise(kSignalWritable);
        }
        source_.tell(news);
        return true;
    }
    bool add(std::uint64_t value) {
        event::News news;
        {
            Lock::Guard guard(lock_);
            if (value >= kNever - count_) return false;
            count_ += value;
            if (count_ == kNever - 1) source_.clear(kSignalWritable);
            if (count_ != 0) news = source_.raise(kSignalReadable);
        }
        source_.tell(news);
        return true;
    }

    const std::uint64_t inode_;
    const bool is_semaphore_;
    Lock lock_;
    std::uint64_t count_ AIOS_GUARDED_BY(lock_);
    event::Source source_;
    sched::WaitQueue readers_, writers_;
};

Outcome create(Call& call, std::uint32_t count, std::uint64_t flags) {
    auto file = LINUX_TRY(make_file<EventFile>(call, std::uint64_t{count}, (flags & kEventSemaphore) != 0,
                                               call.process.family().new_inode()));
    return install(call, std::move(file), flags);
}

} // namespace

Outcome call_eventfd(Call& call, std::uint32_t count) { return create(call, count, 0); }
Outcome call_eventfd2(Call& call, std::uint32_t count, Flags<kFileFlags | kEventSemaphore> flags) {
    return create(call, count, flags.bits);
}

} // namespace aios::linux_abi
