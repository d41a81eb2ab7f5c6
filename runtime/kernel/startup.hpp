// What a program was started with: its handles by role, arguments (native programs), random bytes. A native program
// gets the block in aios_main; a Linux program finds it through its auxiliary vector with startup_block().
#pragma once

#include "runtime/kernel/handle.hpp"

namespace aios {

// The block of this program. Programs with a C library; nullptr if it was not started by AIOS.
[[nodiscard]] const StartupBlock* startup_block();

// The handle with that role, or kNoHandle. Still owned by the block: it lives as long as the program.
[[nodiscard]] inline Handle find_handle(const StartupBlock& startup, StartupRole role) {
    for (std::uint32_t i = 0; i < startup.count && i < kMaxStartupHandles; ++i) {
        if (startup.entries[i].role == static_cast<std::uint32_t>(role)) return startup.entries[i].handle;
    }
    return kNoHandle;
}

} // namespace aios

// The entry of a native program (environment mini): runtime/kernel/start_mini.cpp calls it and exits with what it
// answers.
int aios_main(const aios::StartupBlock& startup);
