// Register contents to seconds; see rtc.hpp. Days from the civil calendar by counting leap years: a year that divides
// by four, in the century that the clock can name.
#include "kernel/time/rtc.hpp"

namespace aios::time {

Result<std::uint64_t> rtc_to_seconds(RtcFields fields, std::uint8_t status_b) {
    constexpr std::uint8_t kTwentyFourHours = 2, kBinary = 4, kAfternoon = 0x80;
    const bool afternoon = (status_b & kTwentyFourHours) == 0 && (fields.hour & kAfternoon) != 0;
    if ((status_b & kTwentyFourHours) == 0) fields.hour &= 0x7f;
    if ((status_b & kBinary) == 0) {
        for (std::uint8_t* field :
             {&fields.second, &fields.minute, &fields.hour, &fields.day, &fields.month, &fields.year}) {
            if ((*field & 0xf) > 9 || (*field >> 4) > 9) return fail(Error::bad_format);
            *field = static_cast<std::uint8_t>((*field >> 4) * 10 + (*field & 0xf));
        }
    }
    if ((status_b & kTwentyFourHours) == 0) {
        if (fields.hour == 0 || fields.hour > 12) return fail(Error::bad_format);
        fields.hour = static_cast<std::uint8_t>(fields.hour % 12 + (afternoon ? 12 : 0));
    }
    constexpr std::uint16_t kDaysBefore[13] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    const bool is_time = fields.second <= 59 && fields.minute <= 59 && fields.hour <= 23;
    const bool is_month = fields.month >= 1 && fields.month <= 12 && fields.year <= 99;
    if (!is_time || !is_month) return fail(Error::bad_format);
    const bool leap = fields.year % 4 == 0;
    const unsigned length =
        kDaysBefore[fields.month] - kDaysBefore[fields.month - 1] + (leap && fields.month == 2 ? 1 : 0);
    if (fields.day < 1 || fields.day > length) return fail(Error::bad_format);
    constexpr std::uint64_t kDaysTo2000 = 10957;
    std::uint64_t days = kDaysTo2000 + fields.year * 365u + (fields.year + 3u) / 4;
    days += kDaysBefore[fields.month - 1] + (leap && fields.month > 2 ? 1u : 0u) + fields.day - 1u;
    return ((days * 24 + fields.hour) * 60 + fields.minute) * 60 + fields.second;
}

} // namespace aios::time
