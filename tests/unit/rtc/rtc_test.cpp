// Real-time clock registers to seconds since 1970.
#include "kernel/time/rtc.hpp"

#include <ctime>

#include <gtest/gtest.h>

namespace aios::time {
namespace {

constexpr std::uint8_t kBinary24 = 6, kBcd24 = 2, kBcd12 = 0;

TEST(Rtc, EveryDayOfTheCentury) {
    std::time_t seconds = 946684800; // 2000-01-01
    for (int day = 0; day < 36525; ++day, seconds += 86400) {
        std::tm date{};
        ASSERT_NE(gmtime_r(&seconds, &date), nullptr);
        const RtcFields fields{1,
                               2,
                               3,
                               static_cast<std::uint8_t>(date.tm_mday),
                               static_cast<std::uint8_t>(date.tm_mon + 1),
                               static_cast<std::uint8_t>(date.tm_year - 100)};
        const auto result = rtc_to_seconds(fields, kBinary24);
        ASSERT_TRUE(result.has_value());
        ASSERT_EQ(*result, static_cast<std::uint64_t>(seconds) + 3 * 3600 + 2 * 60 + 1);
    }
}

TEST(Rtc, DecimalDigitsAndTwelveHours) {
    const auto day = rtc_to_seconds({0, 0, 0, 1, 1, 0x26}, kBinary24);
    EXPECT_EQ(rtc_to_seconds({0x59, 0x30, 0x23, 0x01, 0x01, 0x38}, kBcd24).value(), *day + 23 * 3600 + 30 * 60 + 59);
    EXPECT_EQ(rtc_to_seconds({0, 0, 0x12, 0x01, 0x01, 0x38}, kBcd12).value(), *day);             // midnight
    EXPECT_EQ(rtc_to_seconds({0, 0, 0x92, 0x01, 0x01, 0x38}, kBcd12).value(), *day + 12 * 3600); // noon
    EXPECT_EQ(rtc_to_seconds({0, 0, 0x81, 0x01, 0x01, 0x38}, kBcd12).value(), *day + 13 * 3600);
}

TEST(Rtc, RefusesWhatIsNoDate) {
    EXPECT_FALSE(rtc_to_seconds({60, 0, 0, 1, 1, 1}, kBinary24).has_value());
    EXPECT_FALSE(rtc_to_seconds({0, 0, 0, 0, 1, 1}, kBinary24).has_value());
    EXPECT_FALSE(rtc_to_seconds({0, 0, 0, 31, 4, 1}, kBinary24).has_value());
    EXPECT_FALSE(rtc_to_seconds({0, 0, 0, 29, 2, 1}, kBinary24).has_value());
    EXPECT_TRUE(rtc_to_seconds({0, 0, 0, 29, 2, 4}, kBinary24).has_value());
    EXPECT_FALSE(rtc_to_seconds({0, 0, 0, 1, 13, 1}, kBinary24).has_value());
    EXPECT_FALSE(rtc_to_seconds({0x5a, 0, 0, 1, 1, 1}, kBcd24).has_value());
    EXPECT_FALSE(rtc_to_seconds({0, 0, 0x13, 1, 1, 1}, kBcd12).has_value());
    EXPECT_FALSE(rtc_to_seconds({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, kBcd24).has_value());
}

} // namespace
} // namespace aios::time
