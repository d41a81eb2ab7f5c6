// Every message of the table: it comes back as it went, and nothing that is cut short, of another type, or not in the table
// is read.
#include <gtest/gtest.h>

#include "tests/unit/messages/support.hpp"

namespace aios::messages {
namespace {

TEST(Messages, ComeBackAsTheyWent) {
    Filler filler(1);
    for_each_message([&]<typename Owned, typename View>(const char* name) {
        for (int round = 0; round < 40; ++round) {
            const auto encoded = encode(filler.make<Owned>());
            ASSERT_TRUE(encoded) << name;
            ASSERT_TRUE(cbor::validate(*encoded)) << name;
            EXPECT_EQ(through<Owned>(*encoded), *encoded) << name;
            EXPECT_EQ(through<View>(*encoded), *encoded) << name;
        }
    });
}

TEST(Messages, CutShortAreRefused) {
    Filler filler(2);
    for_each_message([&]<typename Owned, typename View>(const char* name) {
        for (int round = 0; round < 5; ++round) {
            const auto encoded = encode(filler.make<Owned>());
            ASSERT_TRUE(encoded);
            for (std::size_t length = 0; length < encoded->size(); ++length) {
                const Bytes cut = Bytes(*encoded).first(length);
                EXPECT_FALSE(decode<Owned>(cut)) << name << " of " << length;
                EXPECT_FALSE(decode<View>(cut)) << name << " of " << length;
            }
            ByteVector longer = *encoded;
            longer.push_back(std::byte{0});
            EXPECT_FALSE(decode<Owned>(longer)) << name;
            EXPECT_FALSE(decode<View>(longer)) << name;
        }
    });
}

// Writes a message with another item in the place of its field number `changed`; with one more pair or item behind all
// when there are fewer fields; and without the field when `item` is null.
template <typename T>
Result<ByteVector> with_change(const T& message, std::size_t changed, const ByteVector* item) {
    ByteVector bytes(64 << 10);
    cbor::Encoder out{MutableBytes(bytes)};
    if (T::kShape == Shape::array)
        out.array_open();
    else
        out.map_open();
    std::size_t at = 0;
    TRY(visit_fields(message, [&](const auto& key, const auto& field) -> Result<> {
        const bool is_changed = at++ == changed;
        if (is_changed && item == nullptr) return {};
        const auto put_it = [&](const auto& value) {
            put_key(out, key);
            if (is_changed)
                out.raw(*item);
            else
                put(out, value);
        };
        if constexpr (is_optional<std::remove_cvref_t<decltype(field)>>) {
            if (field) put_it(*field);
        } else {
            put_it(field);
        }
        return {};
    }));
    if (changed >= at && item != nullptr) {
        if (T::kShape == Shape::map || T::kShape == Shape::open_map) out.key(1000);
        if (T::kShape == Shape::slots) out.key("a name that is longer than those of the table");
        out.raw(*item);
    }
    out.close();
    bytes.resize(TRY(out.finish()).size());
    return bytes;
}

// The types of all items of CBOR that a field may have. A field takes those of its own type at most.
const std::vector<ByteVector>& items_of_all_types() {
    const auto make = [](std::initializer_list<int> bytes) {
        ByteVector out;
        for (const int byte : bytes)
            out.push_back(static_cast<std::byte>(byte));
        return out;
    };
    static const std::vector<ByteVector> items = {
        make({0x05}),
        make({0x24}),
        make({0x41, 0xff}),
        make({0x61, 'x'}),
        make({0x81, 0xf6}),
        make({0xa1, 0, 0}),
        make({0xf5}),
        make({0xf6}),
        make({0xf9, 0x3e, 0x00}),
        make({0xf9, 0x7c, 0x00}), // infinity: no field is that
    };
    return items;
}

template <typename T>
std::size_t types_taken(const T&) {
    if constexpr (IsItem<T>) return items_of_all_types().size();
    if constexpr (std::same_as<T, Hash> || is_uints<T> || IsWord<T> || IsNumber<T> || IsMessage<T>) return 0;
    return 1;
}
template <typename T>
std::size_t types_taken(const std::vector<T>&) { // bytes, or a list, of which [null] is none
    return std::same_as<T, std::byte> ? 1 : 0;
}
template <typename T>
std::size_t types_taken(const std::optional<T>& field) {
    return field ? types_taken(*field) : items_of_all_types().size(); // absent: nothing was changed
}

TEST(Messages, AFieldTakesItsOwnTypeAlone) {
    Filler filler(3);
    for_each_message([&]<typename Owned, typename View>(const char* name) {
        const auto message = filler.make<Owned>();
        std::size_t at = 0;
        static_cast<void>(visit_fields(message, [&](const auto&, const auto& field) -> Result<> {
            std::size_t taken = 0, viewed = 0;
            for (const ByteVector& item : items_of_all_types()) {
                const auto changed = with_change(message, at, &item);
                EXPECT_TRUE(changed);
                taken += decode<Owned>(*changed).has_value();
                viewed += decode<View>(*changed).has_value();
            }
            EXPECT_EQ(taken, types_taken(field)) << name << ", field " << at;
            EXPECT_EQ(viewed, taken) << name << ", field " << at;
            ++at;
            return {};
        })); // nothing in it fails
    });
}

TEST(Messages, FieldsThatAreMissingOrUnknown) {
    Filler filler(4);
    for_each_message([&]<typename Owned, typename View>(const char* name) {
        const auto message = filler.make<Owned>();
        std::size_t at = 0;
        static_cast<void>(visit_fields(message, [&](const auto&, const auto& field) -> Result<> {
            const auto without = with_change(message, at++, nullptr);
            EXPECT_TRUE(without);
            EXPECT_EQ(decode<Owned>(*without).has_value(), is_optional<std::remove_cvref_t<decltype(field)>>) << name;
            return {};
        })); // nothing in it fails
        const ByteVector item = {std::byte{0x81}, std::byte{0x01}};
        const auto more = with_change(message, 1000, &item);
        ASSERT_TRUE(more);
        const bool is_open = Owned::kShape == Shape::open_map || Owned::kShape == Shape::slots;
        EXPECT_EQ(decode<Owned>(*more).has_value(), is_open) << name;
        EXPECT_EQ(decode<View>(*more).has_value(), is_open) << name;
        if (is_open) {
            EXPECT_EQ(through<Owned>(*more), encode(message).value()) << name;
        }
    });
}

// Unknown keys stand between known ones too, and what they hold must still be deterministic.
TEST(Messages, SlotsThatAreNotKnownArePassedOver) {
    const auto encoded = [](std::initializer_list<int> bytes) {
        ByteVector out;
        for (const int byte : bytes)
            out.push_back(static_cast<std::byte>(byte));
        return out;
    };
    const auto state =
        decode<owned::IntentWithdraw>(encoded({0xa3, 0x61, 'a', 0x81, 0x01, 0x66, 'i', 'n', 't', 'e', 'n',
                                               't',  0x61, 'x', 0x66, 'i',  'n',  't', 'f', 'n', 't', 0xf6}));
    ASSERT_TRUE(state);
    EXPECT_EQ(state->intent, "x");
    EXPECT_FALSE(decode<owned::IntentWithdraw>(
        encoded({0xa2, 0x61, 'a', 0x18, 0x01, 0x66, 'i', 'n', 't', 'e', 'n', 't', 0x61, 'x'})));
    EXPECT_FALSE(
        decode<owned::IntentWithdraw>(encoded({0xa2, 0x66, 'i', 'n', 't', 'e', 'n', 't', 0x61, 'x', 0x61, 'a', 0x01})));
}

TEST(Messages, OtherVersionsAndWords) {
    ByteVector done = encode(owned::Done{.ok = true, .text = "x"}).value();
    done[3] = std::byte{'e'};
    EXPECT_EQ(decode<view::Done>(done).error(), Error::bad_format);
    ByteVector head = encode(owned::LogHead{.records = 1, .root = {}}).value();
    head[head.size() - 3] = std::byte{2};
    EXPECT_EQ(decode<view::LogHead>(head).error(), Error::unsupported);
    EXPECT_EQ(type_of(encode(owned::Plan{.text = "x"}).value()).value(), "plan");
    EXPECT_FALSE(type_of(ByteVector()));
}

TEST(Messages, WhatCannotBeWritten) {
    EXPECT_EQ(encode(owned::Plan{.text = "\xff"}).error(), Error::bad_argument);
    std::byte small[4];
    EXPECT_EQ(encode(small, view::Plan{.text = "x"}).error(), Error::no_space);
}

} // namespace
} // namespace aios::messages
