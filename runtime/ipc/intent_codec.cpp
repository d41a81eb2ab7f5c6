// The wire form of an intent: intent of abi/messages.def, and in it slots with values that only the two agents know.
#include <algorithm>

#include "messages/owned.hpp"
#include "messages/view.hpp"
#include "runtime/ipc/intent.hpp"

namespace aios::ipc {
namespace {

void put_value(cbor::Encoder& out, const Value& value) {
    switch (value.type()) {
    case ValueType::null:
        out.null();
        return;
    case ValueType::boolean:
        out.boolean(*value.boolean());
        return;
    case ValueType::integer:
        out.integer(*value.integer());
        return;
    case ValueType::real:
        out.float64(*value.real());
        return;
    case ValueType::text:
        out.text(*value.text());
        return;
    case ValueType::bytes:
        out.bytes(*value.bytes());
        return;
    case ValueType::array: {
        const Array& items = **value.array();
        out.array(items.size());
        for (const Value& item : items) {
            put_value(out, item);
        }
        return;
    }
    }
}

using Slot = std::pair<std::string, Value>;

// Text keys are ordered by length first, then bytewise (RFC 8949 section 4.2.1).
bool before(const Slot* a, const Slot* b) {
    if (a->first.size() != b->first.size()) return a->first.size() < b->first.size();
    return a->first < b->first;
}

// All slots as one item, in the order of their names' encodings.
Result<std::vector<std::byte>> encode_slots(const Slots& given) {
    std::vector<const Slot*> slots;
    for (const Slot& slot : given.all()) {
        if (slot.first.empty() || slot.first.size() > kMaxSlotNameBytes) return fail(Error::bad_argument);
        slots.push_back(&slot);
    }
    std::ranges::sort(slots, before);
    const auto put = [&](cbor::Encoder& out) {
        out.map(slots.size());
        for (const Slot* slot : slots) {
            out.key(slot->first);
            put_value(out, slot->second);
        }
    };
    auto counting = cbor::Encoder::counting();
    put(counting);
    if (counting.size() > kMaxMessageBytes) return fail(Error::too_large);
    std::vector<std::byte> bytes(counting.size());
    cbor::Encoder out(bytes);
    put(out);
    TRY(out.finish());
    return bytes;
}

Result<Value> take_value(cbor::Decoder& in, std::size_t depth) {
    switch (TRY(in.peek())) {
    case cbor::Type::null:
        TRY(in.null());
        return Value();
    case cbor::Type::boolean:
        return Value(TRY(in.boolean()));
    case cbor::Type::uint:
    case cbor::Type::negative:
        return Value(TRY(in.integer()));
    case cbor::Type::floating:
        return Value(TRY(in.float64()));
    case cbor::Type::text:
        return Value(TRY(in.text()));
    case cbor::Type::bytes: {
        const Bytes bytes = TRY(in.bytes());
        return Value(ByteString(bytes.begin(), bytes.end()));
    }
    case cbor::Type::array: {
        const std::uint64_t count = TRY(in.array_begin());
        if (count > kMaxArrayItems || depth == kMaxValueDepth) return fail(Error::too_large);
        Array items;
        items.reserve(count);
        while (TRY(in.array_next())) {
            items.push_back(TRY(take_value(in, depth + 1)));
        }
        return Value(std::move(items));
    }
    case cbor::Type::map:
        break;
    }
    return fail(Error::bad_format);
}

Result<> take_slots(cbor::Decoder& in, Slots& slots) {
    if (TRY(in.map_begin()) > kMaxSlots) return fail(Error::too_large);
    while (auto key = TRY(in.next_key())) {
        if (key->type != cbor::Type::text || key->name.empty()) return fail(Error::bad_format);
        if (key->name.size() > kMaxSlotNameBytes) return fail(Error::too_large);
        const std::string name(key->name);
        slots.set(name, TRY(take_value(in, 0)));
    }
    return {};
}

} // namespace

Result<std::vector<std::byte>> encode(const Intent& intent) {
    if (intent.name.size() > kMaxIntentNameBytes || intent.slots.all().size() > kMaxSlots)
        return fail(Error::bad_argument);
    const std::vector<std::byte> slots = TRY(encode_slots(intent.slots));
    messages::view::IntentMessage message{.performative = static_cast<std::uint64_t>(intent.performative),
                                          .name = intent.name,
                                          .conversation = intent.conversation,
                                          .reply_by = intent.reply_by,
                                          .trace = intent.trace,
                                          .slots = {},
                                          .error = {},
                                          .reason = {}};
    message.slots.item = slots;
    if (intent.error != Error{} || !intent.reason.empty()) {
        message.error = static_cast<std::uint64_t>(intent.error);
        message.reason = intent.reason;
    }
    std::vector<std::byte> bytes = TRY(messages::encode(message));
    if (bytes.size() > kMaxMessageBytes) return fail(Error::too_large);
    return bytes;
}

Result<Intent> decode(Bytes bytes) {
    if (bytes.size() > kMaxMessageBytes) return fail(Error::too_large);
    const auto message = TRY(messages::decode<messages::view::IntentMessage>(bytes));
    if (message.error.has_value() != message.reason.has_value()) return fail(Error::bad_format);
    if (message.performative < 1 || message.performative > static_cast<std::uint64_t>(Performative::subscribe))
        return fail(Error::bad_format);
    if (message.name.size() > kMaxIntentNameBytes) return fail(Error::too_large);
    const std::uint64_t error = message.error.value_or(0);
    if (error != 0 && !is_error_number(error)) return fail(Error::bad_format);
    Intent intent{.performative = static_cast<Performative>(message.performative),
                  .name = std::string(message.name),
                  .conversation = message.conversation,
                  .reply_by = message.reply_by,
                  .trace = message.trace,
                  .slots = {},
                  .error = static_cast<Error>(error),
                  .reason = std::string(message.reason.value_or(""))};
    cbor::Decoder slots(message.slots.item);
    TRY(take_slots(slots, intent.slots));
    return intent;
}

} // namespace aios::ipc
