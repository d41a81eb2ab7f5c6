// poll, ppoll, select and pselect6: one look at all files, and if none is ready a wait that ends when one is, with a look
// after each wake-up. A file stays for the length of the call, whatever becomes of its descriptor.
#include "kernel/time/clock.hpp"
#include "personality/linux/poll_set.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

// How long a call may wait.
struct Patience {
    sched::Deadline deadline = sched::kNever;
    bool waits = true; // false: one look
};
Patience patience_of(std::uint64_t ns) { return {time::deadline_after(ns), ns != 0}; }

// Calls `look` until it counts something, for as long as the call may wait. 0: time is up.
template <typename F>
Outcome wait_for_files(Call& call, PollSet& set, const Patience& patience, std::uint64_t restarted, F&& look) {
    std::uint64_t found = look();
    if (found != 0) return found;
    // A signal that the call's own mask lets through ends it, also if it does not wait.
    if (has_deliverable(call.process, call.data())) {
        call.thread.interrupt();
        return interrupted_call(call, AfterHandler::ends, restarted);
    }
    if (!patience.waits) return 0;
    if (const Errno error = set.watch(); error != Errno{}) return refuse(error);
    for (;;) {
        found = look();
        if (found != 0) return found;
        const sched::Outcome outcome = set.wait(patience.deadline);
        if (outcome == sched::Outcome::interrupted) return interrupted_call(call, AfterHandler::ends, restarted);
        if (outcome == sched::Outcome::timed_out) return look();
    }
}

// What is left of the time is written back, as Linux does, but not over a time of 0. A place that cannot be written is no
// error.
struct TimeLeft {
    static std::uint64_t until(sched::Deadline deadline) {
        const std::uint64_t now = time::now_ns();
        return deadline > now ? deadline - now : 0;
    }
    static void write(UserInOut<TimeSpec> to, const Patience& patience) {
        if (to.is_null() || !patience.waits) return;
        const std::uint64_t left = until(patience.deadline);
        (void)to.out().write({static_cast<std::int64_t>(left / kSecond), static_cast<std::int64_t>(left % kSecond)});
    }
    static void write(UserInOut<TimeVal> to, const Patience& patience) {
        if (to.is_null() || !patience.waits) return;
        const std::uint64_t left = until(patience.deadline);
        (void)to.out().write(
            {static_cast<std::int64_t>(left / kSecond), static_cast<std::int64_t>(left % kSecond / 1000)});
    }
};

std::expected<Patience, Errno> read_patience(UserInOut<TimeSpec> from) {
    if (from.is_null()) return Patience{};
    const TimeSpec time = LINUX_TRY(from.read());
    return patience_of(LINUX_TRY(nanoseconds_of(time)));
}

// The entries of poll, in the kernel: few on the stack, else on the heap.
class Entries {
public:
    static std::expected<Entries, Errno> fetch(Payer& payer, UserIn<PollEntry> user, std::uint32_t count) {
        Entries made;
        if (count > kFew) {
            auto room = mm::OwnedBytes::make(payer, count * sizeof(PollEntry));
            if (!room) return std::unexpected(kNoMemory);
            made.many_ = std::move(*room);
        }
        if (!user.read_array(0, made.data(), count)) return std::unexpected(kFault);
        return made;
    }
    // SAFETY: filled with whole entries above; the heap aligns to 16.
    [[nodiscard]] PollEntry* data() {
        return many_.data() != nullptr ? reinterpret_cast<PollEntry*>(many_.data()) : few_;
    }

private:
    static constexpr std::uint32_t kFew = 8;
    Entries() = default;
    PollEntry few_[kFew]{};
    mm::OwnedBytes many_;
};

Outcome poll_files(Call& call, UserInOut<PollEntry> user, std::uint32_t count, const Patience& patience,
                   std::uint64_t restarted) {
    if (count > kMaxFiles) return refuse(kInvalid);
    Entries fetched = LINUX_TRY(Entries::fetch(call.process.quota(), user, count));
    PollEntry* const entries = fetched.data();
    PollSet set(call.process);
    std::uint64_t invalid = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        PollEntry& entry = entries[i];
        entry.raised = 0;
        if (entry.fd < 0) continue;
        auto file = file_of(call, Descriptor(static_cast<std::uint64_t>(entry.fd)));
        if (!file || (*file)->path_only) {
            entry.raised = kPollInvalid;
            ++invalid;
            continue;
        }
        const auto wanted = static_cast<std::uint32_t>(static_cast<std::uint16_t>(entry.events));
        if (const Errno error = set.add(std::move(*file), wanted); error != Errno{}) return refuse(error);
    }
    // The files of the set are those of the entries that have one, in their order.
    const auto look = [&] {
        std::uint64_t found = invalid;
        std::size_t at = 0;
        for (std::uint32_t i = 0; i < count; ++i) {
            PollEntry& entry = entries[i];
            if (entry.fd < 0 || entry.raised == kPollInvalid) continue;
            entry.raised = static_cast<std::int16_t>(set.ready(at++));
            if (entry.raised != 0) ++found;
        }
        return found;
    };
    const Outcome found = wait_for_files(call, set, patience, restarted, look);
    if (!found) return found;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint64_t at = user.address() + i * sizeof(PollEntry) + offsetof(PollEntry, raised);
        LINUX_TRY(UserOut<std::int16_t>(at).write(entries[i].raised));
    }
    return found;
}

// --- select ----------------------------------------------------------------------------------------------------------

constexpr std::size_t kSetWords = kMaxFiles / 64;
constexpr std::uint32_t kReadBits = kPollReadNormal | kPollReadBand | kPollIn | kPollHangUp | kPollError;
constexpr std::uint32_t kWriteBits = kPollWriteBand | kPollWriteNormal | kPollOut | kPollError;
constexpr std::uint32_t kExceptBits = kPollPriority;

// The three sets of select: what is asked of each descriptor, then what is so.
struct Sets {
    std::uint64_t read[kSetWords]{}, write[kSetWords]{}, except[kSetWords]{};
    void clear(std::uint32_t fd) {
        const std::uint64_t mask = ~(1ull << (fd % 64));
        read[fd / 64] &= mask;
        write[fd / 64] &= mask;
        except[fd / 64] &= mask;
    }
    [[nodiscard]] std::uint64_t word(std::size_t i) const { return read[i] | write[i] | except[i]; }
    static bool has(const std::uint64_t* set, std::uint32_t fd) { return (set[fd / 64] >> (fd % 64) & 1) != 0; }
};

struct UserSets {
    UserInOut<std::uint64_t> read, write, except;
};

std::expected<Sets, Errno> fetch_sets(const UserSets& user, std::uint32_t count) {
    Sets sets;
    const std::size_t words = (count + 63) / 64;
    if (!user.read.is_null()) LINUX_TRY(user.read.read_array(0, sets.read, words));
    if (!user.write.is_null()) LINUX_TRY(user.write.read_array(0, sets.write, words));
    if (!user.except.is_null()) LINUX_TRY(user.except.read_array(0, sets.except, words));
    if (count % 64 != 0) {
        const std::uint64_t mask = (1ull << (count % 64)) - 1;
        sets.read[words - 1] &= mask;
        sets.write[words - 1] &= mask;
        sets.except[words - 1] &= mask;
    }
    return sets;
}

Outcome select_files(Call& call, std::int32_t highest, const UserSets& user, const Patience& patience) {
    if (highest < 0) return refuse(kInvalid);
    const auto count = highest > static_cast<std::int32_t>(kMaxFiles) ? static_cast<std::uint32_t>(kMaxFiles)
                                                                      : static_cast<std::uint32_t>(highest);
    const Sets asked = LINUX_TRY(fetch_sets(user, count));
    PollSet set(call.process);
    const auto for_asked = [&](auto&& one) -> Errno {
        for (std::uint32_t fd = 0; fd < count; ++fd) {
            if ((asked.word(fd / 64) >> (fd % 64) & 1) == 0) continue;
            if (const Errno error = one(fd); error != Errno{}) return error;
        }
        return Errno{};
    };
    const Errno refused = for_asked([&](std::uint32_t fd) -> Errno {
        auto file = file_of(call, Descriptor(std::uint64_t{fd}));
        if (!file) return file.error();
        std::uint32_t bits = 0;
        if (Sets::has(asked.read, fd)) bits |= kReadBits;
        if (Sets::has(asked.write, fd)) bits |= kWriteBits;
        if (Sets::has(asked.except, fd)) bits |= kExceptBits;
        return set.add(std::move(*file), bits);
    });
    if (refused != Errno{}) return refuse(refused);
    Sets found;
    const auto look = [&] {
        std::uint64_t bits = 0;
        std::size_t at = 0;
        found = asked;
        (void)for_asked([&](std::uint32_t fd) {
            const std::uint32_t ready = set.ready(at++);
            found.clear(fd);
            const std::uint64_t bit = 1ull << (fd % 64);
            const auto note = [&](const std::uint64_t* wanted, std::uint64_t* out, std::uint32_t meaning) {
                if (!Sets::has(wanted, fd) || (ready & meaning) == 0) return;
                out[fd / 64] |= bit;
                ++bits;
            };
            note(asked.read, found.read, kReadBits);
            note(asked.write, found.write, kWriteBits);
            note(asked.except, found.except, kExceptBits);
            return Errno{};
        });
        return bits;
    };
    const Outcome outcome = wait_for_files(call, set, patience, 0, look);
    if (!outcome) return outcome;
    const std::size_t words = (count + 63) / 64;
    if (!user.read.is_null()) LINUX_TRY(user.read.out().write_array(0, found.read, words));
    if (!user.write.is_null()) LINUX_TRY(user.write.out().write_array(0, found.write, words));
    if (!user.except.is_null()) LINUX_TRY(user.except.out().write_array(0, found.except, words));
    return outcome;
}

} // namespace

Outcome call_poll(Call& call, UserInOut<PollEntry> entries, std::uint32_t count, std::int32_t milliseconds) {
    Patience patience;
    if (milliseconds >= 0) patience = patience_of(static_cast<std::uint64_t>(milliseconds) * 1'000'000);
    if (milliseconds >= 0 && call.data().restarted_deadline != 0) patience.deadline = call.data().restarted_deadline;
    return poll_files(call, entries, count, patience, milliseconds >= 0 ? patience.deadline : 0);
}

Outcome call_ppoll(Call& call, UserInOut<PollEntry> entries, std::uint32_t count, UserInOut<TimeSpec> time,
                   UserIn<std::uint64_t> mask, std::uint64_t set_bytes) {
    const Patience patience = LINUX_TRY(read_patience(time));
    MaskOfCall own_mask(call);
    if (const Errno error = own_mask.set(mask, set_bytes); error != Errno{}) return refuse(error);
    const Outcome outcome = poll_files(call, entries, count, patience, 0); // a restart reads what is left
    TimeLeft::write(time, patience);
    return outcome;
}

Outcome call_select(Call& call, std::int32_t highest, UserInOut<std::uint64_t> read, UserInOut<std::uint64_t> write,
                    UserInOut<std::uint64_t> except, UserInOut<TimeVal> time) {
    Patience patience;
    if (!time.is_null()) {
        TimeVal given = LINUX_TRY(time.read());
        if (given.seconds < 0 || given.microseconds < 0) return refuse(kInvalid);
        given.seconds += given.microseconds / 1'000'000; // more than a second of them is fine
        patience = patience_of(LINUX_TRY(nanoseconds_of({given.seconds, given.microseconds % 1'000'000 * 1000})));
    }
    const Outcome outcome = select_files(call, highest, {read, write, except}, patience);
    TimeLeft::write(time, patience);
    return outcome;
}

// The last argument points to the mask and its size.
Outcome call_pselect6(Call& call, std::int32_t highest, UserInOut<std::uint64_t> read, UserInOut<std::uint64_t> write,
                      UserInOut<std::uint64_t> except, UserInOut<TimeSpec> time, UserIn<std::uint64_t> mask) {
    std::uint64_t own[2] = {0, 0};
    if (!mask.is_null()) LINUX_TRY(mask.read_array(0, own, 2));
    const Patience patience = LINUX_TRY(read_patience(time));
    MaskOfCall own_mask(call);
    if (const Errno error = own_mask.set(UserIn<std::uint64_t>(own[0]), own[1]); error != Errno{}) return refuse(error);
    const Outcome outcome = select_files(call, highest, {read, write, except}, patience);
    TimeLeft::write(time, patience);
    return outcome;
}

} // namespace aios::linux_abi
