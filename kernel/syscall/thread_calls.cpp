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

// Recorded whether the trace is new or one that others work on too: the record says who began it, and with what.
Answer trace_begin(Call& call, UserIn<TraceRequest> user, UserInOut<TraceId> out) {
    const TraceRequest request = TRY(user.read());
    if (request.text_bytes == 0) return fail(Error::bad_argument);
    if (request.text_bytes > kMaxAuditText) return fail(Error::too_large);
    audit::Record& record = *call.record;
    char text[kMaxAuditText];
    TRY(UserSpan(request.text, request.text_bytes)
            .read(0, std::as_writable_bytes(std::span(text, request.text_bytes))));
    audit::set_name(record, {text, request.text_bytes});
    TraceId trace = request.id;
    while (trace.high == 0 && trace.low == 0)
        trace = {mm::upcall::random_word(), mm::upcall::random_word()};
    TRY(out.out().write(trace));
    record.kind = audit::Kind::trace;
    record.subject = call.agent.id();
    Thread::current().trace = trace;
    return 0;
}

Answer thread_exit(Call&) {
    Thread::current().kill(); // leaves on the way back
    return 0;
}

} // namespace aios::syscall::calls
