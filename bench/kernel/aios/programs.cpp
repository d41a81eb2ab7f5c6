// Rows that one unmodified Linux program measures on both systems: started here with the row's name, it prints the
// same lines on its console.
#include "bench/kernel/aios/measure.hpp"

namespace bench {

namespace {

using namespace std::literals;

void run_program(std::string_view arguments) {
    const HandleGrant bundle = grant(handle(StartupRole::bundle), rights::read | rights::execute, StartupRole::bundle);
    const Peer other =
        Peer::start("bin/rows", arguments, {console_grant(), bundle}, PersonalityKind::linux_abi, 128 << 20);
    const AgentInfo end = wait_dead(other.agent(), 600);
    if (!ended_with(end, EndReason::exited, 0))
        console_print("BENCH {} fail the program ended by reason {} status {}\n", program, end.end_reason,
                      end.end_status);
}

} // namespace

void cow_fault() { run_program("rows\0cow_fault\0"sv); }
void thread_join() { run_program("rows\0thread_join\0"sv); }

} // namespace bench
