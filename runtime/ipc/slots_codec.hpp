// Slots of an intent as a message of abi/messages.def: to_slots and from_slots walk over its fields. A field that is no
// Optional must be there (not_found) and have its type (bad_format); slots that the message does not have are passed over.
#pragma once

#include <cmath>

#include "messages/owned.hpp"
#include "runtime/ipc/intent.hpp"

namespace aios::ipc {

template <typename T>
[[nodiscard]] Value to_value(const T& field) {
    if constexpr (std::same_as<T, bool> || std::integral<T> || std::same_as<T, double>) {
        return Value(field);
    } else if constexpr (std::same_as<T, std::string> || std::same_as<T, ByteString>) {
        return Value(field);
    } else if constexpr (std::same_as<T, messages::Hash>) {
        return Value(ByteString(field.begin(), field.end()));
    } else if constexpr (messages::IsMessage<T>) {
        static_assert(T::kShape == messages::Shape::array);
        Array items;
        static_cast<void>(visit_fields(field, [&](const auto&, const auto& item) -> Result<> {
            items.push_back(to_value(item));
            return {};
        })); // nothing in it fails
        return Value(std::move(items));
    } else {
        Array items;
        for (const typename T::value_type& item : field)
            items.push_back(to_value(item));
        return Value(std::move(items));
    }
}

template <typename T>
[[nodiscard]] Result<> from_value(const Value& value, T& field) {
    if constexpr (std::same_as<T, bool>) {
        field = TRY(value.boolean());
    } else if constexpr (std::same_as<T, std::uint64_t>) {
        const std::int64_t number = TRY(value.integer());
        if (number < 0) return fail(Error::bad_format);
        field = static_cast<std::uint64_t>(number);
    } else if constexpr (std::same_as<T, double>) {
        field = TRY(value.real()); // an integer counts as one
        if (!std::isfinite(field)) return fail(Error::bad_format);
    } else if constexpr (std::same_as<T, std::string>) {
        field = TRY(value.text());
    } else if constexpr (std::same_as<T, ByteString>) {
        const Bytes bytes = TRY(value.bytes());
        field.assign(bytes.begin(), bytes.end());
    } else if constexpr (std::same_as<T, messages::Hash>) {
        const Bytes bytes = TRY(value.bytes());
        if (bytes.size() != field.size()) return fail(Error::bad_format);
        std::ranges::copy(bytes, field.begin());
    } else if constexpr (messages::IsMessage<T>) {
        static_assert(T::kShape == messages::Shape::array);
        const Array& items = *TRY(value.array());
        if (items.size() != messages::count_fields(field)) return fail(Error::bad_format);
        std::size_t at = 0;
        return visit_fields(field, [&](const auto&, auto& item) { return from_value(items[at++], item); });
    } else {
        const Array& items = *TRY(value.array());
        field.clear();
        for (const Value& item : items) {
            typename T::value_type one{};
            TRY(from_value(item, one));
            field.push_back(std::move(one));
        }
    }
    return {};
}

template <messages::IsMessage T>
[[nodiscard]] Slots to_slots(const T& message) {
    static_assert(T::kShape == messages::Shape::slots);
    Slots slots;
    static_cast<void>(visit_fields(message, [&](const auto& key, const auto& field) -> Result<> {
        if constexpr (messages::is_optional<std::remove_cvref_t<decltype(field)>>) {
            if (field) slots.set(key->name, to_value(*field));
        } else {
            slots.set(key->name, to_value(field));
        }
        return {};
    })); // nothing in it fails
    return slots;
}

template <messages::IsMessage T>
[[nodiscard]] Result<T> from_slots(const Slots& slots) {
    static_assert(T::kShape == messages::Shape::slots);
    T message{};
    TRY(visit_fields(message, [&](const auto& key, auto& field) -> Result<> {
        const Value* value = slots.find(key->name);
        if constexpr (messages::is_optional<std::remove_cvref_t<decltype(field)>>)
            return value == nullptr ? Result<>() : from_value(*value, field.emplace());
        else
            return value == nullptr ? fail(Error::not_found) : from_value(*value, field);
    }));
    return message;
}

// The answer to `request` with the slots of a message.
template <messages::IsMessage T>
[[nodiscard]] Intent inform(const Intent& request, const T& message) {
    return inform(request, to_slots(message));
}

// An intent of abi/messages.def that asks for something.
template <typename Request>
[[nodiscard]] Intent make_request(const Request& request) {
    Intent intent;
    intent.performative = messages::IntentOf<Request>::kPerformative;
    intent.name = messages::IntentOf<Request>::kName;
    intent.slots = to_slots(request);
    return intent;
}

} // namespace aios::ipc
