// Calls about the caller's threads, and the call that does nothing. See call.hpp.
#include "kernel/syscall/call.hpp"

namespace aios::syscall::calls {

Answer null(Call&) { return 0; }

Answer thread_yield(Call&) {
    sched::yield();
    return 0;
}

Answer thread_create(Call& call, Handle, std::uint64_t entry, std::uint64_t stack, std::uint64_t argument) {
    TRY(call.check_self());
    if (!arch::is_user_range(entry, 1) || stack >= arch::kUserHigh) return fail(Error::bad_address);
    arch::TrapFrame frame = arch::make_user_frame(entry, stack);
    frame.rdi = argument;
    // The handle is in the table before the thread is there, so that nothing can fail behind its back.
    const Ref<Thread> thread = TRY(call.process.create_thread(frame, 0));
    auto handle = call.give(thread, rights::inspect | rights::wait | rights::derive);
    if (!handle) thread->kill(); // it ends before it reaches its program
    thread->start();
    return handle;
}

Answer thread_exit(Call&) {
    Thread::current().kill(); // leaves on the way back
    return 0;
}

} // namespace aios::syscall::calls
