#include "tests/support/json_schema.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <regex>

namespace aios::test {

namespace {

class Validator {
public:
    explicit Validator(const Json& root) : root_(root) {}

    std::string check(const Json& schema, const Json& value, const std::string& path) const {
        if (!schema.is_object()) return path + ": the schema is not an object";
        for (const auto& [keyword, rule] : schema.items()) {
            std::string why = apply(schema, keyword, rule, value, path);
            if (!why.empty()) return why;
        }
        return {};
    }

private:
    std::string apply(const Json& schema, const std::string& keyword, const Json& rule, const Json& value,
                      const std::string& path) const {
        const auto unless = [&](bool well, std::string_view why) {
            return well ? std::string() : std::format("{}: {}", path, why);
        };
        if (keyword == "$schema" || keyword == "$id" || keyword == "title" || keyword == "description" ||
            keyword == "$defs")
            return {};
        if (keyword == "$ref")
            return check(root_.at(Json::json_pointer(rule.get<std::string>().substr(1))), value, path);
        if (keyword == "type")
            return unless(has_type(value, rule.get<std::string>()), "is not of type " + rule.get<std::string>());
        if (keyword == "const") return unless(value == rule, "is not the constant");
        if (keyword == "enum") return unless(std::ranges::contains(rule, value), "is not in the enum");
        if (keyword == "minimum") return unless(!value.is_number() || value >= rule, "is too small");
        if (keyword == "maximum") return unless(!value.is_number() || value <= rule, "is too large");
        if (keyword == "minItems") return unless(!value.is_array() || value.size() >= rule, "has too few items");
        if (keyword == "maxItems") return unless(!value.is_array() || value.size() <= rule, "has too many items");
        if (keyword == "pattern")
            return unless(!value.is_string() ||
                              std::regex_search(value.get<std::string>(), std::regex(rule.get<std::string>())),
                          "does not match " + rule.get<std::string>());
        if (keyword == "required") return check_required(rule, value, path);
        if (keyword == "properties") return check_properties(rule, value, path);
        if (keyword == "additionalProperties") return check_additional(schema, rule, value, path);
        if (keyword == "items") return check_items(rule, value, path);
        return unless(false, "the schema uses '" + keyword + "', which this validator does not know");
    }

    static bool has_type(const Json& value, const std::string& type) {
        if (type == "number") return value.is_number();
        if (type == "integer") return value.is_number() && std::floor(value.get<double>()) == value.get<double>();
        return value.type_name() == type;
    }

    static std::string check_required(const Json& rule, const Json& value, const std::string& path) {
        if (!value.is_object()) return {};
        for (const Json& name : rule)
            if (!value.contains(name)) return std::format("{}: has no '{}'", path, name.get<std::string>());
        return {};
    }

    std::string check_properties(const Json& rule, const Json& value, const std::string& path) const {
        if (!value.is_object()) return {};
        for (const auto& [name, member] : value.items()) {
            if (!rule.contains(name)) continue;
            std::string why = check(rule.at(name), member, path + "." + name);
            if (!why.empty()) return why;
        }
        return {};
    }

    static std::string check_additional(const Json& schema, const Json& rule, const Json& value,
                                        const std::string& path) {
        if (rule.get<bool>() || !value.is_object()) return {};
        const Json known = schema.value("properties", Json::object());
        for (const auto& [name, member] : value.items())
            if (!known.contains(name)) return std::format("{}: has '{}', which the schema does not know", path, name);
        return {};
    }

    std::string check_items(const Json& rule, const Json& value, const std::string& path) const {
        for (std::size_t i = 0; value.is_array() && i < value.size(); ++i) {
            std::string why = check(rule, value[i], std::format("{}[{}]", path, i));
            if (!why.empty()) return why;
        }
        return {};
    }

    const Json& root_;
};

} // namespace

std::string schema_error(const Json& schema, const Json& value) {
    return Validator(schema).check(schema, value, "report");
}

} // namespace aios::test
