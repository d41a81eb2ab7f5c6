// What the user may have meant: the known word that is nearest to one that is not known. Pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace aios::host {

// The word with the fewest letters to change, insert, remove or swap with their neighbour; empty if even that is more
// than a third of the letters.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

// "; did you mean 'memory'?", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

} // namespace aios::host
