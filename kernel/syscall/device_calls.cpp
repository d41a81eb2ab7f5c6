// Calls about devices: the console, the host's port, power. See call.hpp.
#include <algorithm>

#include "kernel/dev/resource.hpp"
#include "kernel/host/output.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/node/power.hpp"
#include "kernel/syscall/call.hpp"
#include "kernel/time/clock.hpp"

namespace aios::syscall::calls {

namespace {

constexpr std::uint64_t kMaxConsoleBytes = 65536; // of one call
constexpr std::uint64_t kMaxHostBytes = 120 * 1024;
constexpr std::uint64_t kConsolePiece = 1024; // and of input
constexpr std::uint64_t kInputPollNs = 1'000'000;

Result<> check_kind(Call& call, DeviceKind kind) {
    return call.object<DeviceResource>().kind() == kind ? Result<>() : fail(Error::unsupported);
}

} // namespace

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
        upcall::send_frame(FrameKind::console, call.agent.id(), call.agent.name(), {piece, now});
        done += now;
    }
    return size;
}

Answer host_send(Call& call, Handle, UserIn<std::byte> bytes, std::uint64_t size) {
    TRY(check_kind(call, DeviceKind::host_port));
    if (size > kMaxHostBytes) return fail(Error::too_large);
    const auto buffer = TRY(mm::OwnedBytes::make(call.quota(), size));
    TRY(bytes.read_array(0, buffer.data(), size));
    upcall::send_frame(FrameKind::job_output, call.agent.id(), call.agent.name(), {buffer.data(), size});
    return size;
}

// Nothing tells when input comes, so it is looked for once a millisecond, by whoever waits for it.
Answer host_receive(Call& call, Handle, UserOut<std::byte> to, std::uint64_t size) {
    TRY(check_kind(call, DeviceKind::host_port));
    std::byte piece[kConsolePiece];
    const std::uint64_t most = std::min(size, kConsolePiece);
    if (most == 0) return 0;
    if (!to.is_plausible(most)) return fail(Error::bad_address); // before anything is taken
    for (;;) {
        const std::size_t bytes = upcall::receive_from_host({piece, most});
        if (bytes != 0) {
            TRY(to.write_array(0, piece, bytes));
            return bytes;
        }
        if (sched::sleep_until(time::deadline_after(kInputPollNs)) == sched::Outcome::interrupted)
            return fail(Error::interrupted);
        if (!call.first.node->is_held()) return fail(Error::revoked);
    }
}

Answer node_power(Call& call, Handle, std::uint64_t action, std::uint64_t status) {
    TRY(check_kind(call, DeviceKind::power));
    if (action > static_cast<std::uint64_t>(PowerAction::reset)) return fail(Error::bad_argument);
    node::request_power(static_cast<PowerAction>(action), status, call.agent.id());
    return 0; // others run until everything has been told to the host
}

} // namespace aios::syscall::calls
