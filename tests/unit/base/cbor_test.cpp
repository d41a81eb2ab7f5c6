// Deterministic CBOR: the examples of RFC 8949 appendix A, everything that strict decoding must refuse, and the
// encoder's own rules.
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "base/cbor_float.hpp"
#include "tests/support/cbor_copy.hpp"
#include "tests/support/hex.hpp"

namespace aios {
namespace {

using cbor::Decoder;
using cbor::Encoder;
using test::from_hex;
using test::to_hex;

// What `build` encodes, as hex; also checks that counting gives the same size and that every smaller span is refused.
template <typename Build>
std::string encoded(Build build) {
    Encoder counter = Encoder::counting();
    build(counter);
    EXPECT_TRUE(counter.finish().has_value());

    std::vector<std::byte> buffer(counter.size());
    for (std::size_t room = 0; room < buffer.size(); ++room) {
        std::vector<std::byte> small(room); // exactly so large that a write too far is found
        Encoder encoder(small);
        build(encoder);
        EXPECT_EQ(encoder.finish().error(), Error::no_space) << room;
        EXPECT_EQ(encoder.size(), buffer.size());
    }
    Encoder encoder(buffer);
    build(encoder);
    const auto result = encoder.finish();
    EXPECT_TRUE(result.has_value());
    return result ? to_hex(*result) : "";
}

std::string copied(const std::vector<std::byte>& data) {
    Decoder in(data);
    std::vector<std::byte> buffer(data.size());
    Encoder out(buffer);
    if (!test::copy_item(in, out) || !in.finish()) return "refused";
    const auto result = out.finish();
    return result ? to_hex(*result) : "not encoded";
}

TEST(Cbor, IntegersOfAppendixA) {
    const std::pair<std::uint64_t, const char*> unsigned_cases[] = {{0, "00"},
                                                                    {1, "01"},
                                                                    {10, "0a"},
                                                                    {23, "17"},
                                                                    {24, "1818"},
                                                                    {25, "1819"},
                                                                    {100, "1864"},
                                                                    {1000, "1903e8"},
                                                                    {1000000, "1a000f4240"},
                                                                    {1000000000000, "1b000000e8d4a51000"},
                                                                    {18446744073709551615u, "1bffffffffffffffff"}};
    for (const auto& [value, hex] : unsigned_cases) {
        EXPECT_EQ(encoded([&](Encoder& out) { out.uint(value); }), hex);
        const auto data = from_hex(hex);
        Decoder in(data);
        EXPECT_EQ(in.uint().value(), value);
        EXPECT_TRUE(in.finish().has_value());
    }
    const std::pair<std::int64_t, const char*> signed_cases[] = {
        {-1, "20"},
        {-10, "29"},
        {-100, "3863"},
        {-1000, "3903e7"},
        {5, "05"},
        {std::numeric_limits<std::int64_t>::min(), "3b7fffffffffffffff"},
        {std::numeric_limits<std::int64_t>::max(), "1b7fffffffffffffff"}};
    for (const auto& [value, hex] : signed_cases) {
        EXPECT_EQ(encoded([&](Encoder& out) { out.integer(value); }), hex);
        const auto data = from_hex(hex);
        Decoder in(data);
        EXPECT_EQ(in.integer().value(), value);
    }
    // -18446744073709551616 is CBOR, but no 64-bit integer.
    const auto lowest = from_hex("3bffffffffffffffff");
    Decoder in(lowest);
    EXPECT_EQ(in.integer().error(), Error::overflow);
    EXPECT_TRUE(cbor::validate(lowest).has_value());
}

TEST(Cbor, FloatsOfAppendixA) {
    const double inf = std::numeric_limits<double>::infinity();
    const std::pair<double, const char*> cases[] = {{0.0, "f90000"},
                                                    {-0.0, "f98000"},
                                                    {1.0, "f93c00"},
                                                    {1.1, "fb3ff199999999999a"},
                                                    {1.5, "f93e00"},
                                                    {65504.0, "f97bff"},
                                                    {100000.0, "fa47c35000"},
                                                    {3.4028234663852886e+38, "fa7f7fffff"},
                                                    {1.0e+300, "fb7e37e43c8800759c"},
                                                    {5.960464477539063e-8, "f90001"},
                                                    {0.00006103515625, "f90400"},
                                                    {-4.0, "f9c400"},
                                                    {-4.1, "fbc010666666666666"},
                                                    {inf, "f97c00"},
                                                    {-inf, "f9fc00"},
                                                    {65536.0, "fa47800000"},
                                                    {1.401298464324817e-45, "fa00000001"},
                                                    {5e-324, "fb0000000000000001"}};
    for (const auto& [value, hex] : cases) {
        EXPECT_EQ(encoded([&](Encoder& out) { out.float64(value); }), hex);
        const auto data = from_hex(hex);
        Decoder in(data);
        EXPECT_EQ(std::bit_cast<std::uint64_t>(in.float64().value()), std::bit_cast<std::uint64_t>(value));
    }
    EXPECT_EQ(encoded([](Encoder& out) { out.float64(std::nan("77")); }), "f97e00");
    const auto nan = from_hex("f97e00");
    Decoder in(nan);
    EXPECT_TRUE(std::isnan(in.float64().value()));
}

TEST(Cbor, ShortestFloatAgreesWithTheProcessor) {
    std::mt19937_64 random(7);
    for (int i = 0; i < 200000; ++i) {
        // Half of them exact floats, so that narrowing succeeds often.
        std::uint64_t bits = random();
        if (i % 2 == 0) {
            const auto narrow = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
            bits = std::bit_cast<std::uint64_t>(static_cast<double>(narrow));
        }
        const double value = std::bit_cast<double>(bits);
        if (std::isnan(value)) continue;
        const auto narrow = cbor::detail::narrow_float(bits, cbor::detail::kBinary32);
        const auto expected = static_cast<float>(value);
        const bool exact = static_cast<double>(expected) == value;
        ASSERT_EQ(narrow.has_value(), exact) << value;
        if (exact) {
            EXPECT_EQ(*narrow, std::bit_cast<std::uint32_t>(expected)) << value;
            EXPECT_EQ(cbor::detail::widen_float(*narrow, cbor::detail::kBinary32), bits);
        }
    }
    // Every half float widens and narrows back to itself.
    for (std::uint64_t half = 0; half < 0x10000; ++half) {
        if ((half & 0x7fff) > 0x7c00) continue;
        const std::uint64_t wide = cbor::detail::widen_float(half, cbor::detail::kBinary16);
        EXPECT_EQ(cbor::detail::narrow_float(wide, cbor::detail::kBinary16), half);
    }
}

TEST(Cbor, SimpleValuesAndStringsOfAppendixA) {
    EXPECT_EQ(encoded([](Encoder& out) { out.boolean(false); }), "f4");
    EXPECT_EQ(encoded([](Encoder& out) { out.boolean(true); }), "f5");
    EXPECT_EQ(encoded([](Encoder& out) { out.null(); }), "f6");
    EXPECT_EQ(encoded([](Encoder& out) { out.bytes({}); }), "40");
    EXPECT_EQ(encoded([](Encoder& out) { out.bytes(from_hex("01020304")); }), "4401020304");
    EXPECT_EQ(encoded([](Encoder& out) { out.text(""); }), "60");
    EXPECT_EQ(encoded([](Encoder& out) { out.text("IETF"); }), "6449455446");
    EXPECT_EQ(encoded([](Encoder& out) { out.text("\"\\"); }), "62225c");
    EXPECT_EQ(encoded([](Encoder& out) { out.text("\u00fc"); }), "62c3bc");
    EXPECT_EQ(encoded([](Encoder& out) { out.text("\u6c34"); }), "63e6b0b4");
    EXPECT_EQ(encoded([](Encoder& out) { out.text("\U00010151"); }), "64f0908591");
}

TEST(Cbor, ContainersOfAppendixA) {
    EXPECT_EQ(encoded([](Encoder& out) { out.array(0); }), "80");
    EXPECT_EQ(encoded([](Encoder& out) { out.array(3).uint(1).uint(2).uint(3); }), "83010203");
    EXPECT_EQ(encoded([](Encoder& out) {
                  out.array(3).uint(1).array(2).uint(2).uint(3).array_open().uint(4).uint(5).close();
              }),
              "8301820203820405");
    const auto to_25 = [](Encoder& out) {
        out.array_open();
        for (unsigned i = 1; i <= 25; ++i)
            out.uint(i);
        out.close();
    };
    EXPECT_EQ(encoded(to_25), "98190102030405060708090a0b0c0d0e0f101112131415161718181819");
    EXPECT_EQ(encoded([](Encoder& out) { out.map(0); }), "a0");
    EXPECT_EQ(encoded([](Encoder& out) { out.map(2).key(1).uint(2).key(3).uint(4); }), "a201020304");
    EXPECT_EQ(encoded([](Encoder& out) { out.map_open().key("a").uint(1).key("b").array(2).uint(2).uint(3).close(); }),
              "a26161016162820203");
    EXPECT_EQ(encoded([](Encoder& out) { out.array(2).text("a").map(1).key("b").text("c"); }), "826161a161626163");
    EXPECT_EQ(encoded([](Encoder& out) {
                  out.map(5).key("a").text("A").key("b").text("B").key("c").text("C").key("d").text("D").key("e").text(
                      "E");
              }),
              "a56161614161626142616361436164614461656145");
}

TEST(Cbor, EveryKindOfKeyInOrder) {
    const auto build = [](Encoder& out) {
        out.map_open().key(0).null().key(10u).null().key(100).null().key(-1).null().key(-200).null();
        out.key("z").null().key("aa").null().close();
    };
    EXPECT_EQ(encoded(build), "a700f60af61864f620f638c7f6617af6626161f6");
}

TEST(Cbor, LargeOpenContainersMoveTheirContents) {
    for (const std::size_t count : {0u, 23u, 24u, 255u, 256u, 300u, 65536u}) {
        std::vector<std::byte> buffer(2 * count + 64);
        Encoder fixed(buffer);
        fixed.array(2).text("x").array(count);
        for (std::size_t i = 0; i < count; ++i)
            fixed.uint(i % 20);
        const auto expected = to_hex(fixed.finish().value());
        Encoder open(buffer);
        open.array_open().text("x").array_open();
        for (std::size_t i = 0; i < count; ++i)
            open.uint(i % 20);
        open.close().close();
        EXPECT_EQ(to_hex(open.finish().value()), expected);
    }
}

TEST(Cbor, RoundTripsOfAppendixA) {
    // The deterministic ones among all examples of the appendix.
    const char* cases[] = {"00",
                           "1bffffffffffffffff",
                           "3bffffffffffffffff",
                           "3903e7",
                           "f90000",
                           "fb3ff199999999999a",
                           "f97e00",
                           "f6",
                           "80",
                           "8301820203820405",
                           "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
                           "a0",
                           "a201020304",
                           "a26161016162820203",
                           "826161a161626163",
                           "a56161614161626142616361436164614461656145"};
    for (const char* hex : cases)
        EXPECT_EQ(copied(from_hex(hex)), hex);
}

TEST(Cbor, RefusesWhatIsNotDeterministic) {
    const std::pair<const char*, const char*> cases[] = {{"1817", "23 in two bytes"},
                                                         {"190017", "23 in three bytes"},
                                                         {"1900ff", "255 in three bytes"},
                                                         {"1a0000ffff", "65535 in five bytes"},
                                                         {"1b00000000ffffffff", "2^32-1 in nine bytes"},
                                                         {"3800", "-1 in two bytes"},
                                                         {"580141", "a long length"},
                                                         {"7800", "a long empty text"},
                                                         {"980101", "a long array count"},
                                                         {"b8010102", "a long map count"},
                                                         {"5f42010243030405ff", "indefinite bytes"},
                                                         {"7f657374726561646d696e67ff", "indefinite text"},
                                                         {"9fff", "indefinite array"},
                                                         {"bfff", "indefinite map"},
                                                         {"a203040102", "keys out of order"},
                                                         {"a201020103", "a key twice"},
                                                         {"a2616201616101", "text keys out of order"},
                                                         {"a262616101616201", "a longer key first"},
                                                         {"a1f401", "a boolean key"},
                                                         {"a1410101", "a byte-string key"},
                                                         {"a18001", "an array as key"},
                                                         {"61ff", "invalid UTF-8"},
                                                         {"62c080", "overlong UTF-8"},
                                                         {"63eda080", "a surrogate"},
                                                         {"c074323031332d30332d32315432303a30343a30305a", "a tag"},
                                                         {"f7", "undefined"},
                                                         {"f0", "simple value 16"},
                                                         {"f8ff", "simple value 255"},
                                                         {"f818", "a reserved simple value"},
                                                         {"fc", "reserved information 28"},
                                                         {"1c", "reserved information 28"},
                                                         {"ff", "a break alone"},
                                                         {"fa3fc00000", "1.5 as binary32"},
                                                         {"fb3ff8000000000000", "1.5 as binary64"},
                                                         {"fb40f86a0000000000", "100000.0 as binary64"},
                                                         {"fa7fc00000", "NaN as binary32"},
                                                         {"fb7ff8000000000000", "NaN as binary64"},
                                                         {"f97e01", "NaN with a payload"},
                                                         {"f9fe00", "negative NaN"},
                                                         {"fa7f800000", "infinity as binary32"},
                                                         {"0000", "a second item"},
                                                         {"8000", "bytes behind an array"}};
    for (const auto& [hex, why] : cases) {
        const auto data = from_hex(hex);
        const auto result = cbor::validate(data);
        ASSERT_FALSE(result.has_value()) << why;
        EXPECT_EQ(result.error(), Error::bad_format) << why;
        EXPECT_EQ(copied(data), "refused") << why;
    }
}

TEST(Cbor, EveryPrefixOfAnItemIsTruncated) {
    const auto whole = from_hex("a5016161021903e8208201fb3ff199999999999a61714401020304626161a10080");
    ASSERT_TRUE(cbor::validate(whole).has_value());
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const std::vector<std::byte> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        const auto result = cbor::validate(part);
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error(), Error::truncated) << length;
    }
}

TEST(Cbor, HugeCountsAreRefusedAtOnce) {
    for (const char* hex : {"9bffffffffffffffff", "bbffffffffffffffff", "5bffffffffffffffff", "7bfffffffffffffff0",
                            "9a7fffffff00", "bb80000000000000000000"}) {
        EXPECT_EQ(cbor::validate(from_hex(hex)).error(), Error::truncated) << hex;
    }
}

TEST(Cbor, DepthIsLimited) {
    std::vector<std::byte> data(cbor::kMaxDepth, std::byte{0x81});
    data.push_back(std::byte{0});
    EXPECT_TRUE(cbor::validate(data).has_value());
    data.insert(data.begin(), std::byte{0x81});
    EXPECT_EQ(cbor::validate(data).error(), Error::too_large);

    std::vector<std::byte> buffer(64);
    Encoder fits(buffer);
    for (std::size_t i = 0; i < cbor::kMaxDepth; ++i)
        fits.array_open();
    for (std::size_t i = 0; i < cbor::kMaxDepth; ++i)
        fits.close();
    EXPECT_TRUE(fits.finish().has_value());
    Encoder deep(buffer);
    for (std::size_t i = 0; i <= cbor::kMaxDepth; ++i)
        deep.array(1);
    EXPECT_EQ(deep.finish().error(), Error::bad_argument);
}

TEST(Cbor, EncoderRefusesWrongUse) {
    std::vector<std::byte> buffer(256);
    const auto error_of = [&](auto build) {
        Encoder out(buffer);
        build(out);
        const auto result = out.finish();
        return result ? std::string("none") : std::string(error_info(result.error()).name);
    };
    EXPECT_EQ(error_of([](Encoder&) {}), "bad_state");
    EXPECT_EQ(error_of([](Encoder& out) { out.uint(1).uint(2); }), "bad_state");
    EXPECT_EQ(error_of([](Encoder& out) { out.array(2).uint(1); }), "bad_state");
    EXPECT_EQ(error_of([](Encoder& out) { out.array(1).uint(1).uint(1); }), "bad_state");
    EXPECT_EQ(error_of([](Encoder& out) { out.array_open(); }), "bad_state");
    EXPECT_EQ(error_of([](Encoder& out) { out.close(); }), "bad_state");
    EXPECT_EQ(error_of([](Encoder& out) { out.array(1).close(); }), "bad_state");
    EXPECT_EQ(error_of([](Encoder& out) { out.map_open().uint(1).close(); }), "bad_state");
    EXPECT_EQ(error_of([](Encoder& out) { out.map_open().key(1).close(); }), "bad_state");
    EXPECT_EQ(error_of([](Encoder& out) { out.map_open().key(1).key(2).null().close(); }), "bad_state");
    EXPECT_EQ(error_of([](Encoder& out) { out.array_open().key(1).close(); }), "bad_state");
    EXPECT_EQ(error_of([](Encoder& out) { out.key(1); }), "bad_state");
    EXPECT_EQ(error_of([](Encoder& out) { out.map_open().key(2).null().key(1).null().close(); }), "bad_argument");
    EXPECT_EQ(error_of([](Encoder& out) { out.map_open().key(2).null().key(2).null().close(); }), "bad_argument");
    EXPECT_EQ(error_of([](Encoder& out) { out.map_open().key("a").null().key(2).null().close(); }), "bad_argument");
    EXPECT_EQ(error_of([](Encoder& out) { out.text("\xff"); }), "bad_argument");
    EXPECT_EQ(error_of([](Encoder& out) { out.map_open().key("\xff").null().close(); }), "bad_argument");
    EXPECT_EQ(error_of([](Encoder& out) { out.raw(from_hex("1817")); }), "bad_argument");
    EXPECT_EQ(error_of([](Encoder& out) { out.raw(from_hex("0101")); }), "bad_argument");
    EXPECT_EQ(error_of([](Encoder& out) { out.array(1).raw(from_hex("820102")); }), "none");
}

TEST(Cbor, ATagIsTakenWhereTheCallerNamesIt) {
    EXPECT_EQ(encoded([](Encoder& out) { out.tag(18).array(1).uint(1); }), "d28101");
    EXPECT_EQ(encoded([](Encoder& out) { out.map_open().key(1).tag(55799).null().close(); }), "a101d9d9f7f6");
    EXPECT_EQ(encoded([](Encoder& out) { out.array_open().tag(24).bytes({}).close(); }), "81d81840");
    for (const char* text : {"d28101", "d20a"}) {
        const auto data = from_hex(text);
        Decoder in(data);
        EXPECT_EQ(in.peek().error(), Error::bad_format);
        EXPECT_EQ(in.skip().error(), Error::bad_format);
        EXPECT_EQ(in.tag(17).error(), Error::bad_format);
        ASSERT_TRUE(in.tag(18));
        EXPECT_EQ(in.finish().error(), Error::bad_format);
        ASSERT_TRUE(in.skip());
        EXPECT_TRUE(in.finish());
        EXPECT_EQ(in.tag(18).error(), Error::bad_format);
    }
    // Not the shortest form, no tag at all, a second tag, nothing behind it; and in a container that is at its end.
    for (const char* text : {"d8120a", "0a", "d2d20a", "d2", "80"}) {
        const auto data = from_hex(text);
        Decoder in(data);
        const bool failed = !in.tag(18) || !in.skip() || !in.finish();
        EXPECT_TRUE(failed) << text;
    }
    const auto list = from_hex("81d20a");
    Decoder in(list);
    ASSERT_TRUE(in.array_begin());
    ASSERT_TRUE(in.tag(18));
    EXPECT_EQ(in.end().error(), Error::bad_format);
    EXPECT_EQ(in.uint(), 10U);
    EXPECT_EQ(in.tag(18).error(), Error::bad_format);
    ASSERT_TRUE(in.end());
    EXPECT_TRUE(in.finish());

    std::vector<std::byte> buffer(64);
    Encoder alone(buffer);
    alone.tag(18);
    EXPECT_EQ(alone.finish().error(), Error::bad_state);
    Encoder closed(buffer);
    closed.array_open().tag(18).close();
    EXPECT_EQ(closed.finish().error(), Error::bad_state);
    Encoder key(buffer);
    key.map_open().tag(18);
    EXPECT_EQ(key.finish().error(), Error::bad_state);
}

TEST(Cbor, DecoderReadsAMessage) {
    const auto data = from_hex("a4010702646e616d6507a1008101626f6bf5");
    Decoder in(data);
    std::uint64_t id = 0;
    std::string name;
    bool ok = false;
    const auto read = [&]() -> Result<> {
        EXPECT_EQ(TRY(in.map_begin()), 4u);
        while (const auto key = TRY(in.next_key())) {
            if (key->is("ok")) {
                ok = TRY(in.boolean());
                continue;
            }
            switch (key->number()) {
            case 1:
                id = TRY(in.uint());
                break;
            case 2:
                name = TRY(in.text());
                break;
            default:
                TRY(in.skip());
            }
        }
        return in.finish();
    };
    ASSERT_TRUE(read().has_value());
    EXPECT_EQ(id, 7u);
    EXPECT_EQ(name, "name");
    EXPECT_TRUE(ok);
}

TEST(Cbor, AFailedReadChangesNothing) {
    const auto data = from_hex("820161"
                               "61");
    Decoder in(data);
    ASSERT_EQ(in.array_begin().value(), 2u);
    EXPECT_EQ(in.text().error(), Error::bad_format);
    EXPECT_EQ(in.map_begin().error(), Error::bad_format);
    EXPECT_EQ(in.next_key().error(), Error::bad_format);
    EXPECT_EQ(in.end().error(), Error::bad_format);
    EXPECT_EQ(in.uint().value(), 1u);
    EXPECT_EQ(in.bytes().error(), Error::bad_format);
    EXPECT_EQ(in.text().value(), "a");
    EXPECT_EQ(in.uint().error(), Error::bad_format); // the array is at its end
    EXPECT_TRUE(in.end().has_value());
    EXPECT_TRUE(in.finish().has_value());
    EXPECT_EQ(in.end().error(), Error::bad_format);
}

TEST(Cbor, FixedMapsLeaveAndRaw) {
    const auto data = from_hex("8301a2018202030406820708");
    Decoder in(data);
    const auto read = [&]() -> Result<> {
        TRY(in.array_begin());
        EXPECT_EQ(TRY(in.uint()), 1u);
        TRY(in.map_begin());
        TRY(in.expect_key(1));
        EXPECT_EQ(to_hex(TRY(in.raw())), "820203");
        TRY(in.expect_key(4));
        TRY(in.leave()); // with the value of key 4 still unread
        TRY(in.array_begin());
        EXPECT_EQ(TRY(in.uint()), 7u);
        TRY(in.leave());
        TRY(in.leave());
        return in.finish();
    };
    EXPECT_TRUE(read().has_value());
    std::array<std::byte, 2> two;
    const auto bytes = from_hex("420506");
    Decoder exact(bytes);
    EXPECT_TRUE(exact.bytes_into(two).has_value());
    EXPECT_EQ(to_hex(two), "0506");
    const auto longer = from_hex("43050607");
    Decoder refused(longer);
    EXPECT_EQ(refused.bytes_into(two).error(), Error::bad_format);
}

// Random bytes, and random changes of a valid item: never a crash, and what is accepted is encoded back to the same
// bytes.
TEST(Cbor, RandomInputIsRefusedOrCopiedExactly) {
    std::mt19937 random(42);
    const auto seed = from_hex("a5016161021903e8208201fb3ff199999999999a61714401020304626161a10080");
    int accepted = 0;
    for (int i = 0; i < 100000; ++i) {
        std::vector<std::byte> data;
        if (i % 2 == 0) {
            data = seed;
            for (unsigned k = random() % 3; k < 3; ++k)
                data[random() % data.size()] = static_cast<std::byte>(random());
        } else {
            for (unsigned k = random() % 12; k > 0; --k)
                data.push_back(static_cast<std::byte>(random()));
        }
        const bool valid = cbor::validate(data).has_value();
        const std::string copy = copied(data);
        EXPECT_EQ(copy, valid ? to_hex(data) : "refused") << to_hex(data);
        accepted += valid;
    }
    EXPECT_GT(accepted, 1000);
}

} // namespace
} // namespace aios
