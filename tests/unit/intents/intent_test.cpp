// Intents on the wire: what goes in comes out, and nothing malformed is accepted.
#include <gtest/gtest.h>

#include "runtime/ipc/intent.hpp"

namespace aios::ipc {
namespace {

Intent example() {
    Intent intent;
    intent.performative = Performative::query;
    intent.name = "question.answer";
    intent.conversation = 7;
    intent.reply_by = 123456789;
    intent.trace = 42;
    intent.slots = Slots{{"question", "what flows where?"},
                         {"limit", 10},
                         {"negative", -3},
                         {"score", 0.25},
                         {"exact", true},
                         {"raw", ByteString{std::byte{0xff}, std::byte{0}}},
                         {"list", Array{Value("a"), Value(2), Value(Array{Value(3.5)})}},
                         {"nothing", Value()}};
    return intent;
}

TEST(Intent, RoundTrip) {
    const Intent intent = example();
    const auto bytes = encode(intent);
    ASSERT_TRUE(bytes);
    const auto decoded = decode(*bytes);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->performative, intent.performative);
    EXPECT_EQ(decoded->name, intent.name);
    EXPECT_EQ(decoded->conversation, intent.conversation);
    EXPECT_EQ(decoded->reply_by, intent.reply_by);
    EXPECT_EQ(decoded->trace, intent.trace);
    ASSERT_EQ(decoded->slots.all().size(), intent.slots.all().size());
    for (const auto& [name, value] : intent.slots.all()) {
        ASSERT_NE(decoded->slots.find(name), nullptr) << name;
        EXPECT_EQ(*decoded->slots.find(name), value) << name;
    }
    const auto again = encode(*decoded);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *bytes);
}

TEST(Intent, AnswersKeepTheConversation) {
    const Intent request = example();
    const Intent reply = refuse(request, Error::not_found, "no agent offers it");
    EXPECT_FALSE(reply.is_positive());
    const auto decoded = decode(*encode(reply));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->conversation, request.conversation);
    EXPECT_EQ(decoded->trace, request.trace);
    EXPECT_EQ(decoded->error, Error::not_found);
    EXPECT_EQ(decoded->reason, "no agent offers it");
    EXPECT_TRUE(inform(request, {}).is_positive());
}

TEST(Intent, TypedAccess) {
    const Intent intent = example();
    EXPECT_EQ(intent.slots.integer("limit").value(), 10);
    EXPECT_EQ(intent.slots.real("limit").value(), 10.0);
    EXPECT_EQ(intent.slots.text("limit").error(), Error::bad_format);
    EXPECT_EQ(intent.slots.text("absent").error(), Error::not_found);
    EXPECT_EQ(intent.slots.array("list").value()->size(), 3u);
}

TEST(Intent, LimitsAreKept) {
    Intent intent = example();
    intent.name = std::string(kMaxIntentNameBytes + 1, 'x');
    EXPECT_EQ(encode(intent).error(), Error::bad_argument);
    intent = example();
    intent.slots.set("large", std::string(kMaxMessageBytes, 'x'));
    EXPECT_EQ(encode(intent).error(), Error::too_large);
    intent = example();
    for (std::size_t i = 0; i <= kMaxSlots; ++i) {
        intent.slots.set("slot" + std::to_string(i), 1);
    }
    EXPECT_EQ(encode(intent).error(), Error::bad_argument);
}

TEST(Intent, EveryTruncationAndFlipIsSafe) {
    const auto bytes = *encode(example());
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        EXPECT_FALSE(decode(Bytes(bytes).first(length)));
    }
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            auto changed = bytes;
            changed[at] ^= static_cast<std::byte>(1 << bit);
            if (const auto decoded = decode(changed)) { // another intent: then it has exactly this encoding
                EXPECT_EQ(*encode(*decoded), changed);
            }
        }
    }
}

} // namespace
} // namespace aios::ipc
