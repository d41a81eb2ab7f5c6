// The messages of abi/messages.def for those who only look: texts, byte strings and lists point into the encoding that
// was decoded, or at what is to be encoded. Nothing allocates; the kernel and programs without a C library use these.
#pragma once

#include <iterator>
#include <span>

#include "messages/codec.hpp"

namespace aios::messages::view {

using Text = std::string_view;
using ByteString = Bytes;

// One encoded item that is passed on as it is.
template <Literal kRule>
struct Item {
    static constexpr bool kIsItem = true;
    void set(Bytes bytes) { item = bytes; }
    Bytes item;
};

// Items that lie in memory, or those of an encoding, which were all checked when the list was decoded. They are read again
// at each walk: an encoding that another may still change is copied first.
template <typename T>
class List {
public:
    using value_type = T;

    class Iterator {
    public:
        Iterator(std::span<const T> items, Bytes encoded, std::size_t left)
            : items_(items), encoded_(encoded), left_(left) {
            read();
        }
        const T& operator*() const { return value_; }
        Iterator& operator++() {
            --left_;
            read();
            return *this;
        }
        bool operator==(std::default_sentinel_t) const { return left_ == 0; }

    private:
        void read() {
            if (left_ == 0) return;
            value_ = T{};
            if (!items_.empty()) {
                value_ = items_[items_.size() - left_];
                return;
            }
            cbor::Decoder in(encoded_);
            static_cast<void>(take(in, value_)); // checked when the list was decoded
            encoded_ = encoded_.subspan(in.position());
        }
        std::span<const T> items_;
        Bytes encoded_; // from the item behind value_ on
        std::size_t left_;
        T value_{};
    };

    List() = default;
    List(std::span<const T> items) : items_(items), count_(items.size()) {}

    [[nodiscard]] Iterator begin() const { return Iterator(items_, encoded_, count_); }
    [[nodiscard]] std::default_sentinel_t end() const { return {}; }
    [[nodiscard]] std::size_t size() const { return count_; }

    [[nodiscard]] Result<> take_from(cbor::Decoder& in) {
        const Bytes whole = TRY(in.raw());
        cbor::Decoder inside(whole);
        const std::uint64_t count = TRY(inside.array_begin());
        const std::size_t start = inside.position();
        while (TRY(inside.array_next())) {
            T item{};
            TRY(take(inside, item));
        }
        items_ = {};
        encoded_ = whole.subspan(start);
        count_ = count;
        return {};
    }

private:
    std::span<const T> items_;
    Bytes encoded_;
    std::size_t count_ = 0;
};

#include "messages/structures.def"

} // namespace aios::messages::view

namespace aios::messages {

#define INTENT(intent_name, intent_performative, Request, answer, service, note)                                       \
    template <>                                                                                                        \
    struct IntentOf<view::Request> {                                                                                   \
        using Answer = view::answer;                                                                                   \
        static constexpr std::string_view kName = intent_name;                                                         \
        static constexpr Performative kPerformative = Performative::intent_performative;                               \
    };
#include "abi/messages.def"

} // namespace aios::messages
