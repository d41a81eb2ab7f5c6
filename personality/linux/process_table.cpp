// The table of processes: numbers, birth, end and kinship. See process_table.hpp.
#include "personality/linux/process_table.hpp"

#include <cstring>

#include "kernel/dev/entropy.hpp"
#include "kernel/mm/size_classes.hpp"
#include "personality/linux/process.hpp"
#include "personality/linux/process_file.hpp"
#include "personality/linux/signals.hpp"
#include "personality/linux/system_v.hpp"
#include "personality/linux/terminal_jobs.hpp"

namespace aios::linux_abi {

Result<Ref<ProcessTable>> ProcessTable::create(Payer& payer, const ProgramStart& start) {
    const StartupBlock& block = *start.startup;
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<ProcessTable>));
    Ref<ProcessTable> table = Ref<ProcessTable>::adopt(TRY(mm::make<ProcessTable>(std::move(charge))));
    TRY(table->name_space.set_up(payer, block, {start.mounts, start.mount_bytes}));
    table->startup = block;
    TRY(dev::random_bytes(table->boot_id_));
    table->locks = TRY(FileLocks::create(payer));
    table->sockets = TRY(SocketSpace::create(payer));
    table->system_v = TRY(SystemVSpace::create(payer));
    return table;
}

Session::~Session() = default;
ProcessTable::ProcessTable(mm::OnHeap, Reservation charge) : charge_(std::move(charge)) {}

// The agent has no process any more: what is left are zombies that nobody asked for.
ProcessTable::~ProcessTable() {
    for (;;) {
        Left left;
        ProcessEntry* entry;
        {
            Lock::Guard guard(lock);
            entry = entries_.first();
            if (entry == nullptr) break;
            for (unsigned i = 0; i < kAtOnce; ++i) { // kinship means nothing any more
                ProcessEntry* const child = entry->children.first();
                if (child == nullptr) break;
                entry->children.erase(*child);
                if (child->news_node.is_linked()) entry->tellers.erase(*child);
                child->parent = nullptr;
            }
            if (entry->children.first() != nullptr) continue;
            if (entry->parent != nullptr) {
                entry->parent->children.erase(*entry);
                if (entry->news_node.is_linked()) entry->parent->tellers.erase(*entry);
            }
            entries_.erase(*entry);
            left = leave_locked(*entry);
        }
        mm::destroy(entry);
    }
}

// Going up and round. would_block: as many in a row as are looked at are taken; the next attempt goes on behind them.
Result<std::int32_t> ProcessTable::free_number_locked() {
    lock.assert_held();
    for (unsigned i = 0; i < kAtOnce; ++i) {
        last_number_ = last_number_ == kLast ? kFirst : last_number_ + 1;
        const std::int32_t number = last_number_;
        if (entries_.find(number) == nullptr && threads_.find(number) == nullptr && groups_.find(number) == nullptr &&
            sessions_.find(number) == nullptr) {
            ++given_;
            return number;
        }
    }
    return fail(Error::would_block);
}

void ProcessTable::join_locked(ProcessEntry& entry, ProcessGroup& group) {
    lock.assert_held();
    entry.group = &group;
    ++group.members;
}

ProcessTable::Left ProcessTable::leave_locked(ProcessEntry& entry) {
    lock.assert_held();
    Left left;
    ProcessGroup* const group = std::exchange(entry.group, nullptr);
    if (group == nullptr || --group->members != 0) return left;
    groups_.erase(*group);
    left.group = mm::Owned<ProcessGroup>(group);
    group_is_gone_locked(*this, *group);
    if (--group->session->groups != 0) return left;
    sessions_.erase(*group->session);
    session_is_gone_locked(*this, *group->session);
    left.session = mm::Owned<Session>(group->session);
    return left;
}

namespace {

template <typename T>
Result<mm::Owned<T>> make_charged(Payer& payer) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<T>));
    auto made = TRY(mm::own<T>());
    made->charge = std::move(charge);
    return made;
}

} // namespace

Result<ProcessEntry*> ProcessTable::add(LinuxProcess& process, ProcessEntry* parent, std::int32_t exit_signal,
                                        Kin kin) {
    Payer& payer = process.quota();
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<ProcessEntry>));
    auto entry = TRY(mm::own<ProcessEntry>(std::move(charge)));
    mm::Owned<ProcessGroup> group;
    mm::Owned<Session> session;
    if (parent == nullptr) {
        group = TRY(make_charged<ProcessGroup>(payer));
        session = TRY(make_charged<Session>(payer));
    }
    Lock::Guard guard(lock);
    entry->pid = TRY(free_number_locked());
    entry->process = &process;
    entry->born = sched::now_ns();
    entry->exit_signal = exit_signal;
    if (parent != nullptr) {
        const bool is_sibling = kin == Kin::sibling && parent->parent != nullptr;
        entry->parent = is_sibling ? parent->parent : parent;
        entry->parent->children.insert(*entry);
        if (is_sibling) entry->exit_signal = parent->exit_signal;
        entry->gave_terminal_up = parent->gave_terminal_up;
        join_locked(*entry, *parent->group);
    } else {
        session->number = group->number = entry->pid;
        session->groups = 1;
        sessions_.insert(*session);
        group->session = session.release();
        groups_.insert(*group);
        join_locked(*entry, *group.release());
    }
    entries_.insert(*entry);
    return entry.release();
}

void ProcessTable::forget(ProcessEntry& entry) {
    Left left;
    {
        Lock::Guard guard(lock);
        if (entry.parent != nullptr) entry.parent->children.erase(entry);
        entries_.erase(entry);
        left = leave_locked(entry);
    }
    mm::destroy(&entry);
}

Result<> ProcessTable::add_thread(LinuxThread& thread) {
    Lock::Guard guard(lock);
    thread.tid = TRY(free_number_locked());
    threads_.insert(thread);
    return {};
}

void ProcessTable::add_first_thread(LinuxThread& thread, const ProcessEntry& entry) {
    Lock::Guard guard(lock);
    thread.tid = entry.pid;
    threads_.insert(thread);
}

void ProcessTable::remove_thread(LinuxThread& thread) {
    Lock::Guard guard(lock);
    threads_.erase(thread);
}

std::size_t ProcessTable::count() {
    Lock::Guard guard(lock);
    return entries_.size();
}

ProcessTable::Numbers ProcessTable::numbers() {
    Lock::Guard guard(lock);
    return {given_, last_number_};
}

// Who takes the children of `of`: the nearest living ancestor that asked for orphans, or the first process; nullptr if
// there is none, at the end of the agent. An agent's processes stand in one chain of at most as many as it has threads,
// so the way up is cut: beyond it the first process takes them.
ProcessEntry* ProcessTable::new_parent_locked(ProcessEntry& of) {
    lock.assert_held();
    ProcessEntry* at = of.parent;
    for (unsigned i = 0; i < kAtOnce && at != nullptr; ++i, at = at->parent) {
        if (at->takes_orphans && at->process != nullptr) return at;
    }
    ProcessEntry* const first = entries_.find(kFirst);
    return first != nullptr && first != &of && first->process != nullptr ? first : nullptr;
}

void ProcessTable::give_children_away(ProcessEntry& entry) {
    for (bool more = true; more;) {
        ProcessEntry* zombies[kAtOnce]{};
        struct {
            std::int32_t pid = 0, signal = 0;
        } orphans[kAtOnce];
        std::int32_t told = 0;
        SentSignal news; // of one of those whose end is to be asked for
        unsigned index = 0;
        {
            Lock::Guard guard(lock);
            ProcessEntry* const parent = new_parent_locked(entry);
            for (ProcessEntry*& zombie : zombies) {
                ProcessEntry* const child = entry.children.first();
                if (child == nullptr) break;
                const bool has_news = child->news_node.is_linked();
                if (has_news) entry.tellers.erase(*child);
                entry.children.erase(*child);
                child->parent = parent;
                child->exit_signal = kSigChild; // whatever clone asked for, as on Linux
                if (child->process != nullptr)
                    orphans[index] = {child->pid, child->process->description.parent_death_signal.load()};
                ++index;
                if (parent != nullptr) {
                    parent->children.insert(*child);
                    if (has_news) parent->tellers.insert(*child);
                    if (has_news) told = parent->pid;
                    if (has_news && child->process == nullptr)
                        news = child_signal(kSigChild, child->pid, ChildNews::ended, child->status);
                } else if (child->process == nullptr) { // nobody will ask for it
                    entries_.erase(*child);
                    zombie = child;
                }
            }
            more = entry.children.first() != nullptr;
        }
        for (ProcessEntry* zombie : zombies) {
            if (zombie != nullptr) discard(*zombie);
        }
        if (told != 0) waiters_of(told).wake_all();
        if (news.signal != 0) (void)send_to_process(*this, told, news);
        for (const auto& orphan : orphans) // PR_SET_PDEATHSIG
            if (orphan.signal != 0) (void)send_to_process(*this, orphan.pid, {orphan.signal, kCodeUser, entry.pid, 0});
    }
}

// Whether the entry has to wait for its parent's question.
bool ProcessTable::tell_parent_locked(ProcessEntry& entry) {
    lock.assert_held();
    ProcessEntry* const parent = entry.parent;
    if (parent == nullptr || parent->process == nullptr) return false;
    if (entry.news == ChildNews::ended && parent->process->ignores_children.load()) return false;
    if (!entry.news_node.is_linked()) parent->tellers.insert(entry);
    return true;
}

void ProcessTable::release_vfork_locked(ProcessEntry& entry) {
    lock.assert_held();
    VforkWait* const wait = std::exchange(entry.vforked, nullptr);
    if (wait == nullptr) return;
    wait->child = nullptr; // read under this lock: the wait's frame stays until that is let go
    wait->queue.wake_one();
}

void ProcessTable::end(ProcessEntry& entry, std::uint32_t status) {
    leader_is_gone(*this, entry);
    give_children_away(entry); // it has no thread that could make more
    const SentSignal news = child_signal(entry.exit_signal, entry.pid, ChildNews::ended, status);
    std::int32_t parent = 0;
    bool is_over = false;
    Ref<ProcessEnd> watched;
    {
        Lock::Guard guard(lock);
        watched = entry.ending;
        {
            LinuxProcess::ThreadLock::Guard inner(entry.process->thread_lock);
            std::memcpy(entry.name, entry.process->program_name, sizeof(entry.name));
        }
        entry.process = nullptr;
        entry.news = ChildNews::ended;
        entry.status = status;
        release_vfork_locked(entry);
        if (entry.parent != nullptr) parent = entry.parent->pid;
        is_over = !tell_parent_locked(entry);
        if (is_over) {
            if (entry.parent != nullptr) {
                if (entry.news_node.is_linked()) entry.parent->tellers.erase(entry);
                entry.parent->children.erase(entry);
            }
            entries_.erase(entry);
        }
    }
    if (watched) watched->source.set(kSignalReadable);
    if (is_over) discard(entry); // else it may be gone by now
    if (parent == 0) return;
    waiters_of(parent).wake_all();
    if (news.signal != 0) (void)send_to_process(*this, parent, news);
}

void ProcessTable::replace(ProcessEntry& entry, LinuxProcess& successor) {
    Lock::Guard guard(lock);
    entry.process = &successor;
    entry.has_executed = true;
    entry.exit_signal = kSigChild; // whatever clone asked for, as on Linux
    release_vfork_locked(entry);
}

void ProcessTable::tell(ProcessEntry& entry, ChildNews news, std::uint32_t status) {
    std::int32_t parent = 0;
    SentSignal signal;
    {
        Lock::Guard guard(lock);
        entry.news = news;
        entry.status = status;
        signal = child_signal(kSigChild, entry.pid, news, status);
        if (tell_parent_locked(entry)) parent = entry.parent->pid;
    }
    if (parent == 0) return;
    waiters_of(parent).wake_all();
    (void)send_to_process(*this, parent, signal);
}

void ProcessTable::take_zombie_locked(ProcessEntry& child) {
    lock.assert_held();
    ProcessEntry& parent = *child.parent;
    parent.children_cpu_ns += child.cpu_ns + child.children_cpu_ns;
    parent.tellers.erase(child);
    parent.children.erase(child);
    entries_.erase(child);
}

void ProcessTable::discard(ProcessEntry& entry) {
    Left left;
    {
        Lock::Guard guard(lock);
        left = leave_locked(entry);
    }
    mm::destroy(&entry);
}

Errno ProcessTable::move_to_group(LinuxProcess& caller, std::int32_t pid, std::int32_t number) {
    auto fresh = make_charged<ProcessGroup>(caller.quota());
    if (!fresh) return kNoMemory;
    Left left;
    Lock::Guard guard(lock);
    ProcessEntry* const entry = pid == 0 ? &caller.entry() : entries_.find(pid);
    if (entry == nullptr || entry->process == nullptr) return kNoProcess;
    if (entry != &caller.entry()) {
        if (entry->parent != &caller.entry()) return kNoProcess;
        if (entry->has_executed) return kAccess;
        if (entry->group->session != caller.entry().group->session) return kPerm;
    }
    if (number == 0) number = entry->pid;
    ProcessGroup* const old = entry->group;
    if (old->session->number == entry->pid) return kPerm; // a session's leader stays
    if (old->number == number) return Errno{};
    ProcessGroup* group = groups_.find(number);
    if (group == nullptr) {
        if (number != entry->pid) return kPerm;
        group = fresh->release();
        group->number = number;
        group->session = old->session;
        ++group->session->groups;
        groups_.insert(*group);
    } else if (group->session != old->session) {
        return kPerm;
    }
    left = leave_locked(*entry);
    join_locked(*entry, *group);
    return Errno{};
}

Errno ProcessTable::lead_session(LinuxProcess& caller) {
    ProcessEntry& entry = caller.entry();
    auto group = make_charged<ProcessGroup>(caller.quota());
    auto session = make_charged<Session>(caller.quota());
    if (!group || !session) return kNoMemory;
    Left left;
    Lock::Guard guard(lock);
    if (groups_.find(entry.pid) != nullptr) return kPerm; // it leads a group, or one is left that it led
    left = leave_locked(entry);
    (*session)->number = (*group)->number = entry.pid;
    (*session)->groups = 1;
    sessions_.insert(**session);
    (*group)->session = session->release();
    groups_.insert(**group);
    join_locked(entry, *group->release());
    entry.gave_terminal_up = false;
    return Errno{};
}

} // namespace aios::linux_abi
