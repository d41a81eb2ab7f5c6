// What becomes of a thread that is inside a call when its agent is stopped, and later goes on somewhere else (from an
// image of the agent): the column `restart` of abi/calls.def and of personality/linux/coverage.def.
#pragma once

#include <cstdint>

namespace aios {

enum class Restart : std::uint8_t {
    again,       // stops in the call's wait, which has had no effect yet: the call is made again, with its own deadline
    interrupted, // stops in its wait, but part of its work is done: it answers `interrupted` (EINTR), or what was done
    outcome,     // runs to its end first, and stops on the way back to the program: its outcome is told
};

} // namespace aios
