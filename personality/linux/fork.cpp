// fork and vfork. The child is made whole before anybody can hear of its end:
//   (1) Its memory: a copy that is copied on write, paid for at once; or with CLONE_VM its parent's own, which goes with the
//       last process that uses it.
//   (2) The process of the kernel, the Linux side of it with what it inherits, its entry in the table. From here on signals
//       find it; they wait until it has a thread.
//   (3) Its thread. If it cannot be had the entry is forgotten (LinuxProcess::cancel), and nobody hears of a child.
//   (4) It starts. With CLONE_VFORK the caller waits until the child has memory of its own or has ended.
#include "personality/linux/fork.hpp"

#include <cstring>
#include <optional>

#include "personality/linux/cpu_clock.hpp"
#include "personality/linux/process_file.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

// Not by signals, as on Linux; if it is killed it goes.
void wait_for_vforked(Call& call, VforkWait& wait) {
    ProcessTable& family = call.process.family();
    const auto is_released = [&] {
        ProcessTable::Lock::Guard guard(family.lock);
        return wait.child == nullptr;
    };
    while (wait.queue.wait(sched::kNever, is_released) != sched::Outcome::ready) {
        if (call.thread.is_killed()) {
            ProcessTable::Lock::Guard guard(family.lock);
            if (wait.child != nullptr) wait.child->vforked = nullptr; // this frame goes
            return;
        }
        call.thread.clear_interrupt();
    }
    if (has_deliverable(call.process, call.data())) call.thread.interrupt();
}

Result<Ref<mm::AddressSpace>> memory_for(Call& call, std::uint64_t flags) {
    if ((flags & kCloneVm) != 0) return Ref<mm::AddressSpace>::share(call.process.memory());
    return call.process.memory().clone_copy_on_write(call.process.quota());
}

// Until the end of it the child is there, whatever becomes of it and of its agent.
class Making {
public:
    explicit Making(Process& process) : process_(&process) {}
    Making(const Making&) = delete;
    ~Making() { end(); }
    void end() {
        if (Process* const made = std::exchange(process_, nullptr); made != nullptr) made->made();
    }

private:
    Process* process_;
};

Errno errno_of_making(Error error) {
    return error == Error::quota_exceeded || error == Error::out_of_memory ? kNoMemory : errno_of(error);
}

void close_descriptor(Call& call, Descriptor fd) {
    Ref<OpenFile> gone;
    LinuxProcess::Lock::Guard guard(call.process.lock);
    gone = call.process.files.remove(fd);
}

// A descriptor of the process, whose number goes to `address`.
std::expected<Descriptor, Errno> tell_descriptor(Call& call, std::int32_t pid, std::uint64_t address) {
    const Descriptor fd(LINUX_TRY(open_process(call, pid, 0)));
    if (UserOut<std::uint32_t>(address).write(fd.number)) return fd;
    close_descriptor(call, fd);
    return std::unexpected(kFault);
}

} // namespace

void inherit_thread(Thread& made, Call& call) {
    LinuxThread& data = data_of(made);
    data.blocked = call.data().blocked.load();
    data.timer_slack = call.data().timer_slack;
    {
        ProcessTable::Lock::Guard guard(call.process.family().lock);
        data.schedule = call.data().schedule;
        if (data.schedule.resets)
            data.schedule = {0, 0, std::max(data.schedule.nice, 0), false, data.schedule.processors};
    }
    char name[kThreadNameBytes];
    call.process.copy_name(call.data(), name);
    data.process->set_name(data, name);
    made.bases.gs = arch::user_gs_base();
    arch::InterruptGuard guard;
    arch::save_extended_state(made.extended_state);
}

Outcome create_process(Call& call, const CloneArguments& arguments, const arch::TrapFrame& frame,
                       std::uint64_t fs_base) {
    LinuxProcess& parent = call.process;
    const std::uint64_t flags = arguments.flags;
    auto memory = memory_for(call, flags); // (1)
    if (!memory) return refuse(errno_of_making(memory.error()));
    auto process = Process::create(parent.agent(), std::move(*memory), nullptr, Process::Making::goes_on); // (2)
    if (!process) return refuse(errno_of_making(process.error()));
    Making making(**process);
    auto made = LinuxProcess::create(**process, parent.family(), parent.executable.view());
    const auto inherited = made ? (*made)->inherit(parent) : std::unexpected(errno_of_making(made.error()));
    const auto kin = (flags & kCloneParent) != 0 ? ProcessTable::Kin::sibling : ProcessTable::Kin::child;
    const auto exit_signal = static_cast<std::int32_t>(arguments.exit_signal);
    auto entry =
        inherited ? parent.family().add(**made, &parent.entry(), exit_signal, kin) : fail(Error::out_of_memory);
    if (!entry) {
        (*process)->exit(EndReason::killed, 0);
        if (!inherited) return refuse(inherited.error());
        return refuse(entry.error() == Error::would_block ? kAgain : errno_of_making(entry.error()));
    }
    LinuxProcess& child = **made;
    child.set_entry(**entry);
    if ((flags & kCloneClearSighand) != 0) child.reset_handlers();
    const std::int32_t pid = child.pid();
    (*process)->set_personality(made->release());
    const auto limited = [&] {
        LinuxProcess::Lock::Guard guard(child.lock);
        return follow_cpu_limit(child);
    }();
    if (!limited) {
        child.cancel();
        return refuse(limited.error());
    }

    std::optional<Descriptor> descriptor; // CLONE_PIDFD
    if ((flags & kClonePidFd) != 0) {
        const auto opened = tell_descriptor(call, pid, arguments.pidfd);
        if (!opened) {
            child.cancel();
            return refuse(opened.error());
        }
        descriptor = *opened;
    }
    const auto thread = (*process)->create_thread(frame, fs_base); // (3)
    if (!thread) {
        child.cancel();
        if (descriptor) close_descriptor(call, *descriptor);
        return refuse(thread.error() == Error::quota_exceeded ? kAgain : errno_of_making(thread.error()));
    }
    inherit_thread(**thread, call);
    LinuxThread& data = data_of(**thread);
    if ((flags & kCloneVm) == 0 || arguments.stack == 0) data.alternate = call.data().alternate;
    if ((flags & kCloneChildClearTid) != 0) data.clear_child_tid = arguments.child_tid;
    const auto number = static_cast<std::uint32_t>(pid);
    if ((flags & kCloneParentSetTid) != 0) (void)UserOut<std::uint32_t>(arguments.parent_tid).write(number);
    // The child's memory is not this thread's. A bad address is the program's own loss, as on Linux.
    if ((flags & kCloneChildSetTid) != 0)
        (void)(*process)->memory().write(arguments.child_tid, &number, sizeof(number));
    if (has_deliverable(child, data)) (*thread)->interrupt(); // sent between (2) and (3)
    VforkWait wait;
    const bool waits = (flags & kCloneVfork) != 0;
    if (waits) {
        ProcessTable::Lock::Guard guard(parent.family().lock);
        wait.child = *entry;
        (*entry)->vforked = &wait;
    }
    (*thread)->start(); // (4)
    making.end();
    if (waits) wait_for_vforked(call, wait);
    return number;
}

} // namespace aios::linux_abi
