// The messages of abi/messages.def for those who keep them: texts, byte strings and lists are copies. For programs with a
// standard library.
#pragma once

#include <string>
#include <vector>

#include "messages/codec.hpp"

namespace aios::messages::owned {

using Text = std::string;
using ByteString = std::vector<std::byte>;
template <typename T>
using List = std::vector<T>;

// One encoded item that is passed on as it is.
template <Literal kRule>
struct Item {
    static constexpr bool kIsItem = true;
    void set(Bytes bytes) { item.assign(bytes.begin(), bytes.end()); }
    std::vector<std::byte> item;
};

#include "messages/structures.def"

} // namespace aios::messages::owned

namespace aios::messages {

#define INTENT(intent_name, intent_performative, Request, answer, service, note)                                       \
    template <>                                                                                                        \
    struct IntentOf<owned::Request> {                                                                                  \
        using Answer = owned::answer;                                                                                  \
        static constexpr std::string_view kName = intent_name;                                                         \
        static constexpr Performative kPerformative = Performative::intent_performative;                               \
    };
#include "abi/messages.def"

// As large as it becomes. bad_argument for text that is not UTF-8.
template <IsMessage T>
[[nodiscard]] Result<std::vector<std::byte>> encode(const T& message) {
    auto counting = cbor::Encoder::counting();
    put(counting, message);
    std::vector<std::byte> bytes(counting.size());
    TRY(encode(MutableBytes(bytes), message));
    return bytes;
}

} // namespace aios::messages
