// How many checks were granted and refused, by object type and right, kept for each CPU (no sharing, no lock) and added
// up for the report. A check for several rights counts under the lowest; one that needs no right under kNoRight.
#pragma once

#include <bit>
#include <cstdint>

#include "abi/rights.hpp"

namespace aios::cap {

inline constexpr unsigned kObjectTypes = 1 // any, which has number 0
#define OBJECT(name, number, sentence) +1
#include "abi/objects.def"
#undef OBJECT
    ;
inline constexpr unsigned kNoRight = std::bit_width(rights::all.bits()); // one past the last right's bit
inline constexpr unsigned kRightKinds = kNoRight + 1;

struct CheckCount {
    std::uint64_t granted;
    std::uint64_t refused;
};

// Interrupts are off.
enum class CheckResult : std::uint8_t { refused, granted };
void count_check(ObjectType type, Rights needed, CheckResult result);
// The sum over all CPUs. A snapshot.
[[nodiscard]] CheckCount checks_of(unsigned type, unsigned right);

} // namespace aios::cap
