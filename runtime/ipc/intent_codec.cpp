// The wire form of an intent: { 0: performative, 1: name, 2: conversation, 3: reply-by, 4: trace, 5: slots, ? 6: error,
// ? 7: reason }.
#include <algorithm>

#include "base/cbor.hpp"
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

void put_intent(cbor::Encoder& out, const Intent& intent, const std::vector<const Slot*>& slots) {
    const bool has_reason = intent.error != Error{} || !intent.reason.empty();
    out.map(has_reason ? 8 : 6);
    out.key(0).uint(static_cast<std::uint64_t>(intent.performative));
    out.key(1).text(intent.name);
    out.key(2).uint(intent.conversation);
    out.key(3).uint(intent.reply_by);
    out.key(4).uint(intent.trace);
    out.key(5).map(slots.size());
    for (const Slot* slot : slots) {
        out.key(slot->first);
        put_value(out, slot->second);
    }
    if (has_reason) {
        out.key(6).uint(static_cast<std::uint64_t>(intent.error));
        out.key(7).text(intent.reason);
    }
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
    std::vector<const Slot*> slots;
    for (const Slot& slot : intent.slots.all()) {
        if (slot.first.empty() || slot.first.size() > kMaxSlotNameBytes) return fail(Error::bad_argument);
        slots.push_back(&slot);
    }
    std::ranges::sort(slots, before);
    auto counting = cbor::Encoder::counting();
    put_intent(counting, intent, slots);
    if (counting.size() > kMaxMessageBytes) return fail(Error::too_large);
    std::vector<std::byte> bytes(counting.size());
    cbor::Encoder out(bytes);
    put_intent(out, intent, slots);
    TRY(out.finish());
    return bytes;
}

Result<Intent> decode(Bytes bytes) {
    if (bytes.size() > kMaxMessageBytes) return fail(Error::too_large);
    cbor::Decoder in(bytes);
    Intent intent;
    const std::uint64_t pairs = TRY(in.map_begin());
    if (pairs != 6 && pairs != 8) return fail(Error::bad_format);
    TRY(in.expect_key(0));
    const std::uint64_t performative = TRY(in.uint());
    if (performative < 1 || performative > 9) return fail(Error::bad_format);
    intent.performative = static_cast<Performative>(performative);
    TRY(in.expect_key(1));
    intent.name = TRY(in.text());
    if (intent.name.size() > kMaxIntentNameBytes) return fail(Error::too_large);
    TRY(in.expect_key(2));
    intent.conversation = TRY(in.uint());
    TRY(in.expect_key(3));
    intent.reply_by = TRY(in.uint());
    TRY(in.expect_key(4));
    intent.trace = TRY(in.uint());
    TRY(in.expect_key(5));
    TRY(take_slots(in, intent.slots));
    if (pairs == 8) {
        TRY(in.expect_key(6));
        const std::uint64_t error = TRY(in.uint());
        if (error != 0 && !is_error_number(error)) return fail(Error::bad_format);
        intent.error = static_cast<Error>(error);
        TRY(in.expect_key(7));
        intent.reason = TRY(in.text());
    }
    TRY(in.end());
    TRY(in.finish());
    return intent;
}

} // namespace aios::ipc
