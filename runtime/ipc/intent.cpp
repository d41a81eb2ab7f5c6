// Values, slots and the short forms for answers.
#include "runtime/ipc/intent.hpp"

namespace aios::ipc {

std::string_view performative_name(Performative performative) {
    switch (performative) {
    case Performative::request:
        return "request";
    case Performative::inform:
        return "inform";
    case Performative::query:
        return "query";
    case Performative::propose:
        return "propose";
    case Performative::accept:
        return "accept";
    case Performative::refuse:
        return "refuse";
    case Performative::failure:
        return "failure";
    case Performative::cancel:
        return "cancel";
    case Performative::subscribe:
        return "subscribe";
    }
    return "unknown";
}

std::string_view value_type_name(ValueType type) {
    switch (type) {
    case ValueType::null:
        return "null";
    case ValueType::boolean:
        return "boolean";
    case ValueType::integer:
        return "integer";
    case ValueType::real:
        return "real";
    case ValueType::text:
        return "text";
    case ValueType::bytes:
        return "bytes";
    case ValueType::array:
        return "array";
    }
    return "unknown";
}

Result<bool> Value::boolean() const {
    if (const auto* value = std::get_if<bool>(&data_)) return *value;
    return fail(Error::bad_format);
}

Result<std::int64_t> Value::integer() const {
    if (const auto* value = std::get_if<std::int64_t>(&data_)) return *value;
    return fail(Error::bad_format);
}

Result<double> Value::real() const {
    if (const auto* value = std::get_if<double>(&data_)) return *value;
    if (const auto* value = std::get_if<std::int64_t>(&data_)) return static_cast<double>(*value);
    return fail(Error::bad_format);
}

Result<std::string_view> Value::text() const {
    if (const auto* value = std::get_if<std::string>(&data_)) return std::string_view(*value);
    return fail(Error::bad_format);
}

Result<Bytes> Value::bytes() const {
    if (const auto* value = std::get_if<ByteString>(&data_)) return Bytes(*value);
    return fail(Error::bad_format);
}

Result<const Array*> Value::array() const {
    if (const auto* value = std::get_if<Array>(&data_)) return value;
    return fail(Error::bad_format);
}

Slots::Slots(std::initializer_list<std::pair<std::string_view, Value>> slots) {
    for (const auto& [name, value] : slots) {
        set(name, value);
    }
}

Slots& Slots::set(std::string_view name, Value value) {
    for (auto& [present, old] : slots_) {
        if (present == name) {
            old = std::move(value);
            return *this;
        }
    }
    slots_.emplace_back(std::string(name), std::move(value));
    return *this;
}

const Value* Slots::find(std::string_view name) const {
    for (const auto& [present, value] : slots_) {
        if (present == name) return &value;
    }
    return nullptr;
}

namespace {

template <typename T>
Result<T> slot(const Slots& slots, std::string_view name, Result<T> (Value::*get)() const) {
    const Value* value = slots.find(name);
    if (value == nullptr) return fail(Error::not_found);
    return (value->*get)();
}

Intent answer(const Intent& request, Performative performative) {
    Intent intent;
    intent.performative = performative;
    intent.name = request.name;
    intent.conversation = request.conversation;
    intent.trace = request.trace;
    return intent;
}

} // namespace

Result<std::string_view> Slots::text(std::string_view name) const { return slot(*this, name, &Value::text); }
Result<std::int64_t> Slots::integer(std::string_view name) const { return slot(*this, name, &Value::integer); }
Result<double> Slots::real(std::string_view name) const { return slot(*this, name, &Value::real); }
Result<bool> Slots::boolean(std::string_view name) const { return slot(*this, name, &Value::boolean); }
Result<Bytes> Slots::bytes(std::string_view name) const { return slot(*this, name, &Value::bytes); }
Result<const Array*> Slots::array(std::string_view name) const { return slot(*this, name, &Value::array); }

Intent inform(const Intent& request, Slots slots) {
    Intent intent = answer(request, Performative::inform);
    intent.slots = std::move(slots);
    return intent;
}

Intent refuse(const Intent& request, Error error, std::string reason) {
    Intent intent = answer(request, Performative::refuse);
    intent.error = error;
    intent.reason = std::move(reason);
    return intent;
}

Intent failure(const Intent& request, Error error, std::string reason) {
    Intent intent = refuse(request, error, std::move(reason));
    intent.performative = Performative::failure;
    return intent;
}

} // namespace aios::ipc
