// The order in which the kernel comes up. Each part is brought up by its own folder; this file only says when.
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/mm/mm.hpp"
#include "kernel/sched/thread.hpp"
#include "tests/kernel/test.hpp"

namespace aios {

void kernel_main() {
    arch::run_initializers();
    arch::init_boot_cpu();
    if (const auto level = arch::command_line_number("loglevel"))
        set_log_level(static_cast<LogLevel>(*level < 3 ? *level : 3));
    const auto& handoff = arch::hand_off();
    log_info("AIOS, started by {}, {} memory ranges, container {} bytes",
             handoff.path == boot::BootPath::pvh ? "PVH" : "UEFI", handoff.range_count, handoff.container_bytes);

    arch::init_clocks(0, arch::command_line_number("tsc_khz"));

    mm::init_frames(handoff);
    mm::init_kernel_space();
    sched::init();
    arch::interrupts_enable();

    if (arch::command_line_number("selftest") == 1u) {
        const bool good = kernel_test::run_all();
        arch::debug_exit(good ? arch::ExitStatus::success : arch::ExitStatus::selftest_failed);
    }
    log_info("nothing to run");
    arch::debug_exit(arch::ExitStatus::run_failed);
    arch::halt_forever();
}

} // namespace aios
