#include "personality/linux/process_file.hpp"

#include "personality/linux/anonymous_file.hpp"
#include "personality/linux/process_view.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

class ProcessFile final : public OpenFile {
public:
    ProcessFile(Reservation charge, Ref<ProcessEnd> end, std::int32_t number, std::uint64_t inode)
        : OpenFile(std::move(charge), {}, FileKind::process), pid(number), end_(std::move(end)), inode_(inode) {}
    [[nodiscard]] event::Source* source() override { return &end_->source; }
    [[nodiscard]] Stat info() const override { return anonymous_info(0700, inode_); }
    [[nodiscard]] bool is_seekable() const override { return false; }
    Outcome read(Call&, UserOut<std::byte>, std::uint64_t) override { return refuse(kInvalid); }
    Outcome write(Call&, UserIn<std::byte>, std::uint64_t) override { return refuse(kInvalid); }
    [[nodiscard]] bool has_ended() const { return (end_->source.levels() & kSignalReadable) != 0; }

    const std::int32_t pid;

private:
    const Ref<ProcessEnd> end_;
    const std::uint64_t inode_;
};

// SAFETY of the downcast: its kind.
ProcessFile& file_as_process(OpenFile& file) { return static_cast<ProcessFile&>(file); }

// (1) Room for the end, before the lock. (2) The entry gets it, unless it has one. A process that has ended already says so at
// once; one that ends from here on finds it in the entry (ProcessTable::end).
std::expected<Ref<ProcessEnd>, Errno> end_of(Call& call, std::int32_t pid) {
    Reservation charge = LINUX_TRY(Reservation::make(call.process.quota(), Resource::memory, mm::cost_of<ProcessEnd>));
    auto made = Ref<ProcessEnd>::adopt(LINUX_TRY(mm::make<ProcessEnd>(std::move(charge)))); // (1)
    ProcessTable& family = call.process.family();
    bool has_ended = false;
    {
        ProcessTable::Lock::Guard guard(family.lock);
        ProcessEntry* const entry = family.find_locked(pid);
        if (entry == nullptr) return std::unexpected(family.find_thread_locked(pid) != nullptr ? kInvalid : kNoProcess);
        if (entry->ending) {
            Ref<ProcessEnd> there = entry->ending;
            std::swap(there, made); // ours goes outside the lock
            return made;
        }
        entry->ending = made; // (2)
        has_ended = entry->process == nullptr;
    }
    if (has_ended) made->source.set(kSignalReadable);
    return made;
}

// Whether the number still means the process that the descriptor was opened for.
bool names_same(ProcessTable& family, std::int32_t pid, OpenFile& file) {
    ProcessTable::Lock::Guard guard(family.lock);
    const ProcessEntry* const entry = family.find_locked(pid);
    return entry != nullptr && entry->ending.get() != nullptr && &entry->ending->source == file.source();
}

} // namespace

std::expected<std::int32_t, Errno> process_of(OpenFile& file) {
    if (file.kind() != FileKind::process) return std::unexpected(kBadFd);
    return file_as_process(file).pid;
}

Outcome open_process(Call& call, std::int32_t pid, std::uint64_t flags) {
    auto end = LINUX_TRY(end_of(call, pid));
    auto file = LINUX_TRY(make_file<ProcessFile>(call, std::move(end), pid, call.process.family().new_inode()));
    return install(call, std::move(file), flags | kOpenCloseOnExec);
}

Outcome call_pidfd_open(Call& call, std::int32_t pid, Flags<kOpenNonBlock> flags) {
    return pid <= 0 ? refuse(kInvalid) : open_process(call, pid, flags.bits);
}

// (1) The view holds the process, whoever has the number. (2) If that is the one that was meant, its file comes over.
Outcome call_pidfd_getfd(Call& call, Descriptor fd, Descriptor theirs, Flags<0> flags) {
    static_cast<void>(flags);
    const auto file = LINUX_TRY(file_of(call, fd));
    const std::int32_t pid = LINUX_TRY(process_of(*file));
    const ProcessView view = LINUX_TRY(view_living(call.process.family(), pid, 0)); // (1)
    if (!names_same(call.process.family(), pid, *file)) return refuse(kNoProcess);
    LinuxProcess& process = *view.linux_process;
    if (!may_look_into(call, process)) return refuse(kPerm);
    Ref<OpenFile> there;
    {
        LinuxProcess::Lock::Guard guard(process.lock);
        there = LINUX_TRY(process.files.get(theirs));
    }
    LinuxProcess::Lock::Guard guard(call.process.lock); // (2)
    return call.process.files.add(call.process.quota(), std::move(there), OnExec::close);
}

Outcome call_pidfd_send_signal(Call& call, Descriptor fd, std::int32_t signal, UserIn<SignalInfoRecord> info,
                               Flags<0> flags) {
    static_cast<void>(flags);
    const auto file = LINUX_TRY(file_of(call, fd));
    const std::int32_t pid = LINUX_TRY(process_of(*file));
    if (signal < 0 || signal > kSignalCount) return refuse(kInvalid);
    SentSignal sent{signal, kCodeUser, call.process.pid()};
    sent.overrun = static_cast<std::int32_t>(call.process.real_user.load(std::memory_order_relaxed));
    if (!info.is_null()) {
        const SignalInfoRecord given = LINUX_TRY(info.read());
        if (given.signal != signal) return refuse(kInvalid);
        if (pid != call.process.pid() && (given.code >= 0 || given.code == kCodeThread)) return refuse(kPerm);
        sent.code = given.code;
        sent.sender = static_cast<std::int32_t>(given.first);
        sent.overrun = static_cast<std::int32_t>(given.first >> 32);
        sent.value = given.rest[0];
    }
    // A zombie takes signals and does nothing with them; once it was waited for there is nobody, or somebody else.
    if (!names_same(call.process.family(), pid, *file)) return refuse(kNoProcess);
    if (const Errno error = may_signal(call, pid, signal); error != Errno{}) return refuse(error);
    const Errno error =
        send_to_process(call.process.family(), pid, sent, &call.data(), make_queued(call.process.quota(), signal));
    return error == Errno{} ? Outcome(0) : refuse(error);
}

} // namespace aios::linux_abi
