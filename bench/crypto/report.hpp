// What was measured, as a table for people and as JSON for programs.
#pragma once

#include <span>
#include <string>

#include "bench/crypto/measure.hpp"

namespace aios::bench {

struct Machine {
    std::string processor;
    double ticks_a_second = 0;
    bool pinned = false;
    std::string openssl;         // its version, or empty
    std::string without_openssl; // why it is missing
};

// As the processor names itself.
[[nodiscard]] std::string processor_name();

[[nodiscard]] std::string as_table(const Machine& machine, std::span<const Row> rows);
[[nodiscard]] std::string as_json(const Machine& machine, std::span<const Row> rows);

} // namespace aios::bench
