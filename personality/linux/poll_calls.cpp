// poll. Every file that there is can be read and written at once, so only bad descriptors, absent ones and
// time make a difference.
#include "kernel/time/clock.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

struct PollEntry { // struct pollfd
    std::int32_t fd;
    std::int16_t events, raised;
};
constexpr std::int16_t kPollIn = 1, kPollOut = 4, kPollInvalid = 32, kPollReadNormal = 64, kPollWriteNormal = 256;

std::int16_t state_of(Call& call, const PollEntry& entry) {
    if (entry.fd < 0) return 0;
    const auto file = file_of(call, static_cast<std::uint64_t>(entry.fd));
    if (!file || (*file)->path_only) return kPollInvalid;
    return entry.events & (kPollIn | kPollOut | kPollReadNormal | kPollWriteNormal);
}

Outcome poll(Call& call, std::uint64_t deadline, bool is_relative) {
    const std::uint64_t count = call.a[1] & 0xffff'ffff;
    if (count > kMaxFiles) return refuse(kInvalid);
    std::uint64_t ready = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t at = call.a[0] + i * sizeof(PollEntry);
        auto entry = LINUX_TRY(load_user<PollEntry>(at));
        entry.raised = state_of(call, entry);
        LINUX_TRY(store_user(at + offsetof(PollEntry, raised), entry.raised));
        if (entry.raised != 0) ++ready;
    }
    if (ready != 0) return ready;
    if (is_relative && call.data().restarted_deadline != 0) deadline = call.data().restarted_deadline;
    if (sched::sleep_until(deadline) != sched::Outcome::interrupted) return 0;
    return interrupted_call(call, false, is_relative ? deadline : 0);
}

} // namespace

Outcome call_poll(Call& call) {
    const auto milliseconds = static_cast<std::int32_t>(call.a[2]);
    if (milliseconds < 0) return poll(call, sched::kNever, false);
    return poll(call, time::deadline_after(static_cast<std::uint64_t>(milliseconds) * 1'000'000), true);
}

} // namespace aios::linux_abi
