// The order in which the kernel comes up. Each part is brought up by its own folder; this file only says when. It
// stands above all other folders, personalities included.
#include "base/cbor.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/arch/off_time.hpp"
#include "kernel/audit/audit.hpp"
#include "kernel/dev/entropy_init.hpp"
#include "kernel/dev/host_port.hpp"
#include "kernel/dev/platform.hpp"
#include "kernel/dev/power.hpp"
#include "kernel/host/output.hpp"
#include "kernel/mm/mm.hpp"
#include "kernel/sched/thread.hpp"
#include "kernel/start.hpp"
#include "kernel/time/clock.hpp"
#include "kernel/time/clock_init.hpp"

namespace aios {
namespace {

void print_banner() {
    const auto& handoff = arch::hand_off();
    std::uint64_t usable = 0;
    for (std::uint32_t i = 0; i < handoff.range_count; ++i) {
        if (handoff.ranges[i].kind == boot::MemoryKind::usable) usable += handoff.ranges[i].bytes;
    }
    log_info("AIOS, started by {}, {} MiB of memory, container {} KiB{}",
             handoff.path == boot::BootPath::pvh ? "PVH" : "UEFI", usable >> 20, handoff.container_bytes >> 10,
             arch::fixed_seed() ? ", fixed seed" : "");
}

void start_other_cpus() {
    if (arch::command_line_value("smp") == "off") return;
    const auto started = arch::start_cpus(dev::platform().processors.span(), mm::allocate_stack);
    if (!started) log(LogLevel::warning, "the other CPUs cannot be started: {}", started.error());
    log_info("{} CPUs", arch::cpu_count());
}

// What a panic says beside arch's own report; the last one added runs first.
void add_panic_reporters() {
    arch::add_panic_reporter(dev::drain_host_port);
    arch::add_panic_reporter([] {
        std::byte buffer[kLogLineBytes + 16];
        if (const auto note = cbor::Encoder(buffer).text(arch::panic_message()).finish())
            upcall::send_frame(FrameKind::note, 0, "kernel", *note);
    });
}

} // namespace

void arch::upcall::kernel_main() {
    arch::run_initializers();
    if (const auto level = arch::command_line_number("loglevel"))
        set_log_level(static_cast<LogLevel>(*level < 3 ? *level : 3));
    print_banner();

    arch::init_boot_cpu();
    mm::init_frames(arch::hand_off());
    mm::init_kernel_space();
    mm::add_boot_frames(arch::hand_off()); // the loader's block, stack and tables: copied or replaced
    dev::init_platform();
    const dev::AcpiFacts& facts = dev::platform();
    if (!arch::init_clocks({facts.hpet, facts.acpi_timer, arch::command_line_number("tsc_khz")}))
        dev::refuse_machine(
            "there is nothing to measure time by: HPET, ACPI timer, PIT and real-time clock are missing, "
            "and CPUID does not say how fast the time stamp counter runs; switch one on (pit=on), or "
            "give --append tsc_khz=N.");
    time::init_clock();
    dev::init_entropy();
    sched::init();
    dev::init_host_port();
    add_panic_reporters();
    start_other_cpus();
    arch::interrupts_enable();
    log_info("ready after {} us", time::now_ns() / 1000);

    if (arch::command_line_value("stop") == "ready") dev::power_off(dev::RunEnd::well);
    after_boot();
    sched::run_idle(); // this thread has done its work
}

} // namespace aios
