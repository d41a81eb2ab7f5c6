// The measurement: one CPU, implementations and operations in turns, medians. A turn of an implementation runs the
// operation once unmeasured, so that it finds its code and data in the caches as in steady use, and then takes a few
// samples; then it is the next one's turn. A change of the processor's frequency so hits all alike.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/crypto/operation.hpp"

namespace aios::bench {

// Medians in ticks for one operation, where measured.
struct Row {
    Operation operation;
    std::optional<double> avx2 = std::nullopt;
    std::optional<double> portable = std::nullopt;
    std::optional<double> openssl = std::nullopt;
};

struct Failure {
    std::string what; // a sentence
};

struct Settings {
    bool quick = false;
    bool progress = true; // a line on standard error
};

// Binds this thread to the CPU that it runs on. False if the system refuses.
bool pin_to_one_cpu();

// Ticks of the time stamp counter a second.
[[nodiscard]] double ticks_a_second();

// Measures all operations. `failure` gets a sentence if one did not succeed.
[[nodiscard]] std::vector<Row> measure(std::vector<Operation> operations, const Settings& settings,
                                       std::optional<Failure>& failure);

} // namespace aios::bench
