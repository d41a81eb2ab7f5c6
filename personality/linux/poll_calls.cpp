// poll: what the files are ready for at once, or a sleep for as long as was asked. So far no file that is not ready
// becomes so later.
#include "kernel/time/clock.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::int16_t kPollIn = 1, kPollOut = 4, kPollInvalid = 32, kPollReadNormal = 64, kPollWriteNormal = 256;

std::int16_t state_of(Call& call, const PollEntry& entry) {
    if (entry.fd < 0) return 0;
    const auto file = file_of(call, Descriptor(static_cast<std::uint64_t>(entry.fd)));
    if (!file || (*file)->path_only) return kPollInvalid;
    const std::uint64_t ready = (*file)->ready();
    int raised = 0;
    if ((ready & kSignalReadable) != 0) raised |= kPollIn | kPollReadNormal;
    if ((ready & kSignalWritable) != 0) raised |= kPollOut | kPollWriteNormal;
    return static_cast<std::int16_t>(entry.events & raised);
}

} // namespace

// Answers at once what is ready; else sleeps, for `milliseconds` or, where they are negative, for ever.
Outcome call_poll(Call& call, UserInOut<PollEntry> entries, std::uint32_t count, std::int32_t milliseconds) {
    if (count > kMaxFiles) return refuse(kInvalid);
    std::uint64_t ready = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        auto entry = LINUX_TRY(entries.read(i));
        entry.raised = state_of(call, entry);
        const std::uint64_t at = entries.address() + i * sizeof(PollEntry) + offsetof(PollEntry, raised);
        LINUX_TRY(UserOut<std::int16_t>(at).write(entry.raised));
        if (entry.raised != 0) ++ready;
    }
    if (ready != 0) return ready;
    sched::Deadline deadline = sched::kNever;
    if (milliseconds >= 0) deadline = time::deadline_after(static_cast<std::uint64_t>(milliseconds) * 1'000'000);
    if (milliseconds >= 0 && call.data().restarted_deadline != 0) deadline = call.data().restarted_deadline;
    if (sched::sleep_until(deadline) != sched::Outcome::interrupted) return 0;
    return interrupted_call(call, AfterHandler::ends, milliseconds >= 0 ? deadline : 0);
}

} // namespace aios::linux_abi
