// The image of the kernel's tests: once the kernel runs they run, then the machine stops. Status 0x10, or 0x13 if one failed.
#include "kernel/start.hpp"

#include "kernel/arch/machine.hpp"
#include "kernel/dev/power.hpp"
#include "tests/kernel/test.hpp"

namespace aios {

void after_boot() {
    kernel_test::run_disaster(arch::command_line_value("disaster").value_or(""));
    if (kernel_test::run_all()) dev::power_off(dev::RunEnd::well);
    arch::debug_exit(arch::ExitStatus::selftest_failed);
    dev::power_off(dev::RunEnd::failed);
}

} // namespace aios
