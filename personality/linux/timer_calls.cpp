// Timer descriptors (timerfd). The expiry comes in the timer's interrupt and only counts; reading takes the count.
//
// Locks: setting_ (a mutex) keeps apart those who arm the timer, as an entry is armed by one at a time; lock_
// (Rank::timer_file) guards what the interrupt changes, and is taken under Rank::timer_queue. A timer tells
// event::kMaxOfTimer listeners at most, as every timer.
#include "kernel/agent/agent.hpp"
#include "kernel/time/clock.hpp"
#include "personality/linux/anonymous_file.hpp"
#include "personality/linux/timer_spec.hpp"

namespace aios::linux_abi {
namespace {

class TimerFile final : public OpenFile {
public:
    TimerFile(Reservation charge, Ref<Agent> agent, ClockId clock, std::uint64_t inode)
        : OpenFile(std::move(charge), {}, FileKind::timer), clock(clock), agent_(std::move(agent)), inode_(inode) {
        entry_.payer = &agent_->share_group();
    }
    ~TimerFile() override { time::cancel(entry_); }
    [[nodiscard]] event::Source* source() override { return &source_; }
    [[nodiscard]] Stat info() const override { return anonymous_info(0600, inode_); }
    [[nodiscard]] bool is_seekable() const override { return false; }

    Outcome write(Call&, UserIn<std::byte>, std::uint64_t) override { return refuse(kInvalid); }
    Outcome read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) override {
        if (bytes < sizeof(std::uint64_t)) return refuse(kInvalid);
        std::uint64_t taken = 0;
        LINUX_TRY(wait_for(call, *this, readers_, [&] {
            Lock::Guard guard(lock_);
            if (count_ == 0) return false;
            catch_up_locked();
            taken = std::exchange(count_, 0);
            source_.clear(kSignalReadable);
            return true;
        }));
        arm_again();
        LINUX_TRY(UserOut<std::uint64_t>(to.address()).write(taken));
        return sizeof(taken);
    }

    struct Setting {
        std::uint64_t due = time::kNever, period = 0; // ns, monotonic
    };
    // Answers what was set before.
    Setting set(const Setting& wanted) {
        sync::Mutex<sync::Rank::open_file>::Guard setting(setting_);
        time::cancel(entry_);
        Setting before;
        {
            Lock::Guard guard(lock_);
            catch_up_locked();
            before = std::exchange(setting_now_, wanted);
            is_due_again_ = false;
            count_ = 0;
            source_.clear(kSignalReadable);
        }
        time::arm(entry_, wanted.due);
        return before;
    }
    Setting left() {
        Setting now;
        {
            Lock::Guard guard(lock_);
            catch_up_locked();
            now = setting_now_;
        }
        arm_again();
        return now;
    }

    const ClockId clock;

private:
    using Lock = sync::SpinLock<sync::Rank::timer_file>;
    struct Entry final : time::TimerEntry {
        explicit Entry(TimerFile& owner) : TimerEntry(&TimerFile::fired), file(owner) {}
        TimerFile& file;
    };
    // SAFETY of the downcast: only TimerFile makes entries with this function.
    static std::uint64_t fired(time::TimerEntry& entry, std::uint64_t) {
        TimerFile& file = static_cast<Entry&>(entry).file;
        event::News news;
        {
            Lock::Guard guard(file.lock_);
            ++file.count_;
            file.rests_ = file.setting_now_.period != 0;
            if (!file.rests_) file.setting_now_.due = time::kNever;
            news = file.source_.raise(kSignalReadable);
        }
        file.source_.tell(news);
        file.readers_.wake_one();
        return time::kNever;
    }
    // A timer that repeats rests after an expiry until somebody looks, as on Linux: an interval that nobody reads costs
    // nothing. What would have expired meanwhile is counted then. arm_again() follows.
    void catch_up_locked() AIOS_REQUIRES(lock_) {
        lock_.assert_held();
        if (!rests_) return;
        rests_ = false;
        is_due_again_ = true;
        const std::uint64_t now = time::now_ns();
        const std::uint64_t missed = now > setting_now_.due ? (now - setting_now_.due) / setting_now_.period : 0;
        count_ += missed;
        std::uint64_t step = 0;
        if (__builtin_mul_overflow(missed + 1, setting_now_.period, &step) ||
            __builtin_add_overflow(setting_now_.due, step, &setting_now_.due))
            setting_now_.due = time::kNever - 1; // set, however late
    }
    void arm_again() {
        sync::Mutex<sync::Rank::open_file>::Guard setting(setting_);
        std::uint64_t due = time::kNever;
        {
            Lock::Guard guard(lock_);
            if (!std::exchange(is_due_again_, false)) return; // somebody has armed it
            due = setting_now_.due;
        }
        time::arm(entry_, due);
    }

    const Ref<Agent> agent_; // whose share pays for the expiries
    const std::uint64_t inode_;
    // PROTOCOL: who arms or cancels the entry holds it, so that it is done by one at a time.
    sync::Mutex<sync::Rank::open_file> setting_;
    Lock lock_;
    Setting setting_now_ AIOS_GUARDED_BY(lock_);
    std::uint64_t count_ AIOS_GUARDED_BY(lock_) = 0;   // expiries that nobody has read
    bool rests_ AIOS_GUARDED_BY(lock_) = false;        // has expired, would repeat, and is not armed
    bool is_due_again_ AIOS_GUARDED_BY(lock_) = false; // caught up, and not armed yet
    event::Source source_{0, event::kMaxOfTimer};
    sched::WaitQueue readers_;
    Entry entry_{*this};
};

std::expected<Ref<OpenFile>, Errno> timer_of(Call& call, Descriptor fd) {
    auto file = LINUX_TRY(file_of(call, fd));
    if (file->kind() != FileKind::timer) return std::unexpected(kInvalid);
    return file;
}

// What is left until the next expiry; all zero if none comes.
} // namespace

Outcome call_timerfd_create(Call& call, std::int32_t clock, Flags<kFileFlags> flags) {
    constexpr std::int32_t kRealtimeAlarm = 8, kBoottimeAlarm = 9;
    if (clock == kRealtimeAlarm || clock == kBoottimeAlarm) return refuse(kPerm); // nobody may wake the machine
    const auto id = static_cast<ClockId>(clock);
    if (id != ClockId::realtime && id != ClockId::monotonic && id != ClockId::boottime) return refuse(kInvalid);
    auto file = LINUX_TRY(
        make_file<TimerFile>(call, Ref<Agent>::share(call.process.agent()), id, call.process.family().new_inode()));
    return install(call, std::move(file), flags.bits);
}

// TFD_TIMER_CANCEL_ON_SET is accepted: nobody sets the clock.
Outcome call_timerfd_settime(Call& call, Descriptor fd, Flags<kTimerAbsolute | kTimerCancelOnSet> flags,
                             UserIn<TimerSpec> spec, UserOut<TimerSpec> old) {
    const TimerSpec wanted = LINUX_TRY(spec.read());
    const std::uint64_t value = LINUX_TRY(nanoseconds_of(wanted.value));
    const std::uint64_t interval = LINUX_TRY(nanoseconds_of(wanted.interval));
    const auto file = LINUX_TRY(timer_of(call, fd));
    auto& timer = static_cast<TimerFile&>(*file); // SAFETY of the downcast: its kind
    TimerFile::Setting setting;
    setting.period = interval;
    if (value != 0) {
        setting.due = time::deadline_after(value);
        if (flags.has(kTimerAbsolute))
            setting.due = timer.clock == ClockId::realtime ? time::monotonic_of_wall(value) : value;
        if (setting.due == time::kNever) --setting.due; // set, however late
    }
    const TimerFile::Setting before = timer.set(setting);
    return old.is_null() ? Outcome(0) : answer(old, spec_of(before));
}

Outcome call_timerfd_gettime(Call& call, Descriptor fd, UserOut<TimerSpec> out) {
    const auto file = LINUX_TRY(timer_of(call, fd));
    return answer(out, spec_of(static_cast<TimerFile&>(*file).left())); // SAFETY of the downcast: its kind
}

} // namespace aios::linux_abi
