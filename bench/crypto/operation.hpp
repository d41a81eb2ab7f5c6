// One row of the benchmark: an operation as AIOS does it and, where there is one to compare with, as OpenSSL does it. A
// body does the operation once, on data prepared before; it gets the number of the repetition, so that signing can sign
// another message each time, the same ones in both. It returns false if the operation failed: then nothing is reported.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace aios::bench {

using Body = std::function<bool(std::size_t repetition)>;

// The upper limits of the project, in ticks; 0 is none. `least_ratio` is against OpenSSL.
struct Limits {
    double avx2 = 0;
    double portable = 0;
    double least_ratio = 0;
};

enum class Weight {
    small, // below a microsecond or so: many in one sample
    usual,
    long_one, // above ten milliseconds or so
    heavy,    // a second or so: a few samples
};

struct Operation {
    std::string algorithm; // as `aios kat` names it
    std::string operation;
    std::size_t bytes = 0; // shown as bytes a tick, not as ticks
    Weight weight = Weight::usual;
    bool in_quick = true;
    Limits limits = {};
    Body ours;
};

[[nodiscard]] std::vector<Operation> kem_operations();
[[nodiscard]] std::vector<Operation> signature_operations();
[[nodiscard]] std::vector<Operation> hash_based_operations();
[[nodiscard]] std::vector<Operation> symmetric_operations();

// The same operation by OpenSSL; empty where it has none, or is not there.
[[nodiscard]] Body openssl_body(const Operation& operation);
// "OpenSSL 3.5.8 ..."; empty if it is not there.
[[nodiscard]] std::string openssl_version();

} // namespace aios::bench
