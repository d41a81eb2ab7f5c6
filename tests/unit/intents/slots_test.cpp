// Slots as messages of abi/messages.def: the way through an intent's values and the way that encodes a message at once
// lead to the same bytes, and a message comes back from its slots.
#include <gtest/gtest.h>

#include <limits>

#include "runtime/ipc/slots_codec.hpp"
#include "tests/unit/messages/support.hpp"

namespace aios::ipc {
namespace {

TEST(SlotsCodec, BothWaysLeadToTheSameBytes) {
    messages::Filler filler(5, ~std::uint64_t{0} >> 1); // values are signed
    messages::for_each_message([&]<typename Owned, typename View>(const char* name) {
        if constexpr (Owned::kShape == messages::Shape::slots) {
            for (int round = 0; round < 40; ++round) {
                const Owned message = filler.make<Owned>();
                Intent intent;
                intent.slots = to_slots(message);
                const auto encoded = encode(intent);
                ASSERT_TRUE(encoded) << name;
                const auto on_wire = messages::decode<messages::owned::IntentMessage>(*encoded);
                ASSERT_TRUE(on_wire) << name;
                const auto direct = messages::encode(message).value();
                EXPECT_EQ(on_wire->slots.item, direct) << name;
                const auto back = from_slots<Owned>(decode(*encoded).value().slots);
                ASSERT_TRUE(back) << name;
                EXPECT_EQ(messages::encode(*back).value(), direct) << name;
            }
        }
    });
}

TEST(SlotsCodec, RefusesWhatIsMissingOrOfAnotherType) {
    using messages::owned::IdentityOf, messages::owned::ProposedAnswer, messages::owned::IdentityRegister;
    EXPECT_EQ(from_slots<IdentityOf>({}).error(), Error::not_found);
    EXPECT_EQ(from_slots<IdentityOf>({{"agent", "7"}}).error(), Error::bad_format);
    EXPECT_EQ(from_slots<IdentityOf>({{"agent", -7}}).error(), Error::bad_format);
    EXPECT_EQ(from_slots<IdentityOf>({{"agent", 7}, {"other", Array{1}}}).value().agent, 7u);
    EXPECT_EQ(from_slots<IdentityRegister>({{"offers", Array{"a", 1}}, {"manifest", ByteString(32)}}).error(),
              Error::bad_format);
    EXPECT_EQ(from_slots<IdentityRegister>({{"offers", Array{"a"}}, {"manifest", ByteString(31)}}).error(),
              Error::bad_format);
    Slots answer = to_slots(ProposedAnswer{.cited = {}, .answered = true, .passages = {{}}, .confidence = 1});
    EXPECT_TRUE(from_slots<ProposedAnswer>(answer));
    answer.set("confidence", 1); // an integer counts as a real number
    EXPECT_TRUE(from_slots<ProposedAnswer>(answer));
    answer.set("confidence", std::numeric_limits<double>::infinity());
    EXPECT_EQ(from_slots<ProposedAnswer>(answer).error(), Error::bad_format);
    answer.set("confidence", 0.5);
    answer.set("passages", Array{"no passage", 7});
    EXPECT_EQ(from_slots<ProposedAnswer>(answer).error(), Error::bad_format);
    Array short_passage;
    short_passage.emplace_back(Array{ByteString(), 1, 2, 0.5});
    answer.set("passages", std::move(short_passage));
    EXPECT_EQ(from_slots<ProposedAnswer>(answer).error(), Error::bad_format);
}

TEST(SlotsCodec, RequestsAreNamedByTheTable) {
    const Intent request = make_request(messages::owned::IntentFind{.intent = "a.b"});
    EXPECT_EQ(request.name, "intent.find");
    EXPECT_EQ(request.performative, Performative::query);
    EXPECT_EQ(request.slots.text("intent").value(), "a.b");
}

} // namespace
} // namespace aios::ipc
