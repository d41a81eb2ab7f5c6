// What the files without a name share: pipes, event, timer, signal and epoll descriptors.
#pragma once

#include "kernel/mm/size_classes.hpp"
#include "personality/linux/process.hpp"
#include "personality/linux/tree_file.hpp"

namespace aios::linux_abi {

[[nodiscard]] inline Stat anonymous_info(std::uint32_t mode, std::uint64_t inode) {
    Stat out{};
    out.device = kNoTreeDevice;
    out.inode = inode;
    out.links = 1;
    out.mode = mode;
    out.block_bytes = static_cast<std::int64_t>(arch::kPageSize);
    return out;
}

// A file of the kind T, charged to the process, open for reading and writing.
template <typename T, typename... A>
std::expected<Ref<T>, Errno> make_file(Call& call, A&&... arguments) {
    Reservation charge = LINUX_TRY(Reservation::make(call.process.quota(), Resource::memory, mm::cost_of<T>));
    auto file = Ref<T>::adopt(LINUX_TRY(mm::make<T>(std::move(charge), std::forward<A>(arguments)...)));
    file->readable = file->writable = true;
    return file;
}

// Waits for `ready`, which is what a blocking read or write does: Errno{}, or EINTR to be answered, after a signal whose
// handler does not restart it; kAgain where O_NONBLOCK says not to wait.
template <typename Condition>
std::expected<void, Errno> wait_for(Call& call, const OpenFile& file, sched::WaitQueue& queue, Condition&& ready) {
    if (file.non_blocking) {
        if (!ready()) return std::unexpected(kAgain);
        return {};
    }
    if (queue.wait(sched::kNever, std::forward<Condition>(ready)) == sched::Outcome::ready) return {};
    return interrupted_call(call, AfterHandler::restarts);
}

} // namespace aios::linux_abi
