// Dispatch of Linux calls from the coverage table, and the Personality's entry points.
#include <span>

#include "kernel/arch/log.hpp"
#include "kernel/mm/size_classes.hpp"
#include "personality/linux/process.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kTableSize = 512; // above every number of coverage.def
using Arguments = std::span<const std::uint64_t, 6>;
using Invoker = Outcome (*)(Call&, Arguments);

template <typename T>
concept IsFlags = requires(T value) { value.are_answered(); };

// Gives a handler its arguments as the table types them.
template <auto Function>
struct Invoke;
template <typename... A, Outcome (*Function)(Call&, A...)>
struct Invoke<Function> {
    static_assert(sizeof...(A) <= 6);
    static Outcome run(Call& call, Arguments values) { return with(call, values, std::index_sequence_for<A...>()); }
    template <std::size_t... I>
    static Outcome with(Call& call, [[maybe_unused]] Arguments values, std::index_sequence<I...>) {
        Errno refused{};
        (check(A(values[I]), refused), ...);
        if (refused != Errno{}) return refuse(refused);
        return Function(call, A(values[I])...);
    }
    template <typename T>
    static void check(const T& argument, Errno& refused) {
        if constexpr (IsFlags<T>) {
            if (!argument.are_answered()) refused = T::kRefused;
        } else {
            (void)argument, (void)refused;
        }
    }
};

struct Table {
    Invoker invokers[kTableSize]{};
    constexpr Table() {
#define LINUX_CALL(number, name, tier, restart, answered, arguments) invokers[number] = Invoke<&call_##name>::run;
#include "personality/linux/coverage.def"
#undef LINUX_CALL
    }
};
constexpr Table kTable;

constexpr Restart restart_class(std::uint64_t of) {
    switch (of) {
#define LINUX_CALL(number, name, tier, restart, answered, arguments)                                                   \
    case number:                                                                                                       \
        return Restart::restart;
#include "personality/linux/coverage.def"
#undef LINUX_CALL
    default:
        return Restart::outcome;
    }
}

} // namespace

void LinuxProcess::call(Thread& thread, arch::TrapFrame& frame) {
    const arch::CallArguments arguments = arch::call_arguments(frame);
    const Invoker invoke = arguments.number < kTableSize ? kTable.invokers[arguments.number] : nullptr;
    if (invoke == nullptr) {
        note_unanswered(arguments.number);
        arch::set_call_result(frame, -kNoSystemCall);
        return;
    }
    Call call{*this, thread, frame, arguments.number};
    const Outcome outcome = invoke(call, arguments.values);
    call.data().restarted_deadline = 0;
    arch::set_call_result(frame, outcome ? static_cast<std::int64_t>(*outcome) : -outcome.error());
}

std::unexpected<Errno> interrupted_call(Call& call, AfterHandler after, std::uint64_t deadline) {
    call.data().interrupted = {true, after, call.number, deadline};
    return refuse(kInterrupted);
}

// One line for each call that was not answered. Not for rseq: every C library asks for it, and lives without it.
void LinuxProcess::note_unanswered(std::uint64_t number) {
    constexpr std::uint64_t kRestartableSequences = 334;
    if (number == kRestartableSequences) return;
    if (number < kTableSize) {
        const std::uint64_t bit = 1ull << (number % 64);
        if ((unanswered_[number / 64].fetch_or(bit, std::memory_order_relaxed) & bit) != 0) return;
    } else if (unanswered_high_.exchange(true, std::memory_order_relaxed)) {
        return;
    }
    log_info("linux: agent {} called {}, which is not answered (ENOSYS)", process_.agent().name(), number);
}

bool LinuxProcess::exception(Thread& thread, arch::TrapFrame& frame, std::uint64_t address) {
    if (deliver_fault(*this, thread, frame, address)) return true;
    if (is_first()) return false; // its end is the agent's, which is told as a fault
    agent().note_fault(frame.vector, address, frame.rip);
    (void)leave(EndReason::killed, static_cast<std::uint64_t>(signal_of_fault(*this, frame, address)));
    return true;
}

Restart LinuxProcess::restart_of(std::uint64_t number) const { return restart_class(number); }

void LinuxProcess::interrupted(Thread& thread, arch::TrapFrame& frame) { deliver_pending(*this, thread, frame); }

std::expected<Bounce, Errno> Bounce::make(LinuxProcess& process) {
    Reservation charge = LINUX_TRY(Reservation::make(process.quota(), Resource::memory, kBytes));
    const arch::PhysAddr frame = LINUX_TRY(mm::allocate_frames(0));
    return Bounce(std::move(charge), static_cast<std::byte*>(arch::physmap(frame)));
}

Bounce::~Bounce() {
    if (data_ != nullptr) mm::release_frames(arch::physmap_to_phys(data_), 0);
}

} // namespace aios::linux_abi
