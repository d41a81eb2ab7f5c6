// Starts the agents of the container. See start.hpp. It stands above all other folders, personalities included.
#include "kernel/start.hpp"

#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/arch/off_time.hpp"
#include "kernel/audit/audit.hpp"
#include "kernel/dev/platform.hpp"
#include "kernel/dev/power.hpp"
#include "kernel/fs/tree.hpp"
#include "kernel/node/first_agent.hpp"
#include "personality/linux/start.hpp"

namespace aios {

namespace {

// Agents are not trusted, and there is no page-table isolation: on a processor with Meltdown they could read all of
// memory.
void check_processor() {
    if (!arch::needs_page_table_isolation() || arch::command_line_value("unsafe") == "meltdown") return;
    dev::refuse_machine("this processor lets user code read kernel memory (Meltdown); take another one, or give "
                        "--append unsafe=meltdown to run agents on it all the same.");
}

// Programs come from the container; from here on the first agent decides what happens.
Result<> start_agents() {
    check_processor();
    const auto& handoff = arch::hand_off();
    if (handoff.container_bytes == 0) return fail(Error::not_found);
    TRY(fs::init_bundle({handoff.container_base}, handoff.container_bytes));
    linux_abi::register_linux();
    audit::start();
    if (const auto limit = arch::command_line_number("interrupts_off")) arch::measure_off_time(*limit);
    return node::start_first_agent();
}

} // namespace

void after_boot() {
    const auto started = start_agents();
    if (started) return;
    log(LogLevel::error, "no agent can be started: {}", started.error());
    dev::power_off(dev::RunEnd::failed);
}

} // namespace aios
