// The power thread. See power.hpp.
#include "kernel/syscall/power.hpp"

#include "kernel/agent/agent.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/audit/audit.hpp"
#include "kernel/dev/power.hpp"
#include "kernel/observe/report.hpp"

namespace aios::syscall {

namespace {

struct Request {
    bool made = false;
    PowerAction action = PowerAction::off;
    std::uint64_t status = 0;
    std::uint64_t agent = 0;
};
constinit sync::Protected<Request, sync::Rank::operation> g_request;
constinit sched::WaitQueue g_wanted;

void run(void*) {
    Request request;
    while (!request.made) {
        (void)g_wanted.wait(
            sched::kNever, [&] { return (request = g_request.with([](Request& r) { return r; })).made; },
            sched::Interruptible::no);
    }
    audit::Record record;
    record.kind = audit::Kind::power;
    record.agent = request.agent;
    record.detail[0] = static_cast<std::uint64_t>(request.action);
    record.detail[1] = request.status;
    audit::reserve_emergency().commit(record);
    observe::send_final();
    audit::drain();
    log_info("power {}, status {}", request.action == PowerAction::off ? "off" : "reset", request.status);
    if (request.action == PowerAction::reset) dev::reset();
    dev::power_off(request.status == 0);
}

} // namespace

void request_power(PowerAction action, std::uint64_t status, std::uint64_t agent) {
    g_request.with([&](Request& request) {
        if (!request.made) request = {true, action, status, agent};
    });
    g_wanted.wake_all();
}

void start_power_thread() {
    // The run is over when the first agent is.
    Agent::set_first_ended([](const AgentInfo& info) {
        const bool good = info.end_reason == static_cast<std::uint32_t>(EndReason::exited) && info.end_status == 0;
        request_power(PowerAction::off, good ? 0 : 1, 0);
    });
    auto thread = Thread::create_kernel("power", run, nullptr);
    AIOS_ASSERT(thread.has_value()); // at boot
    (*thread)->start();
}

} // namespace aios::syscall
