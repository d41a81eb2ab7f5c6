// The power thread. See power.hpp.
#include "kernel/node/power.hpp"

#include "kernel/agent/agent.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/arch/off_time.hpp"
#include "kernel/audit/audit.hpp"
#include "kernel/dev/power.hpp"
#include "kernel/observe/report.hpp"

namespace aios::node {

namespace {

struct Request {
    bool made = false;
    PowerAction action = PowerAction::off;
    std::uint64_t status = 0;
    std::uint64_t agent = 0;
};
constinit sync::Protected<Request, sync::Rank::power> g_request;
constinit sched::WaitQueue g_wanted;

// Where interrupts were off for longest, if that was measured. False when a stretch was longer than the limit.
bool report_off_time() {
    if (!arch::is_off_time_measured()) return true;
    arch::OffTime longest[arch::kMaxOffTimes];
    const unsigned count = arch::longest_off_times(longest);
    bool good = true;
    for (unsigned i = 0; i < count; ++i) {
        const arch::OffTime& stretch = longest[i];
        const bool is_long = stretch.ticks > arch::off_time_limit();
        log(is_long ? LogLevel::error : LogLevel::info, "interrupts off for {} ticks, limit {}: from {:x} to {:x}",
            stretch.ticks, arch::off_time_limit(), stretch.from, stretch.to);
        good = good && !is_long;
    }
    return good;
}

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
    audit::record(audit::kernel_account(), record, audit::Use::urgent);
    observe::send_final();
    audit::drain();
    if (!report_off_time()) request.status = request.status == 0 ? 1 : request.status;
    log_info("power {}, status {}", request.action == PowerAction::off ? "off" : "reset", request.status);
    if (request.action == PowerAction::reset) dev::reset();
    dev::power_off(request.status == 0 ? dev::RunEnd::well : dev::RunEnd::failed);
}

} // namespace

void request_power(PowerAction action, std::uint64_t status, std::uint64_t agent) {
    g_request.with([&](Request& request) {
        if (!request.made) request = {true, action, status, agent};
    });
    g_wanted.wake_all();
}

void start_power_thread() {
    auto thread = Thread::create_kernel("power", run, nullptr);
    AIOS_ASSERT(thread.has_value()); // at boot
    (*thread)->start();
}

} // namespace aios::node

namespace aios::upcall {

void first_agent_is_dead(const AgentInfo& account) {
    const bool good = account.end_reason == static_cast<std::uint32_t>(EndReason::exited) && account.end_status == 0;
    node::request_power(PowerAction::off, good ? 0 : 1, 0);
}

} // namespace aios::upcall
