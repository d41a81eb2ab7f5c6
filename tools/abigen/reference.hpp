// docs/reference/calls.md as text, made from the tables in abi/. The file is in git, so that a change of the ABI is a
// visible difference; a unit test compares it with what this function makes.
#pragma once

#include <string>

namespace aios::abigen {

[[nodiscard]] std::string call_reference();

} // namespace aios::abigen
