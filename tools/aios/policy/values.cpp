// Values of the policy language from JSON. See data.hpp.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/aios/policy/data.hpp"

namespace aios::host {

using nlohmann::json;
using policy::Type;
using policy::Value;

namespace {

[[noreturn]] void wrong(const std::string& where, const std::string& what) { throw DataError{where + ": " + what}; }

std::uint8_t nesting_above(unsigned nesting) {
    if (nesting >= policy::kMaxNesting) throw DataError{"values are nested too deeply"};
    return static_cast<std::uint8_t>(nesting + 1);
}

bool is_reference(const json& from) {
    return from.is_object() && from.size() == 2 && from.contains("type") && from.contains("id") &&
           from["type"].is_string() && from["id"].is_string();
}

// A call of a function that makes a value: {"fn": name, "arg": value} or {"fn": name, "args": [value, ...]}.
Value constructed(const std::string& name, const std::vector<Value>& arguments, ValueStore& store,
                  const std::string& where) {
    const auto function = policy::function_named(name);
    if (!function) wrong(where, "there is no function " + name);
    const policy::FunctionInfo& info = policy::info_of(*function);
    if (arguments.size() != info.arguments) wrong(where, name + " takes another number of arguments");
    for (std::size_t i = 0; i < arguments.size(); ++i)
        if (arguments[i].kind != info.parameter[i]) wrong(where, name + " takes values of another type");
    if (*function == policy::Function::offset) {
        std::int64_t sum = 0;
        if (__builtin_add_overflow(arguments[0].number, arguments[1].number, &sum))
            wrong(where, "the datetime is out of range");
        return Value::of_number(Value::Kind::datetime, sum);
    }
    if (info.is_method) wrong(where, name + " is not a constructor");
    const std::string_view text = arguments[0].text();
    if (*function == policy::Function::ip) {
        const auto network = policy::parse_ip(text);
        if (!network) wrong(where, policy::string_literal(text) + " is no address");
        return store.network(*network);
    }
    const auto number = *function == policy::Function::decimal    ? policy::parse_decimal(text)
                        : *function == policy::Function::datetime ? policy::parse_datetime(text)
                                                                  : policy::parse_duration(text);
    if (!number) wrong(where, policy::string_literal(text) + " is not what " + name + " reads");
    return Value::of_number(info.result, *number);
}

Value extension_from(const json& from, ValueStore& store, const std::string& where) {
    if (!from.is_object() || !from.contains("fn") || !from["fn"].is_string()) wrong(where, "a function is expected");
    const std::string name = from["fn"].get<std::string>();
    std::vector<Value> arguments;
    if (from.contains("args") && from["args"].is_array()) {
        for (const json& one : from["args"])
            arguments.push_back(value_from(one, nullptr, store, where));
    } else if (from.contains("arg")) {
        arguments.push_back(value_from(from["arg"], nullptr, store, where));
    }
    return constructed(name, arguments, store, where);
}

std::string constructor_of(Value::Kind kind) {
    return kind == Value::Kind::ip         ? "ip"
           : kind == Value::Kind::decimal  ? "decimal"
           : kind == Value::Kind::datetime ? "datetime"
                                           : "duration";
}

Value typed_value(const json& from, const Type& type, ValueStore& store, const std::string& where) {
    switch (type.kind) {
    case Type::Kind::set: {
        if (!from.is_array()) wrong(where, "a set is expected");
        std::vector<Value> elements;
        for (const json& one : from)
            elements.push_back(value_from(one, type.element.get(), store, where));
        return store.set(std::move(elements));
    }
    case Type::Kind::record:
        return record_from(from, &type.attributes, store, where);
    case Type::Kind::entity: {
        const policy::Uid uid = uid_from(from, where);
        if (uid.type != type.entity)
            wrong(where, "an entity of the type " + type.entity + " is expected, not " + uid.text());
        return Value::entity(store.uid(uid));
    }
    case Type::Kind::extension: {
        Value value;
        if (from.is_string()) {
            value = constructed(constructor_of(type.extension), {Value::string(store.text(from.get<std::string>()))},
                                store, where);
        } else {
            value = extension_from(from.is_object() && from.contains("__extn") ? from["__extn"] : from, store, where);
        }
        if (value.kind != type.extension) wrong(where, "a value of the type " + type.text() + " is expected");
        return value;
    }
    default:
        break;
    }
    const Value value = value_from(from, nullptr, store, where);
    const bool fits = type.is_boolean()                  ? value.kind == Value::Kind::boolean
                      : type.kind == Type::Kind::integer ? value.kind == Value::Kind::integer
                                                         : value.kind == Value::Kind::string;
    if (!fits) wrong(where, "a value of the type " + type.text() + " is expected");
    return value;
}

} // namespace

Value ValueStore::set(std::vector<Value> elements) {
    unsigned nesting = 0;
    for (const Value& one : elements)
        nesting = std::max<unsigned>(nesting, one.nesting);
    std::vector<Value>& kept = sets_.emplace_back(std::move(elements));
    kept.resize(policy::canonical_set(kept));
    return Value::set(kept, nesting_above(nesting));
}

Value ValueStore::record(std::vector<policy::Field> fields) {
    unsigned nesting = 0;
    for (const policy::Field& one : fields)
        nesting = std::max<unsigned>(nesting, one.value.nesting);
    std::vector<policy::Field>& kept = records_.emplace_back(std::move(fields));
    policy::sort_fields(kept);
    return Value::record(kept, nesting_above(nesting));
}

policy::Uid uid_from(const json& from, const std::string& where) {
    const json& plain = from.is_object() && from.contains("__entity") ? from["__entity"] : from;
    if (!is_reference(plain)) wrong(where, "an entity is expected: {\"type\": ..., \"id\": ...}");
    return {plain["type"].get<std::string>(), plain["id"].get<std::string>()};
}

Value value_from(const json& from, const Type* type, ValueStore& store, const std::string& where) {
    if (type != nullptr) return typed_value(from, *type, store, where);
    if (from.is_boolean()) return Value::boolean(from.get<bool>());
    if (from.is_number_unsigned() && from.get<std::uint64_t>() > INT64_MAX) wrong(where, "a number is out of range");
    if (from.is_number_integer()) return Value::integer(from.get<std::int64_t>());
    if (from.is_string()) return Value::string(store.text(from.get<std::string>()));
    if (from.is_array()) {
        std::vector<Value> elements;
        for (const json& one : from)
            elements.push_back(value_from(one, nullptr, store, where));
        return store.set(std::move(elements));
    }
    if (!from.is_object()) wrong(where, "null and fractions are no values of policies");
    if (from.contains("__expr")) wrong(where, "__expr is not read");
    if (from.contains("__entity")) return Value::entity(store.uid(uid_from(from, where)));
    if (from.contains("__extn")) return extension_from(from["__extn"], store, where);
    return record_from(from, nullptr, store, where);
}

Value record_from(const json& from, const policy::Attributes* attributes, ValueStore& store, const std::string& where) {
    if (!from.is_object()) wrong(where, "a record is expected");
    std::vector<policy::Field> fields;
    for (const auto& [key, one] : from.items()) {
        const Type* type = nullptr;
        if (attributes != nullptr) {
            const auto at = attributes->find(key);
            if (at == attributes->end()) wrong(where, "the schema has no attribute " + policy::string_literal(key));
            type = at->second.type.get();
        }
        fields.push_back({store.text(key), value_from(one, type, store, where + "." + key)});
    }
    if (attributes != nullptr) {
        for (const auto& [key, attribute] : *attributes)
            if (attribute.required && !from.contains(key))
                wrong(where, "the attribute " + policy::string_literal(key) + " is missing");
    }
    return store.record(std::move(fields));
}

} // namespace aios::host
