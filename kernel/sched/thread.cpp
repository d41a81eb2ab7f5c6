// Birth and end of threads. A thread is referenced by its scheduler from start() until the reaper has buried it: the
// stack is freed by the reaper's thread, when the dead one has left it for ever.
//
// A thread's end, from the last instruction of its own to the freed stack:
//   (1) exit_current() tells the owner and those who wait for the end, and cancels its timer. It holds no lock. A waker that
//       still knows the thread leaves a token, which nobody looks at.
//   (2) It takes its run queue's lock, writes `dead`, and switches away for good. unpark() does nothing for a dead thread.
//   (3) The thread that comes after it on this CPU runs on another stack. It reads `dead` while it still holds the lock
//       (finish_switch), lets the lock go and hands the dead one to the reaper (bury): nobody stands on the stack now.
//   (4) The reaper frees the stack and drops the scheduler's reference, the one of start(). Others may keep the Thread
//       itself for longer; they find it dead.
#include "kernel/sched/thread.hpp"

#include "kernel/mm/size_classes.hpp"
#include "kernel/sched/boot.hpp"
#include "kernel/sched/run_queue.hpp"

namespace aios {

Thread::SleepTimer::SleepTimer(Thread& owner)
    : TimerEntry([](TimerEntry& entry, std::uint64_t) -> std::uint64_t {
          sched::unpark(static_cast<SleepTimer&>(entry).thread);
          return time::kNever;
      }),
      thread(owner) {}

Thread::Thread(mm::OnHeap, Reservation charge, Ref<sched::ThreadOwner> owner, const char* name)
    : Object(kType, std::move(charge)), owner_(std::move(owner)), own_group_(owner_->share_group()),
      address_space_(owner_->address_space()), name_(name) {
    billed = &own_group_;
    timer_.payer = address_space_ != nullptr ? billed : nullptr;
}

Thread::~Thread() {
    // Never on its own stack: a started thread's is freed by the reaper before its reference goes.
    if (stack_is_own && stack_top != 0) mm::free_stack(stack_top);
    mm::heap_free(extended_state);
}

Result<Ref<Thread>> Thread::create(Reservation charge, Ref<sched::ThreadOwner> owner, const char* name) {
    Ref<Thread> thread = Ref<Thread>::adopt(TRY(mm::make<Thread>(std::move(charge), std::move(owner), name)));
    thread->stack_top = TRY(mm::allocate_stack());
    thread->stack_is_own = true;
    if (has_current()) thread->trace = current().trace;
    arch::prepare_context(thread->context, thread->stack_top, &Thread::first_act, thread.get());
    return thread;
}

Result<Ref<Thread>> Thread::create_charged(Payer& payer, Ref<sched::ThreadOwner> owner) {
    const std::size_t state_bytes = arch::extended_state_bytes();
    Reservation charge = TRY(Reservation::make(
        payer, Resource::memory, mm::cost_of<Thread> + arch::kKernelStackBytes + mm::heap_cost(state_bytes, 64)));
    Ref<Thread> thread = TRY(create(std::move(charge), std::move(owner), "user"));
    thread->extended_state = mm::heap_allocate(state_bytes, 64);
    if (thread->extended_state == nullptr) return fail(Error::out_of_memory);
    arch::init_extended_state(thread->extended_state);
    return thread;
}

Result<Ref<Thread>> Thread::create_user(Payer& payer, Ref<sched::ThreadOwner> owner, const arch::TrapFrame& frame,
                                        std::uint64_t fs_base) {
    Ref<Thread> thread = TRY(create_charged(payer, std::move(owner)));
    thread->entry_.frame = frame;
    thread->bases.fs = fs_base;
    return thread;
}

Result<Ref<Thread>> Thread::create_in_kernel(Payer& payer, Ref<sched::ThreadOwner> owner, void (*entry)(void*),
                                             void* argument) {
    Ref<Thread> thread = TRY(create_charged(payer, std::move(owner)));
    thread->entry_.function = entry;
    thread->entry_.argument = argument;
    return thread;
}

Result<Ref<Thread>> Thread::create_kernel(const char* name, void (*entry)(void*), void* argument) {
    Ref<Thread> thread = TRY(create({}, sched::kernel_owner(), name));
    thread->entry_.function = entry;
    thread->entry_.argument = argument;
    return thread;
}

void Thread::start() {
    AIOS_ASSERT(state() == ThreadState::created);
    retain(); // the scheduler's, until the reaper is done
    arch::InterruptGuard guard;
    // Somebody may call kill() already, whose unpark() goes by `cpu`: it changes under the lock that it names, as always.
    sched::RunQueue& queue = sched::RunQueue::lock_of(*this);
    queue.assert_held();
    state_.store(ThreadState::runnable, std::memory_order_relaxed);
    virtual_time = billed->place_of_new();
    billed->thread_starts();
    const unsigned target = sched::choose_cpu(*this);
    queue.send_to(*this, target);
    queue.release();
    sched::enter_on(*this, target);
}

// On the new stack, interrupts off.
void Thread::first_act(void* argument) {
    sched::RunQueue::finish_switch();
    Thread& me = *static_cast<Thread*>(argument);
    if (me.entry_.function != nullptr) {
        arch::interrupts_enable();
        me.entry_.function(me.entry_.argument);
        exit_current();
    }
    arch::enter_user(me.entry_.frame);
}

// SAFETY: arch keeps what set_current_thread was given, and that is always a Thread.
Thread& Thread::current() {
    void* thread = arch::current_thread();
    AIOS_ASSERT(thread != nullptr);
    return *static_cast<Thread*>(thread);
}

bool Thread::has_current() { return arch::current_thread() != nullptr; }

std::uint64_t Thread::cpu_ns() const {
    arch::InterruptGuard guard;
    Thread& self = const_cast<Thread&>(*this); // accounting up to now changes nothing that a reader sees
    sched::RunQueue& queue = sched::RunQueue::lock_of(self);
    queue.assert_held();
    if (queue.current == &self) queue.account(sched::now_ns());
    queue.release();
    return run_ns.load(std::memory_order_relaxed);
}

void Thread::interrupt() {
    interrupted_.store(true, std::memory_order_release);
    sched::unpark(*this);
    // In user mode on another CPU it meets its call boundary at the next interrupt: now.
    arch::InterruptGuard guard;
    const unsigned where = cpu.load(std::memory_order_acquire);
    if (state() == ThreadState::running && where != arch::cpu_index()) arch::send_reschedule(where);
}

void Thread::kill() {
    killed_.store(true, std::memory_order_release);
    interrupt();
}

void Thread::exit_current() {
    Thread& me = current();
    sched::upcall::thread_exits(me);
    me.owner_->thread_exited(me);
    me.ended_.set(kSignalEnded);
    time::cancel(me.timer_);
    sync::assert_may_block();
    arch::interrupts_disable();
    // Kernel threads run in whatever space was loaded last. This CPU leaves ours, or whoever frees it had to ask for
    // that.
    if (me.is_user()) arch::PageTable::activate_kernel_only();
    sched::RunQueue& queue = sched::RunQueue::mine();
    queue.acquire();
    const std::uint64_t now = sched::now_ns();
    queue.note(now);
    me.state_.store(ThreadState::dead, std::memory_order_relaxed);
    queue.switch_away(nullptr, now);
    AIOS_UNREACHABLE();
}

} // namespace aios
