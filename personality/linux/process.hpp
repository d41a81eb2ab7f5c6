// The Linux side of a process: its Personality. State that Linux keeps a process: break, files, signal actions, tids; a
// thread: LinuxThread. Lock: Rank::process (mutex) guards files_, break and signal actions; futexes have their own
// (futex.hpp).
#pragma once

#include <atomic>

#include "kernel/agent/agent.hpp"
#include "kernel/agent/elf.hpp"
#include "personality/linux/abi.hpp"
#include "personality/linux/files.hpp"

namespace aios::linux_abi {

inline constexpr std::size_t kBounceBytes = 4096;

// A thread's own data: Thread::personality_data. Charged to the agent.
struct LinuxThread {
    Reservation charge;
    std::int32_t tid = 0;
    std::uint64_t clear_child_tid = 0; // user address, or 0
    std::uint64_t signal_mask = 0;
    std::uint64_t pending = 0; // signals sent to this thread, bit number - 1
    SignalStack alternate{0, kStackDisable, 0, 0};
    char name[16]{};
    std::byte bounce[kBounceBytes]; // for copies between file pages and user memory
};
[[nodiscard]] inline LinuxThread& data_of(Thread& thread) {
    return *static_cast<LinuxThread*>(thread.personality_data);
}
[[nodiscard]] inline LinuxThread& current_data() { return data_of(Thread::current()); }

class LinuxProcess final : public Personality {
public:
    static Result<LinuxProcess*> create(Process& process, const ProgramStart& start);

    void call(Thread& thread, arch::TrapFrame& frame) override;
    bool exception(Thread& thread, arch::TrapFrame& frame, std::uint64_t address) override;
    void interrupted(Thread& thread, arch::TrapFrame& frame) override;
    Result<> thread_created(Thread& thread) override;
    void thread_exited(Thread& thread) override;
    ~LinuxProcess() override = default;

    [[nodiscard]] Process& process() { return process_; }
    [[nodiscard]] mm::AddressSpace& memory() { return process_.memory(); }
    [[nodiscard]] cap::Table& table() { return process_.agent().table(); }
    [[nodiscard]] std::int32_t pid() const { return pid_; }

    sync::Mutex<sync::Rank::process> lock;
    FileTable files;                              // under lock
    Namespace name_space;                         // fixed at start
    SignalAction actions[kSignalCount]{};         // under lock
    std::uint64_t break_start = 0, break_end = 0; // under lock; break_end as the program asked
    std::uint64_t break_mapped = 0;               // page-aligned end of what is mapped
    char executable[kMaxPathBytes + 2]{};         // absolute path, NUL-ended

private:
    LinuxProcess(Process& process, Reservation charge) : process_(process), charge_(std::move(charge)) {}
    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
    void note_unanswered(std::uint64_t number);
    Process& process_;
    Reservation charge_;
    std::int32_t pid_ = 0;
    std::atomic<std::uint64_t> unanswered_[8]{}; // one bit a call number that was logged
    std::atomic<bool> unanswered_high_{false};
};

// What a call sees. Values are the six arguments.
struct Call {
    LinuxProcess& process;
    Thread& thread;
    arch::TrapFrame& frame;
    std::uint64_t a[6];
};

// A call's outcome: a value, or an errno.
using Outcome = std::expected<std::uint64_t, Errno>;
[[nodiscard]] inline std::unexpected<Errno> refuse(Errno error) { return std::unexpected<Errno>(error); }
[[nodiscard]] inline std::unexpected<Errno> refuse(Error error) { return std::unexpected<Errno>(errno_of(error)); }

// TRY for functions that answer Outcome: takes Result<T> or std::expected<T, Errno>.
#define LINUX_TRY(expression)                                                                                          \
    ({                                                                                                                 \
        auto&& linux_try_result_ = (expression);                                                                       \
        if (!linux_try_result_.has_value()) [[unlikely]]                                                               \
            return ::aios::linux_abi::refuse(linux_try_result_.error());                                               \
        ::aios::linux_abi::take(std::move(linux_try_result_));                                                         \
    })
template <typename T, typename E>
constexpr T take(std::expected<T, E>&& result) {
    if constexpr (!__is_void(T)) return *std::move(result);
}

// One user structure in or out; fetched once.
template <typename T>
[[nodiscard]] std::expected<T, Errno> load_user(std::uint64_t address) {
    T value;
    if (!arch::copy_from_user(&value, address, sizeof(T))) return refuse(kFault);
    return value;
}
template <typename T>
[[nodiscard]] Outcome store_user(std::uint64_t address, const T& value) {
    if (!arch::copy_to_user(address, &value, sizeof(T))) return refuse(kFault);
    return 0;
}

// Nanoseconds of a TimeSpec; kInvalid if it is negative or its nanoseconds are not below 10^9. Saturates.
[[nodiscard]] std::expected<std::uint64_t, Errno> nanoseconds_of(const TimeSpec& time);

// The handlers, one a supported call; coverage.def is the table. Each file *_calls.cpp holds one subject.
#define LINUX_CALL(number, name, tier, flags) Outcome call_##name(Call& call);
#include "personality/linux/coverage.def"
#undef LINUX_CALL

} // namespace aios::linux_abi
