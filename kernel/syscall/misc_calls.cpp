// Calls about the caller itself, handles, time, devices and the log. See call.hpp.
#include <algorithm>

#include "base/bytes.hpp"
#include "kernel/audit/log_view.hpp"
#include "kernel/audit/output.hpp"
#include "kernel/dev/resource.hpp"
#include "kernel/event/timer.hpp"
#include "kernel/syscall/call.hpp"
#include "kernel/syscall/power.hpp"
#include "kernel/time/clock.hpp"

namespace aios::syscall::calls {

namespace {

constexpr std::uint64_t kMaxConsoleBytes = 65536; // of one call
constexpr std::uint64_t kMaxHostBytes = 120 * 1024;
constexpr std::uint64_t kConsolePiece = 1024;

Result<> check_kind(Call& call, DeviceKind kind) {
    return call.object<DeviceResource>().kind() == kind ? Result<>() : fail(Error::unsupported);
}

} // namespace

Answer null(Call&) { return 0; }

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

Answer thread_yield(Call&) {
    sched::yield();
    return 0;
}

Answer agent_exit(Call& call, std::uint64_t status) {
    call.record->subject = call.agent.id();
    call.record->detail[0] = status;
    call.agent.end(EndReason::exited, status, 0);
    return 0; // the thread leaves on its way back to the program
}

// --- handles --------------------------------------------------------------------------------------------------------

Answer handle_close(Call& call, Handle handle) {
    TRY(call.agent.table().close(handle));
    return 0;
}

Answer handle_derive(Call& call, Handle handle, std::uint64_t wanted) {
    if ((wanted & ~std::uint64_t{rights::all.bits()}) != 0) return fail(Error::bad_argument);
    const Handle derived = TRY(call.agent.table().derive(handle, Rights(static_cast<std::uint32_t>(wanted))));
    call.record->detail[0] = wanted;
    call.record->detail[1] = handle;
    call.record->detail[2] = derived;
    return derived;
}

Answer handle_revoke(Call& call, Handle handle) {
    TRY(call.agent.table().revoke(handle));
    call.record->detail[1] = handle;
    return 0;
}

Answer handle_info(Call& call, Handle handle, UserInOut<HandleInfo> out) {
    const auto found = TRY(call.agent.table().lookup_any(handle, ObjectType::any, rights::none));
    HandleInfo info{};
    info.type = static_cast<std::uint32_t>(found.object->type());
    info.rights = found.rights.bits();
    info.object = found.object->id();
    info.size = found.object->info_size();
    info.depth = found.node->depth();
    TRY(out.out().write(info));
    return 0;
}

// --- threads and timers ----------------------------------------------------------------------------------------------

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

Answer timer_create(Call& call, Handle) {
    TRY(call.check_self());
    return call.give(TRY(Timer::create(call.quota())),
                     rights::write | rights::wait | rights::derive | rights::transfer);
}

Answer timer_set(Call& call, Handle, std::uint64_t deadline, std::uint64_t period) {
    TRY(call.object<Timer>().set(deadline, period));
    return 0;
}

// --- devices ---------------------------------------------------------------------------------------------------------

Answer console_write(Call& call, Handle, UserIn<std::byte> bytes, std::uint64_t size) {
    TRY(check_kind(call, DeviceKind::console));
    if (size > kMaxConsoleBytes) return fail(Error::too_large);
    std::byte piece[kConsolePiece];
    for (std::uint64_t done = 0; done < size;) {
        const std::uint64_t now = std::min(size - done, kConsolePiece);
        TRY(bytes.read_array(done, piece, now));
        while (const std::uint64_t delay = call.agent.console_delay(now)) {
            if (sched::sleep_until(time::deadline_after(delay)) == sched::Outcome::interrupted)
                return done != 0 ? Answer(done) : fail(Error::interrupted);
        }
        // The call holds no more than its handle: it ends with it, between two pieces. What is written is told.
        if (!call.first.node->is_held()) return done != 0 ? Answer(done) : fail(Error::revoked);
        send_frame(FrameKind::console, call.agent.id(), call.agent.name(), {piece, now});
        done += now;
    }
    return size;
}

Answer host_send(Call& call, Handle, UserIn<std::byte> bytes, std::uint64_t size) {
    TRY(check_kind(call, DeviceKind::host_port));
    if (size > kMaxHostBytes) return fail(Error::too_large);
    const std::uint64_t bytes_needed = size == 0 ? 1 : size;
    const Reservation room = TRY(Reservation::make(call.quota(), Resource::memory, mm::heap_cost(bytes_needed)));
    struct Buffer {
        std::byte* data;
        ~Buffer() { mm::heap_free(data); }
    } buffer{static_cast<std::byte*>(mm::heap_allocate(bytes_needed))};
    if (buffer.data == nullptr) return fail(Error::out_of_memory);
    TRY(bytes.read_array(0, buffer.data, size));
    send_frame(FrameKind::job_output, call.agent.id(), call.agent.name(), {buffer.data, size});
    return size;
}

Answer node_power(Call& call, Handle, std::uint64_t action, std::uint64_t status) {
    TRY(check_kind(call, DeviceKind::power));
    if (action > static_cast<std::uint64_t>(PowerAction::reset)) return fail(Error::bad_argument);
    request_power(static_cast<PowerAction>(action), status, call.agent.id());
    return 0; // others run until everything has been told to the host
}

// --- the log ---------------------------------------------------------------------------------------------------------

Answer log_read(Call&, Handle, std::uint64_t index, UserOut<std::byte> bytes, std::uint64_t capacity) {
    std::byte record[512];
    const audit::ReadResult read = TRY(audit::read(index, record));
    AIOS_ASSERT(read.fits); // records are smaller
    if (read.bytes > capacity) return fail(Error::buffer_small);
    TRY(bytes.write_array(0, record, read.bytes));
    return read.bytes;
}

Answer log_info(Call&, Handle, UserInOut<LogInfo> out) {
    const LogInfo info = TRY(audit::info());
    TRY(out.out().write(info));
    return 0;
}

} // namespace aios::syscall::calls
