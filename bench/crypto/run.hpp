// The benchmark as a whole, whoever starts it: the program (main.cpp) or Node.js (addon.cpp).
#pragma once

#include <span>
#include <string>

namespace aios::bench {

// Takes [--quick] [--json FILE] [--without-openssl REASON]; prints the table and returns the exit status.
[[nodiscard]] int run(std::span<const std::string> arguments);

} // namespace aios::bench
