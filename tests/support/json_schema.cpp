#include <algorithm>
#include <cmath>
#include <format>

#include "tests/support/json_value.hpp"

namespace aios::test {

namespace {

class Validator {
public:
    explicit Validator(const Json& root) : root_(root) {}

    std::string check(const Json& schema, const Json& value, const std::string& path) const {
        if (schema.object() == nullptr) return path + ": the schema is not an object";
        for (const auto& [keyword, rule] : *schema.object()) {
            std::string why = apply(schema, keyword, rule, value, path);
            if (!why.empty()) return why;
        }
        return {};
    }

private:
    std::string apply(const Json& schema, const std::string& keyword, const Json& rule, const Json& value,
                      const std::string& path) const {
        const auto wrong = [&](std::string why) { return std::format("{}: {}", path, why); };
        if (keyword == "$schema" || keyword == "$id" || keyword == "title" || keyword == "description" ||
            keyword == "$defs")
            return {};
        if (keyword == "$ref") return check(resolve(rule.text()), value, path);
        if (keyword == "type") return has_type(value, rule.text()) ? "" : wrong("is not of type " + rule.text());
        if (keyword == "const") return value == rule ? "" : wrong("is not the constant");
        if (keyword == "enum")
            return std::ranges::find(*rule.array(), value) != rule.array()->end() ? "" : wrong("is not in the enum");
        if (keyword == "minimum")
            return value.number() == nullptr || *value.number() >= *rule.number() ? "" : wrong("is too small");
        if (keyword == "maximum")
            return value.number() == nullptr || *value.number() <= *rule.number() ? "" : wrong("is too large");
        if (keyword == "minItems")
            return value.array() == nullptr || double(value.size()) >= *rule.number() ? "" : wrong("has too few items");
        if (keyword == "maxItems")
            return value.array() == nullptr || double(value.size()) <= *rule.number() ? ""
                                                                                      : wrong("has too many items");
        if (keyword == "pattern")
            return value.string() == nullptr ? "" : check_pattern(rule.text(), *value.string(), path);
        if (keyword == "required") return check_required(rule, value, path);
        if (keyword == "properties") return check_properties(rule, value, path);
        if (keyword == "additionalProperties") return check_additional(schema, rule, value, path);
        if (keyword == "items") {
            for (std::size_t i = 0; value.array() != nullptr && i < value.size(); i++) {
                std::string why = check(rule, value[i], std::format("{}[{}]", path, i));
                if (!why.empty()) return why;
            }
            return {};
        }
        return wrong("the schema uses '" + keyword + "', which this validator does not know");
    }

    static bool has_type(const Json& value, const std::string& type) {
        if (type == "object") return value.object() != nullptr;
        if (type == "array") return value.array() != nullptr;
        if (type == "string") return value.string() != nullptr;
        if (type == "boolean") return value.boolean() != nullptr;
        if (type == "null") return value.is_null();
        if (type == "number") return value.number() != nullptr;
        if (type == "integer") return value.number() != nullptr && std::floor(*value.number()) == *value.number();
        return false;
    }

    static std::string check_required(const Json& rule, const Json& value, const std::string& path) {
        if (value.object() == nullptr) return {};
        for (const Json& name : *rule.array())
            if (!value.object()->contains(name.text())) return std::format("{}: has no '{}'", path, name.text());
        return {};
    }

    std::string check_properties(const Json& rule, const Json& value, const std::string& path) const {
        if (value.object() == nullptr) return {};
        for (const auto& [name, member] : *value.object()) {
            const auto known = rule.object()->find(name);
            if (known == rule.object()->end()) continue;
            std::string why = check(known->second, member, path + "." + name);
            if (!why.empty()) return why;
        }
        return {};
    }

    static std::string check_additional(const Json& schema, const Json& rule, const Json& value,
                                        const std::string& path) {
        if (rule.boolean() == nullptr) return path + ": additionalProperties must be a boolean here";
        if (*rule.boolean() || value.object() == nullptr) return {};
        for (const auto& [name, member] : *value.object())
            if (schema["properties"].object() == nullptr || !schema["properties"].object()->contains(name))
                return std::format("{}: has '{}', which the schema does not know", path, name);
        return {};
    }

    // ^[abc0-9]{n}$ alone.
    static std::string check_pattern(const std::string& pattern, const std::string& value, const std::string& path) {
        const auto close = pattern.find("]{");
        if (!pattern.starts_with("^[") || close == std::string::npos || !pattern.ends_with("}$"))
            return path + ": the validator does not know the pattern " + pattern;
        const std::string set = pattern.substr(2, close - 2);
        const std::size_t count = std::stoul(pattern.substr(close + 2));
        const auto allowed = [&](char c) {
            for (std::size_t i = 0; i < set.size(); i++) {
                const bool range = i + 2 < set.size() && set[i + 1] == '-';
                if (range ? c >= set[i] && c <= set[i + 2] : c == set[i]) return true;
                if (range) i += 2;
            }
            return false;
        };
        return value.size() == count && std::ranges::all_of(value, allowed) ? "" : path + ": does not match " + pattern;
    }

    const Json& resolve(const std::string& reference) const {
        constexpr std::string_view kPrefix = "#/$defs/";
        return reference.starts_with(kPrefix) ? root_["$defs"][std::string_view(reference).substr(kPrefix.size())]
                                              : root_["?"];
    }

    const Json& root_;
};

} // namespace

std::string schema_error(const Json& schema, const Json& value) {
    return Validator(schema).check(schema, value, "report");
}

} // namespace aios::test
