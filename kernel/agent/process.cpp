// Processes: threads in and out. See agent.hpp.
#include "kernel/agent/reaper.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios {

namespace {
constexpr unsigned kThreadsAtOnce = 16; // killed under one hold of the agent's lock
}

Process::Process(mm::OnHeap, Reservation charge, Ref<Agent> agent, Ref<mm::AddressSpace> memory,
                 Personality* personality)
    : Object(kType, std::move(charge)), agent_(std::move(agent)), memory_(std::move(memory)),
      personality_(personality) {}

Process::~Process() {
    if (personality_ != nullptr) personality_->release();
}

Result<Ref<Process>> Process::create(Agent& agent, Ref<mm::AddressSpace> memory, Personality* personality,
                                     Making making) {
    Reservation charge = TRY(Reservation::make(agent.quota(), Resource::memory, mm::cost_of<Process>));
    Process* process = TRY(mm::make<Process>(std::move(charge), Ref<Agent>::share(agent), memory, personality));
    Ref<Process> ref = Ref<Process>::adopt(process);
    memory->enter(agent.table().spaces());
    {
        AgentLock::Guard guard(agent.lock_);
        ++agent.process_objects_;
        if (agent.state_ < AgentState::stopping) {
            process->retain();             // the list's
            process->lock().assert_held(); // that is it
            process->is_being_made_ = making == Making::goes_on;
            agent.processes_.push_back(*process);
            return ref;
        }
    }
    memory->leave_for_good();
    return fail(Error::killed);
}

void Process::made() {
    bool is_over;
    {
        AgentLock::Guard guard(lock());
        is_being_made_ = false;
        is_over = !has_threads_locked();
    }
    if (is_over) Reaper::enqueue(*agent_); // who came for it meanwhile has passed it over
}

void Process::last_reference_gone() {
    Ref<Agent> agent = agent_;
    mm::destroy(this);
    {
        AgentLock::Guard guard(agent->lock_);
        --agent->process_objects_;
    }
    Reaper::enqueue(*agent);
}

sched::ShareGroup& Process::share_group() { return agent_->share_group(); }

Process* Process::current_or_null() {
    if (!Thread::has_current()) return nullptr;
    // Owners with an address space are processes, and nothing else is.
    sched::ThreadOwner* owner = Thread::current().owner();
    return owner != nullptr && owner->address_space() != nullptr ? static_cast<Process*>(owner) : nullptr;
}

Process& Process::current() {
    Process* process = current_or_null();
    AIOS_ASSERT(process != nullptr);
    return *process;
}

// The thread is listed and counted from now on; its start or thread_exited() follows.
Result<> Process::adopt(Thread& thread, Reservation& piece) {
    AgentLock::Guard guard(lock());
    agent_->lock_.assert_held(); // that is it
    if (exiting_ || agent_->state_ >= AgentState::stopping) return fail(Error::killed);
    threads_.push_back(thread);
    thread_count_.fetch_add(1, std::memory_order_relaxed);
    has_run_ = true;
    piece.keep(); // given back in thread_exited
    return {};
}

Result<Ref<Thread>> Process::create_thread(const arch::TrapFrame& frame, std::uint64_t fs_base) {
    Reservation piece = TRY(Reservation::make(agent_->quota(), Resource::threads, 1));
    Ref<Thread> thread = TRY(Thread::create_user(agent_->quota(), Ref<ThreadOwner>::share(*this), frame, fs_base));
    TRY(adopt(*thread, piece));
    if (auto done = personality_->thread_created(*thread); !done) {
        thread_exited(*thread);
        return fail(done.error());
    }
    return thread;
}

Result<Ref<Thread>> Process::create_kernel_thread(void (*entry)(void*), void* argument) {
    Reservation piece = TRY(Reservation::make(agent_->quota(), Resource::threads, 1));
    Ref<Thread> thread =
        TRY(Thread::create_in_kernel(agent_->quota(), Ref<ThreadOwner>::share(*this), entry, argument));
    TRY(adopt(*thread, piece));
    return thread;
}

void Process::exit(EndReason reason, std::uint64_t status) {
    {
        AgentLock::Guard guard(lock());
        if (reason_ == EndReason::none) {
            reason_ = reason;
            status_ = status;
        }
    }
    kill_threads();
}

// A few at a time: an agent has as many threads as its quota allows, and the lock keeps interrupts off.
void Process::kill_threads() {
    bool is_empty = false;
    for (bool more = true; more;) {
        AgentLock::Guard guard(lock());
        exiting_ = true; // no thread comes from here on
        for (unsigned i = 0; i < kThreadsAtOnce; ++i) {
            Thread* thread = threads_.pop_front();
            if (thread == nullptr) break;
            leaving_.push_back(*thread);
            thread->kill();
        }
        more = !threads_.is_empty();
        is_empty = !has_threads_locked();
    }
    if (is_empty) Reaper::enqueue(*agent_);
}

void Process::thread_exited(Thread& thread) {
    if (personality_ != nullptr) personality_->thread_exited(thread);
    bool last;
    {
        AgentLock::Guard guard(lock());
        if (!thread.owner_node.is_linked()) return;
        threads_.remove(thread); // or leaving_: a list takes out its elements without looking at its head
        thread_count_.fetch_sub(1, std::memory_order_relaxed);
        last = !has_threads_locked();
        agent_->quota_->give_back(Resource::threads, 1);
    }
    if (!last) return;
    // What the agent had is taken down by its own last thread, on its own share of the CPU.
    if (&thread == &Thread::current())
        Reaper::take_down(*agent_);
    else
        Reaper::enqueue(*agent_); // a thread that never started
}

} // namespace aios
