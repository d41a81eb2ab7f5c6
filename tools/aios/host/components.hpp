// A path's components, for who follows it step by step.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aios::host {

// Puts the components behind those that are in `todo`, the last one first, so that the first is the next to be taken; "." is
// left out.
void push_components(std::string_view path, std::vector<std::string>& todo);

} // namespace aios::host
