// The real-time clock of a PC (Motorola MC146818): read once at boot. It is taken to run on UTC.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace aios::time {

struct RtcFields { // as the registers hold them
    std::uint8_t second, minute, hour, day, month, year;
    friend bool operator==(const RtcFields&, const RtcFields&) = default;
};
// Status register B: bit 1 = 24 hours, bit 2 = binary, else BCD; without 24 hours, bit 7 of the hour is "p.m.".
// Seconds since 1970-01-01. Years are 2000 to 2099. bad_format: no such date.
Result<std::uint64_t> rtc_to_seconds(RtcFields fields, std::uint8_t status_b);

Result<std::uint64_t> read_rtc(); // device: it does not settle or holds no date

} // namespace aios::time
