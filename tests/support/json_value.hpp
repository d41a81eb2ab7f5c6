// A JSON value and a strict parser (RFC 8259) for tests: reads what `aios run --json` writes, and data files. Depth is
// bounded.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace aios::test {

class Json {
public:
    using Array = std::vector<Json>;
    using Object = std::map<std::string, Json, std::less<>>;

    Json() = default;
    Json(std::nullptr_t) {}
    Json(bool value) : value_(value) {}
    Json(double value) : value_(value) {}
    Json(std::string value) : value_(std::move(value)) {}
    Json(Array value) : value_(std::move(value)) {}
    Json(Object value);

    // Nothing if `text` is not exactly one JSON value.
    [[nodiscard]] static std::optional<Json> parse(std::string_view text);

    [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
    [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&value_); }
    [[nodiscard]] const double* number() const { return std::get_if<double>(&value_); }
    [[nodiscard]] const std::string* string() const { return std::get_if<std::string>(&value_); }
    [[nodiscard]] const Array* array() const { return std::get_if<Array>(&value_); }
    [[nodiscard]] const Object* object() const {
        const auto* held = std::get_if<std::shared_ptr<const Object>>(&value_);
        return held == nullptr ? nullptr : held->get();
    }

    // A member or element; null where there is none.
    [[nodiscard]] const Json& operator[](std::string_view name) const;
    [[nodiscard]] const Json& operator[](std::size_t index) const;
    [[nodiscard]] std::size_t size() const; // of an array or object, else 0
    [[nodiscard]] std::string text() const { return string() != nullptr ? *string() : std::string(); }

    bool operator==(const Json& other) const;

private:
    // Objects lie behind a pointer: a map that holds itself within a vector is moved wrongly by libc++ 19.
    std::variant<std::monostate, bool, double, std::string, Array, std::shared_ptr<const Object>> value_;
};

// The first thing about `value` that JSON Schema `schema` does not allow, as "path: why"; empty if it is valid. Knows
// the part of draft 2020-12 that docs/report.schema.json uses: type, properties, required, additionalProperties
// (boolean), items, minItems, maxItems, minimum, maximum, enum, const, pattern (of the form ^[chars]{n}$), $ref to
// #/$defs. A keyword that it does not know is an error, so that the schema cannot say more than is checked.
[[nodiscard]] std::string schema_error(const Json& schema, const Json& value);

} // namespace aios::test
