// Formatting and UTF-8.
#include <cstdio>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/format.hpp"
#include "base/utf8.hpp"

namespace aios {
namespace {

template <typename... Args>
std::string formatted(FormatString<std::type_identity_t<Args>...> format, const Args&... args) {
    char buffer[400];
    return std::string(format_to(buffer, format, args...));
}

enum class Colour : std::uint8_t { red = 7 };

TEST(Format, Values) {
    EXPECT_EQ(formatted(""), "");
    EXPECT_EQ(formatted("plain {{}} {{{}}}", 1), "plain {} {1}");
    EXPECT_EQ(formatted("{} {} {}", -5, 5u, std::uint64_t{18446744073709551615u}), "-5 5 18446744073709551615");
    EXPECT_EQ(formatted("{}", std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
    EXPECT_EQ(formatted("{:x} {:X} {:b}", 48879, 48879, 5), "beef BEEF 101");
    EXPECT_EQ(formatted("{:x} {:x} {:x}", std::int8_t{-1}, -1, std::int64_t{-1}), "ff ffffffff ffffffffffffffff");
    EXPECT_EQ(formatted("{:08x}|{:8}|{:<8}|{:08}|{:02}", 0xbeef, -12, -12, -12, 123),
              "0000beef|     -12|-12     |-0000012|123");
    EXPECT_EQ(formatted("{}|{:5}|{:>5}|{:<5}|{:2}", "ab", "ab", "ab", "ab", "abc"), "ab|ab   |   ab|ab   |abc");
    EXPECT_EQ(formatted("{} {}", std::string("string"), std::string_view("view", 2)), "string vi");
    EXPECT_EQ(formatted("{} {} {:x}", true, 'c', 'c'), "true c 63");
    EXPECT_EQ(formatted("{} {}", Error::quota_exceeded, Colour::red), "quota_exceeded 7");
    EXPECT_EQ(formatted("{} {}", Fixed{-12345, 2}, Fixed{5, 3}), "-123.45 0.005");
    EXPECT_EQ(formatted("{} {:9}", Fixed{7, 0}, Fixed{123456, 3}), "7   123.456");
    EXPECT_EQ(formatted("{}|{:6}|{:>6}", Hex{as_bytes("\x01\xfe")}, Hex{as_bytes("A")}, Hex{as_bytes("A")}),
              "01fe|41    |    41");
    EXPECT_EQ(formatted("{}", static_cast<const char*>(nullptr)), "(null)");
    EXPECT_EQ(formatted("{} {}", nullptr, reinterpret_cast<void*>(0x1000)), "0x0 0x1000");
    EXPECT_EQ(formatted("{:255}", 1), std::string(254, ' ') + "1");
    EXPECT_EQ(formatted("{:0255}", -1), "-" + std::string(253, '0') + "1");
}

TEST(Format, IntegersAgreeWithPrintf) {
    std::mt19937_64 random(3);
    for (int i = 0; i < 5000; ++i) {
        const std::uint64_t value = random() >> (random() % 64);
        char expected[160];
        std::snprintf(expected, sizeof(expected), "%llu %lld %llx %20lld %-20lld| %020llu",
                      static_cast<unsigned long long>(value), static_cast<long long>(value),
                      static_cast<unsigned long long>(value), static_cast<long long>(value),
                      static_cast<long long>(value), static_cast<unsigned long long>(value));
        const auto negative = static_cast<std::int64_t>(value);
        EXPECT_EQ(formatted("{} {} {:x} {:20} {:<20}| {:020}", value, negative, value, negative, negative, value),
                  expected);
    }
}

TEST(Format, CutsOffAtTheEndOfTheBuffer) {
    for (std::size_t room = 0; room <= 12; ++room) {
        std::vector<char> buffer(room);
        const std::string whole = "ab 123    x";
        EXPECT_EQ(format_to(buffer, "ab {:<6} {}", 123, "x"), whole.substr(0, room));
    }
    char buffer[8];
    TextBuffer text(buffer);
    text.print("{}", "1234");
    text.print("{}", "5678");
    EXPECT_FALSE(text.truncated());
    text.print("{}", "9");
    EXPECT_TRUE(text.truncated());
    EXPECT_EQ(text.text(), "12345678");
    text.clear();
    text.print("{}", 1);
    EXPECT_EQ(text.text(), "1");
}

TEST(Format, WritesToASink) {
    struct Sink {
        std::string text;
        void write(std::string_view piece) { text += piece; }
    } sink;
    format(sink, "{}-{:03}", "a", 7);
    EXPECT_EQ(sink.text, "a-007");
}

std::string code_points(std::string_view text) {
    std::string list;
    for (const char32_t c : utf8::CodePoints(text))
        list += formatted("{:x} ", static_cast<std::uint32_t>(c));
    return list;
}

TEST(Utf8, DecodesAndReplaces) {
    EXPECT_EQ(code_points("a\u00e9\u6c34\U0001f600"), "61 e9 6c34 1f600 ");
    EXPECT_EQ(code_points(""), "");
    // The examples of Unicode section 3.9, tables 3-8 to 3-11.
    EXPECT_EQ(code_points("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), "fffd fffd fffd fffd fffd fffd fffd fffd 41 ");
    EXPECT_EQ(code_points("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), "fffd fffd fffd fffd fffd fffd fffd fffd 41 ");
    EXPECT_EQ(code_points("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"), "fffd fffd fffd fffd fffd 41 fffd fffd 42 ");
    EXPECT_EQ(code_points("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), "fffd fffd fffd fffd 41 ");
    EXPECT_EQ(code_points("\xe6\xb0"), "fffd ");
    EXPECT_FALSE(utf8::decode("\xff").valid);
    EXPECT_TRUE(utf8::decode("\uFFFD").valid);
}

TEST(Utf8, EveryScalarValueSurvives) {
    for (std::uint32_t value = 0; value < 0x110000; ++value) {
        if (value >= 0xd800 && value < 0xe000) continue;
        char text[4];
        const std::size_t length = utf8::encode(value, text);
        const auto decoded = utf8::decode({text, length});
        ASSERT_TRUE(decoded.valid && decoded.code_point == value && decoded.length == length) << value;
        ASSERT_TRUE(utf8::is_valid({text, length}));
        for (std::size_t shorter = 1; shorter < length; ++shorter)
            ASSERT_FALSE(utf8::is_valid({text, shorter}));
    }
    for (const std::uint32_t bad : {0xd800u, 0xdfffu, 0x110000u, 0xffffffffu}) {
        char text[4];
        EXPECT_EQ(std::string(text, utf8::encode(bad, text)), "\uFFFD");
    }
}

// Of all strings of three bytes that do not start in ASCII, exactly as many are valid as there are encodings.
TEST(Utf8, ValidityOfAllThreeByteStrings) {
    std::size_t valid = 0;
    for (unsigned value = 0; value < 0x1000000; ++value) {
        const char text[3] = {static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
        if (static_cast<unsigned char>(text[0]) >= 0x80) valid += utf8::is_valid({text, 3});
    }
    // 1920 scalar values of two bytes, each with any ASCII character behind it, and those of three bytes: from 0x800 to
    // 0xffff without the 2048 surrogates.
    EXPECT_EQ(valid, 1920u * 128 + (65536 - 2048 - 2048));
}

TEST(Utf8, ValidityAtAnyPosition) {
    // Long ASCII runs with one bad byte at every place: the fast path must not jump over it.
    for (std::size_t length = 1; length < 40; ++length) {
        std::string text(length, 'x');
        EXPECT_TRUE(utf8::is_valid(text));
        for (std::size_t at = 0; at < length; ++at) {
            std::string bad = text;
            bad[at] = '\x80';
            EXPECT_FALSE(utf8::is_valid(bad)) << at << " of " << length;
            bad = text.substr(0, at) + "\u00e9" + text.substr(at);
            EXPECT_TRUE(utf8::is_valid(bad));
        }
    }
}

} // namespace
} // namespace aios
