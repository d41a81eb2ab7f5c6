// Intents: what agents say to each other. An intent has a performative, a name, typed slots, a conversation id, a
// reply-by time and a trace id. On the wire it is one deterministic CBOR map (abi/messages.cddl: intent), at most
// kMaxMessageBytes; handles travel beside it in the message. The kernel never looks into it. Decoding checks
// everything: what came from another agent is not trusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "abi/call_types.hpp"
#include "base/result.hpp"
#include "base/types.hpp"
#include "messages/vocabulary.hpp"

namespace aios::ipc {

using messages::Performative;
[[nodiscard]] std::string_view performative_name(Performative performative);

inline constexpr std::size_t kMaxIntentNameBytes = 128;
inline constexpr std::size_t kMaxSlots = 64;
inline constexpr std::size_t kMaxSlotNameBytes = 64;
inline constexpr std::size_t kMaxArrayItems = 4096;
inline constexpr std::size_t kMaxValueDepth = 8;

// A slot's value. Text is UTF-8; bytes are bytes.
class Value;
using Array = std::vector<Value>;
using ByteString = std::vector<std::byte>;
enum class ValueType : std::uint8_t { null, boolean, integer, real, text, bytes, array };
[[nodiscard]] std::string_view value_type_name(ValueType type);

class Value {
public:
    Value() = default;
    Value(bool value) : data_(value) {}
    Value(std::integral auto value) : data_(static_cast<std::int64_t>(value)) {}
    Value(double value) : data_(value) {}
    Value(std::string value) : data_(std::move(value)) {}
    Value(std::string_view value) : data_(std::string(value)) {}
    Value(const char* value) : data_(std::string(value)) {}
    Value(ByteString value) : data_(std::move(value)) {}
    Value(Array value) : data_(std::move(value)) {}

    [[nodiscard]] ValueType type() const { return static_cast<ValueType>(data_.index()); }
    // bad_format if the value has another type.
    [[nodiscard]] Result<bool> boolean() const;
    [[nodiscard]] Result<std::int64_t> integer() const;
    [[nodiscard]] Result<double> real() const; // an integer counts as a real
    [[nodiscard]] Result<std::string_view> text() const;
    [[nodiscard]] Result<Bytes> bytes() const;
    [[nodiscard]] Result<const Array*> array() const;
    bool operator==(const Value&) const = default;

private:
    std::variant<std::monostate, bool, std::int64_t, double, std::string, ByteString, Array> data_;
};

// Slots in the order in which they were set; names are unique.
class Slots {
public:
    Slots() = default;
    Slots(std::initializer_list<std::pair<std::string_view, Value>> slots);
    Slots& set(std::string_view name, Value value);
    [[nodiscard]] const Value* find(std::string_view name) const;
    // not_found without the slot, bad_format with another type.
    [[nodiscard]] Result<std::string_view> text(std::string_view name) const;
    [[nodiscard]] Result<std::int64_t> integer(std::string_view name) const;
    [[nodiscard]] Result<double> real(std::string_view name) const;
    [[nodiscard]] Result<bool> boolean(std::string_view name) const;
    [[nodiscard]] Result<Bytes> bytes(std::string_view name) const;
    [[nodiscard]] Result<const Array*> array(std::string_view name) const;
    [[nodiscard]] const std::vector<std::pair<std::string, Value>>& all() const { return slots_; }
    bool operator==(const Slots&) const = default;

private:
    std::vector<std::pair<std::string, Value>> slots_;
};

struct Intent {
    Performative performative = Performative::request;
    std::string name;
    std::uint64_t conversation = 0;
    std::uint64_t reply_by = kNoDeadline; // ns, monotonic
    std::uint64_t trace = 0;              // the same through a whole job, so that its parts can be found
    Slots slots;
    Error error{};      // failure and refuse: 0 = none given
    std::string reason; // failure and refuse: a sentence

    [[nodiscard]] bool is_positive() const {
        return performative != Performative::refuse && performative != Performative::failure;
    }
};

// An answer to `request`: the same name, conversation and trace.
[[nodiscard]] Intent inform(const Intent& request, Slots slots);
[[nodiscard]] Intent refuse(const Intent& request, Error error, std::string reason);
[[nodiscard]] Intent failure(const Intent& request, Error error, std::string reason);

// too_large above kMaxMessageBytes, bad_argument for slots that break the limits above.
[[nodiscard]] Result<std::vector<std::byte>> encode(const Intent& intent);
// bad_format, truncated, too_large. Never reads outside `bytes`.
[[nodiscard]] Result<Intent> decode(Bytes bytes);

} // namespace aios::ipc
