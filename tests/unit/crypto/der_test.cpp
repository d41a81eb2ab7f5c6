// DER: the strict reader's refusals, what the writer makes, and that both agree.
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/der.hpp"
#include "tests/support/hex.hpp"

namespace aios::crypto::der {
namespace {

using test::from_hex;
using test::to_hex;

// Runs `read` on the bytes of `text`: "ok", or the error's name; and nothing may be left over.
template <typename Read>
std::string outcome(std::string_view text, Read read) {
    const auto data = from_hex(text);
    Reader in(data);
    const auto result = read(in);
    if (!result) return std::string(error_info(result.error()).name);
    return in.at_end() ? "ok" : "more";
}

TEST(Der, Lengths) {
    const auto element = [](Reader& in) { return in.element(); };
    EXPECT_EQ(outcome("0400", element), "ok");
    EXPECT_EQ(outcome("040100", element), "ok");
    EXPECT_EQ(outcome("", element), "truncated");
    EXPECT_EQ(outcome("04", element), "truncated");
    EXPECT_EQ(outcome("0401", element), "truncated");
    EXPECT_EQ(outcome("0480", element), "bad_format");     // indefinite
    EXPECT_EQ(outcome("30800000", element), "bad_format"); // the same
    EXPECT_EQ(outcome("048100", element), "bad_format");   // one octet would do
    EXPECT_EQ(outcome("04817f" + std::string(254, '0'), element), "bad_format");
    EXPECT_EQ(outcome("048180" + std::string(256, '0'), element), "ok");
    EXPECT_EQ(outcome("04820080" + std::string(256, '0'), element), "bad_format");
    EXPECT_EQ(outcome("048200ff" + std::string(510, '0'), element), "bad_format");
    EXPECT_EQ(outcome("04820100" + std::string(512, '0'), element), "ok");
    EXPECT_EQ(outcome("0482010000", element), "truncated");
    EXPECT_EQ(outcome("0484ffffffff", element), "truncated");
    EXPECT_EQ(outcome("04850000000001aa", element), "bad_format");
    EXPECT_EQ(outcome("04ff", element), "bad_format");
    EXPECT_EQ(outcome("048201", element), "truncated");
    EXPECT_EQ(outcome("1f8100", element), "bad_format"); // a long tag number
    EXPECT_EQ(outcome("0000", element), "bad_format");
    EXPECT_EQ(outcome("040000", element), "more");
}

TEST(Der, Integers) {
    const auto integer = [](Reader& in) { return in.integer(); };
    for (const char* text : {"020100", "02017f", "02020080", "0201ff", "020180", "0202ff7f"})
        EXPECT_EQ(outcome(text, integer), "ok") << text;
    for (const char* text : {"0200", "02020000", "0202007f", "0202ff80", "0202ffff", "030100"})
        EXPECT_EQ(outcome(text, integer), "bad_format") << text;
    const auto value = [](std::string_view text) {
        const auto data = from_hex(text);
        return Reader(data).small_integer();
    };
    EXPECT_EQ(value("020100"), 0U);
    EXPECT_EQ(value("0202008000"), 128U); // what follows is not looked at
    EXPECT_EQ(value("02047fffffff"), 0x7fff'ffffU);
    EXPECT_FALSE(value("02050080000000"));
    EXPECT_FALSE(value("0201ff"));
}

TEST(Der, BooleansBitStringsAndIdentifiers) {
    const auto boolean = [](Reader& in) { return in.boolean(); };
    EXPECT_EQ(outcome("0101ff", boolean), "ok");
    EXPECT_EQ(outcome("010100", boolean), "ok");
    for (const char* text : {"010101", "0100", "0102ffff", "0201ff"})
        EXPECT_EQ(outcome(text, boolean), "bad_format") << text;

    const auto bits = [](Reader& in) { return in.bit_string(); };
    for (const char* text : {"030100", "030200ff", "030207 80", "030203f8"})
        EXPECT_EQ(outcome(text, bits), "ok") << text;
    for (const char* text : {"0300", "030101", "03020880", "03020701", "030204f8", "2303030100"})
        EXPECT_EQ(outcome(text, bits), "bad_format") << text;
    EXPECT_EQ(outcome("030203f8", [](Reader& in) { return in.whole_bit_string(); }), "bad_format");

    const auto oid = [](Reader& in) { return in.oid(); };
    for (const char* text : {"06022a03", "0603551d0f", "06038810 00", "0609608648016503040311"})
        EXPECT_EQ(outcome(text, oid), "ok") << text;
    for (const char* text : {"0600", "060180", "06022a80", "06032a8001", "06022aff"})
        EXPECT_EQ(outcome(text, oid), "bad_format") << text;
    // A constructed octet string is BER.
    EXPECT_EQ(outcome("2403040100", [](Reader& in) { return in.octet_string(); }), "bad_format");
}

TEST(Der, AFailedReadDoesNotMove) {
    const auto data = from_hex("02020001 0500");
    Reader in(data);
    EXPECT_FALSE(in.integer());
    EXPECT_FALSE(in.small_integer());
    EXPECT_FALSE(in.boolean());
    EXPECT_FALSE(in.bit_string());
    EXPECT_FALSE(in.oid());
    EXPECT_FALSE(in.sequence());
    ASSERT_TRUE(in.element(Tag::integer));
    EXPECT_FALSE(in.finish());
    ASSERT_TRUE(in.element(Tag::null));
    EXPECT_TRUE(in.finish());
}

TEST(Der, Writer) {
    const auto written = [](auto build) {
        Writer counter{MutableBytes()};
        build(counter);
        std::vector<std::byte> buffer(counter.size());
        for (std::size_t room = 0; room < buffer.size(); ++room) {
            std::vector<std::byte> small(room);
            Writer out(small);
            build(out);
            EXPECT_EQ(out.finish().error(), Error::buffer_small) << room;
            EXPECT_EQ(out.size(), buffer.size()) << room;
        }
        Writer out(buffer);
        build(out);
        const auto result = out.finish();
        EXPECT_TRUE(result.has_value());
        return result ? to_hex(*result) : "";
    };
    EXPECT_EQ(written([](Writer& out) { out.integer(0); }), "020100");
    EXPECT_EQ(written([](Writer& out) { out.integer(127); }), "02017f");
    EXPECT_EQ(written([](Writer& out) { out.integer(128); }), "02020080");
    EXPECT_EQ(written([](Writer& out) { out.integer(0xffff'ffff); }), "020500ffffffff");
    EXPECT_EQ(written([](Writer& out) { out.boolean(true).boolean(false); }), "0101ff010100");
    EXPECT_EQ(written([](Writer& out) { out.begin(Tag::sequence).end(); }), "3000");
    EXPECT_EQ(written([](Writer& out) { out.begin(Tag::sequence).bit_string(from_hex("aa")).end(); }), "3004030200aa");
    for (const std::size_t size : {125U, 126U, 127U, 128U, 253U, 254U, 255U, 256U, 300U, 65'531U, 65'532U, 70'000U}) {
        if (size > 1000) continue; // every smaller buffer is tried above
        const std::vector<std::byte> contents(size);
        const auto text = written([&](Writer& out) {
            out.begin(Tag::sequence).begin(Tag::set).octet_string(contents).end().integer(1).end();
        });
        const auto data = from_hex(text);
        Reader in(data);
        Reader sequence = *in.sequence();
        Reader set = *sequence.enter(Tag::set);
        EXPECT_EQ(set.octet_string()->size(), size);
        EXPECT_TRUE(set.finish() && sequence.small_integer().value_or(0) == 1U && sequence.finish() && in.finish());
    }
    const std::vector<std::byte> large(70'000);
    std::vector<std::byte> buffer(70'020);
    Writer out(buffer);
    out.begin(Tag::sequence).octet_string(large).end();
    const auto whole = out.finish();
    ASSERT_TRUE(whole);
    Reader in(*whole);
    EXPECT_EQ(in.sequence()->octet_string()->size(), large.size());
    EXPECT_EQ(to_hex(whole->first(10)), "308301117504830111"
                                        "70");
}

TEST(Der, WriterRefusesWrongUse) {
    std::vector<std::byte> buffer(100);
    Writer left_open(buffer);
    left_open.begin(Tag::sequence);
    EXPECT_EQ(left_open.finish().error(), Error::bad_state);
    Writer not_open(buffer);
    not_open.end();
    EXPECT_EQ(not_open.finish().error(), Error::bad_state);
    Writer deep(buffer);
    for (std::size_t i = 0; i <= Writer::kMaxDepth; ++i)
        deep.begin(Tag::sequence);
    for (std::size_t i = 0; i < Writer::kMaxDepth; ++i)
        deep.end();
    EXPECT_EQ(deep.finish().error(), Error::bad_state);
}

TEST(Der, WhatIsReadIsWrittenBack) {
    std::mt19937 random(1);
    int accepted = 0;
    for (int round = 0; round < 200'000; ++round) {
        std::vector<std::byte> data(random() % 12);
        for (std::byte& byte : data)
            byte = static_cast<std::byte>(random() % 4 == 0 ? random() % 8 : random());
        Reader in(data);
        std::vector<std::byte> buffer(data.size());
        Writer out(buffer);
        bool failed = false;
        while (!in.at_end() && !failed) {
            const auto element = in.element();
            failed = !element;
            if (!failed) out.element(element->tag, element->contents);
        }
        if (failed) continue;
        ++accepted;
        const auto copy = out.finish();
        ASSERT_TRUE(copy);
        EXPECT_EQ(to_hex(*copy), to_hex(data));
    }
    EXPECT_GT(accepted, 1000);
}

} // namespace
} // namespace aios::crypto::der
