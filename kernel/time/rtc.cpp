// See rtc.hpp. Two equal readings outside an update are believed.
#include "kernel/time/rtc.hpp"

#include "kernel/arch/machine.hpp"

namespace aios::time {
namespace {

std::uint8_t read_register(std::uint8_t index) {
    arch::port_write8(0x70, index);
    return arch::port_read8(0x71);
}

RtcFields read_fields() {
    return {read_register(0), read_register(2), read_register(4), read_register(7), read_register(8), read_register(9)};
}

} // namespace

Result<std::uint64_t> read_rtc() {
    constexpr int kMaxPolls = 20'000;
    constexpr std::uint8_t kUpdating = 0x80;
    RtcFields last{};
    bool have_last = false;
    for (int polls = 0; polls < kMaxPolls; ++polls) {
        if ((read_register(0x0a) & kUpdating) != 0) continue;
        const RtcFields now = read_fields();
        if (have_last && now == last) {
            const auto seconds = rtc_to_seconds(now, read_register(0x0b));
            return seconds ? seconds : fail(Error::device);
        }
        last = now;
        have_last = true;
    }
    return fail(Error::device);
}

} // namespace aios::time
