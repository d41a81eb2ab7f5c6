// Calls about clocks and timers. See call.hpp.
#include "kernel/event/timer.hpp"
#include "kernel/syscall/call.hpp"
#include "kernel/time/clock.hpp"

namespace aios::syscall::calls {

Answer clock_read(Call& call, std::uint64_t clock) {
    switch (static_cast<Clock>(clock)) {
    case Clock::monotonic:
        return time::now_ns();
    case Clock::wall:
        return time::wall_ns();
    case Clock::thread_cpu:
        return Thread::current().cpu_ns();
    case Clock::agent_cpu:
        sched::settle_accounts();
        return call.agent.share_group().cpu_ns();
    }
    return fail(Error::bad_argument);
}

Answer timer_create(Call& call, Handle) {
    TRY(call.check_self());
    return call.give(TRY(Timer::create(call.quota())),
                     rights::write | rights::wait | rights::derive | rights::transfer);
}

Answer timer_set(Call& call, Handle, std::uint64_t deadline, std::uint64_t period) {
    TRY(call.object<Timer>().set(deadline, period));
    return 0;
}

} // namespace aios::syscall::calls
