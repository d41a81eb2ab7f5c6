// Times in certificates (RFC 5280 section 4.1.2.5): UTCTime until 2049, GeneralizedTime from 2050 on, both in Greenwich
// time with seconds and without fractions.
#include "crypto/x509/parts.hpp"

namespace aios::crypto::detail::x509 {

namespace {

// Days from 1970-01-01 to a day of the Gregorian calendar; years from 0 on. Years are counted from March, so that the
// leap day comes last.
std::int64_t days_since_1970(std::int64_t year, std::int64_t month, std::int64_t day) {
    const std::int64_t shifted_year = month <= 2 ? year - 1 + 400 : year + 400; // 400 years repeat: no negative numbers
    const std::int64_t shifted_month = month <= 2 ? month + 9 : month - 3;
    const std::int64_t days = 365 * shifted_year + shifted_year / 4 - shifted_year / 100 + shifted_year / 400 +
                              (153 * shifted_month + 2) / 5 + day - 1;
    constexpr std::int64_t kDaysTo1970 = 719468 + 146097;
    return days - kDaysTo1970;
}

std::int64_t days_in_month(std::int64_t year, std::int64_t month) {
    if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Reads a number of two digits from the front of `text`.
Result<std::int64_t> two_digits(Bytes& text) {
    if (text.size() < 2) return fail(Error::bad_format);
    const int high = static_cast<int>(text[0]) - '0';
    const int low = static_cast<int>(text[1]) - '0';
    if (high < 0 || high > 9 || low < 0 || low > 9) return fail(Error::bad_format);
    text = text.subspan(2);
    return 10 * high + low;
}

} // namespace

Result<std::int64_t> read_time(der::Reader& in) {
    der::Reader after = in;
    const bool is_utc = after.next_is(der::Tag::utc_time);
    const auto element = TRY(after.element(is_utc ? der::Tag::utc_time : der::Tag::generalized_time));
    Bytes text = element.contents;
    std::int64_t year = TRY(two_digits(text));
    if (is_utc) {
        year += year >= 50 ? 1900 : 2000;
    } else {
        year = 100 * year + TRY(two_digits(text));
        if (year < 2050) return fail(Error::bad_format);
    }
    const std::int64_t month = TRY(two_digits(text));
    const std::int64_t day = TRY(two_digits(text));
    const std::int64_t hour = TRY(two_digits(text));
    const std::int64_t minute = TRY(two_digits(text));
    const std::int64_t second = TRY(two_digits(text));
    if (text.size() != 1 || text[0] != std::byte{'Z'}) return fail(Error::bad_format);
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return fail(Error::bad_format);
    if (hour > 23 || minute > 59 || second > 59) return fail(Error::bad_format);
    in = after;
    return ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

} // namespace aios::crypto::detail::x509
