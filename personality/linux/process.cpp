// LinuxProcess: how a process and its threads begin and end.
#include "personality/linux/process.hpp"

#include <algorithm>
#include <cstring>

#include "kernel/mm/size_classes.hpp"
#include "personality/linux/device_file.hpp"
#include "personality/linux/pipe_file.hpp"
#include "personality/linux/robust_list.hpp"
#include "personality/linux/signal_timer.hpp"
#include "personality/linux/signals.hpp"
#include "personality/linux/system_v.hpp"

namespace aios::linux_abi {

LinuxProcess::LinuxProcess(mm::OnHeap, Process& process, Ref<ProcessTable> family, Reservation charge)
    : process_(process), family_(std::move(family)), charge_(std::move(charge)) {}

Result<mm::Owned<LinuxProcess>> LinuxProcess::create(Process& process, ProcessTable& family,
                                                     std::string_view executable) {
    Reservation charge = TRY(Reservation::make(process.agent().quota(), Resource::memory, mm::cost_of<LinuxProcess>));
    auto made = TRY(mm::own<LinuxProcess>(process, Ref<ProcessTable>::share(family), std::move(charge)));
    made->executable = TRY(HeldText::copy(made->quota(), executable));
    made->set_program_name(executable);
    return made;
}

namespace {

Handle handle_of(const StartupBlock& startup, StartupRole role) {
    for (std::uint32_t i = 0; i < startup.count; ++i) {
        if (startup.entries[i].role == static_cast<std::uint32_t>(role)) return startup.entries[i].handle;
    }
    return kNoHandle;
}

} // namespace

// Whoever starts it may give it Streams; in their place are an input that is at its end, and the console.
Result<> LinuxProcess::open_standard(const StartupBlock& startup) {
    const auto stream = [&](StartupRole role, Rights right) -> Result<Ref<OpenFile>> {
        const Handle handle = handle_of(startup, role);
        if (handle == kNoHandle) return Ref<OpenFile>();
        auto found = table().lookup<ipc::StreamEnd>(handle, right);
        if (!found) return fail(found.error());
        return open_stream_end(quota(), std::move(found->object), std::move(found->node), family().new_inode());
    };
    Ref<OpenFile> input = TRY(stream(StartupRole::input, rights::read));
    if (!input) {
        input = TRY(open_memory_device(quota(), Device::null));
        input->readable = true;
    }
    Ref<OpenFile> output = TRY(stream(StartupRole::output, rights::write));
    Ref<OpenFile> errors = TRY(stream(StartupRole::error_output, rights::write));
    if (!output || !errors) {
        Ref<OpenFile> console = TRY(open_console(quota(), handle_of(startup, StartupRole::console)));
        console->writable = true; // without a console every write answers EACCES
        if (!output) output = console;
        if (!errors) errors = std::move(console);
    }
    Lock::Guard guard(lock);
    for (const Ref<OpenFile>& file : {input, output, errors}) {
        if (!files.add(quota(), file, OnExec::keep)) return fail(Error::quota_exceeded);
    }
    return {};
}

namespace {

// What Linux begins with, where that is not without limit: RLIMIT_CORE, MEMLOCK, MSGQUEUE, NICE and RTPRIO.
constexpr struct {
    std::uint64_t which;
    Limit limit;
} kUsualLimits[] = {
    {4, {0, kLimitInfinity}}, {8, {8 << 20, 8 << 20}}, {12, {819'200, 819'200}}, {13, {0, 0}}, {14, {0, 0}}};

} // namespace

Result<mm::Owned<LinuxProcess>> LinuxProcess::create_first(Process& process, const ProgramStart& start) {
    char path[kMaxPathBytes];
    const std::size_t bytes = std::strlen(start.path);
    if (bytes + 1 > sizeof(path)) return fail(Error::too_large);
    path[0] = '/';
    std::memcpy(path + 1, start.path, bytes);
    const Ref<ProcessTable> family = TRY(ProcessTable::create(process.agent().quota(), start));
    auto made = TRY(create(process, *family, {path, bytes + 1}));
    TRY(made->open_standard(*start.startup));
    made->set_entry(*TRY(family->add(*made, nullptr, kSigChild)));
    Lock::Guard guard(made->lock);
    for (const auto& [which, limit] : kUsualLimits)
        made->limits.of[which] = limit;
    made->tell_limits();
    return made;
}

// A process that ends in its destructor never ran: what has run goes through ended().
LinuxProcess::~LinuxProcess() {
    if (SignalFiles* own = signal_files.load(std::memory_order_acquire)) own->release();
    if (entry_ != nullptr) family_->forget(*entry_);
    timers = {};
    drop_queued(*this, queued); // sent before it had a thread, or after its last one
}

namespace {

void put_name(char (&to)[kThreadNameBytes], std::string_view name) {
    std::memset(to, 0, sizeof(to));
    std::memcpy(to, name.data(), std::min(name.size(), sizeof(to) - 1));
}

} // namespace

void LinuxProcess::set_name(LinuxThread& thread, std::string_view name) {
    ThreadLock::Guard guard(thread_lock);
    put_name(thread.name, name);
    if (has_entry() && thread.tid == pid()) put_name(program_name, name);
}

bool LinuxProcess::rename_thread(std::int32_t tid, std::string_view name) {
    ThreadLock::Guard guard(thread_lock);
    LinuxThread* const thread = threads.find(tid);
    if (thread != nullptr) put_name(thread->name, name);
    if (tid == pid()) put_name(program_name, name);
    return thread != nullptr || tid == pid();
}

void LinuxProcess::copy_name(const LinuxThread& thread, char (&to)[kThreadNameBytes]) {
    ThreadLock::Guard guard(thread_lock);
    std::memcpy(to, thread.name, sizeof(to));
}

void LinuxProcess::set_program_name(std::string_view path) {
    const std::string_view name = path.substr(path.rfind('/') + 1); // npos + 1 is 0
    ThreadLock::Guard guard(thread_lock);
    put_name(program_name, name);
}

std::int32_t LinuxProcess::group() {
    ProcessTable::Lock::Guard guard(family_->lock);
    return entry_->group->number;
}

void LinuxProcess::reset_handlers() {
    Lock::Guard guard(lock);
    if (!actions) return;
    for (SignalAction& action : actions->of) {
        if (action.handler != kSigIgnore) action = {};
    }
    ignores_children = actions->of[kSigChild - 1].handler == kSigIgnore;
}

void LinuxProcess::tell_limits() {
    file_bytes_limit = limits.of[kLimitFileBytes].current;
    signals_limit = limits.of[kLimitSignals].current;
    files.limit_to(limits.of[kLimitFiles].current);
}

void LinuxProcess::cancel() {
    family_->forget(*std::exchange(entry_, nullptr));
    process_.exit(EndReason::killed, 0);
}

std::expected<void, Errno> LinuxProcess::inherit(LinuxProcess& parent) {
    auto fresh = LINUX_TRY(Reservation::make(quota(), Resource::memory, mm::cost_of<ActionTable>));
    auto table = LINUX_TRY(mm::own<ActionTable>(std::move(fresh)));
    creation_mask = parent.creation_mask.load();
    memory_score = parent.memory_score.load();
    place = parent.place;
    description.follow(parent.description, SelfDescription::Heir::child);
    ignores_children = parent.ignores_children.load();
    Lock::Guard guard(parent.lock);
    // No analysis: nobody else knows the child yet, so its lock is not needed, and two of a rank are not taken.
    [&]() AIOS_NO_LOCK_ANALYSIS {
        limits = parent.limits;
        set_identity(parent.identity);
        tell_limits();
        break_start = parent.break_start;
        break_end = parent.break_end;
        break_mapped = parent.break_mapped;
        if (!parent.actions) return;
        std::memcpy(table->of, parent.actions->of, sizeof(table->of));
        actions = std::move(table);
    }();
    // No analysis: for the same reason.
    auto copied = [&]() AIOS_NO_LOCK_ANALYSIS -> std::expected<void, Errno> {
        working_directory = LINUX_TRY(HeldText::copy(quota(), parent.working_directory.view()));
        if (parent.group_count != 0) {
            const std::size_t bytes = parent.group_count * sizeof(std::uint32_t);
            groups = LINUX_TRY(mm::OwnedBytes::make(quota(), bytes));
            std::memcpy(groups.data(), parent.groups.data(), bytes);
            group_count = parent.group_count;
        }
        return files.copy(quota(), parent.files);
    }();
    return copied;
}

Result<LinuxThread*> LinuxProcess::make_thread(LinuxProcess& process, Thread& thread) {
    Reservation charge = TRY(Reservation::make(process.quota(), Resource::memory, mm::cost_of<LinuxThread>));
    auto data = TRY(mm::own<LinuxThread>(std::move(charge), thread));
    data->process = &process;
    return data.release();
}

// Ended by thread_exited().
void LinuxProcess::list_first_thread(LinuxThread& data) {
    has_begun_ = true;
    family_->add_first_thread(data, *entry_);
    threads_staying.fetch_add(1);
    ThreadLock::Guard guard(thread_lock);
    std::memcpy(data.name, program_name, sizeof(data.name));
    threads.insert(data);
    data.thread.personality_data = &data;
}

Result<> LinuxProcess::thread_created(Thread& thread) {
    LinuxThread* data = TRY(make_thread(*this, thread));
    if (!has_begun_) {
        list_first_thread(*data);
        return {};
    }
    if (const auto added = family_->add_thread(*data); !added) {
        mm::destroy(data);
        return added;
    }
    threads_staying.fetch_add(1);
    ThreadLock::Guard guard(thread_lock);
    threads.insert(*data);
    thread.personality_data = data;
    return {};
}

// The thread is dying, its address space still active: tell whoever joins it.
void LinuxProcess::thread_exited(Thread& thread) {
    if (thread.personality_data == nullptr) return;
    LinuxThread& data = data_of(thread);
    if (!data.leaving) threads_staying.fetch_sub(1);
    release_robust_list(*this, data);
    const bool is_shared = process_.thread_count() > 1 || memory().has_several_processes();
    if (data.clear_child_tid != 0 && is_shared) {
        const std::uint32_t zero = 0;
        if (UserOut<std::uint32_t>(data.clear_child_tid).write(zero))
            (void)futex_wake(*this, data.clear_child_tid, FutexScope::shared, 1, ~0u);
    }
    const std::uint64_t ns = thread.cpu_ns();
    {
        ThreadLock::Guard guard(thread_lock);
        threads.erase(data);
        cpu_ns_of_ended += ns;
    }
    family_->remove_thread(data);
    family_->pi.owner_is_gone(data.tid);
    drop_queued(*this, data.queued); // nobody finds it any more
    thread.personality_data = nullptr;
    mm::destroy(&data);
}

bool LinuxProcess::leave(EndReason reason, std::uint64_t status) {
    Fate fate = Fate::open;
    if (!fate_.compare_exchange_strong(fate, Fate::leaves) && fate == Fate::is_replaced) return false;
    process_.exit(reason, status);
    return true;
}

bool LinuxProcess::yield_to(Ref<Replacement> replacement) {
    Fate fate = Fate::open;
    if (!fate_.compare_exchange_strong(fate, Fate::is_replaced)) return false;
    replacement_ = std::move(replacement); // this thread is there until exit() and so ended() comes after it
    process_.exit(EndReason::exited, 0);
    return true;
}

// As wait4 tells it: the exit code in bits 8 to 15, or the signal in bits 0 to 6.
void LinuxProcess::ended(EndReason reason, std::uint64_t status) {
    if (replacement_) return hand_over(*replacement_);
    {
        mm::Owned<SignalTimers> ending; // before the number goes by which they send
        Lock::Guard guard(lock);
        std::swap(ending, timers);
        has_no_more_timers = true;
    }
    drop_queued(*this, queued);
    close_all();
    if (entry_ == nullptr) return; // it never ran
    if (has_semaphore_undo) family_->system_v->undo_of(pid());
    if (is_first()) agent().end(reason == EndReason::none ? EndReason::killed : reason, status, 0);
    const std::uint32_t low = static_cast<std::uint32_t>(status);
    const std::uint32_t word = reason == EndReason::exited ? (low & 0xff) << 8
                               : (low & 0x7f) != 0         ? low & 0x7f
                                                           : kSigKill;
    {
        ThreadLock::Guard guard(thread_lock);
        entry_->cpu_ns += cpu_ns_of_ended;
    }
    family_->end(*std::exchange(entry_, nullptr), word);
}

void LinuxProcess::close_all() {
    for (std::uint32_t fd = 0; fd < kMaxFiles;) {
        Ref<OpenFile> file;
        {
            Lock::Guard guard(lock);
            file = files.remove_next(fd, FileTable::Which::all);
        }
        if (file) drop_record_locks(*this, *file);
    }
}

bool LinuxProcess::page_is_lost(Thread&, EndReason, std::uint64_t address) {
    if (entry_ == nullptr) { // it is being loaded for execve, which answers an errno
        has_lost_page = true;
        return true;
    }
    if (is_first()) return false;
    agent().note_fault(14, address, 0);
    (void)leave(EndReason::killed, kSigKill);
    return true;
}

} // namespace aios::linux_abi
