// What a run tells of itself: accounts of agents, capability checks by kind, the facts of the boot. As frames to the
// host (abi/messages.cddl section 2, kinds 5 to 7). Numbers are read where they are kept; nothing is counted here.
#pragma once

namespace aios::observe {

void send_boot_facts(); // once, after the first user instruction; nothing before it
void send_final();      // at power-off: accounts of the living, and the checks

} // namespace aios::observe
