// Types as text, their equality, and the hierarchy. See schema.hpp.
#include "policy/language/schema.hpp"

#include <algorithm>

namespace aios::policy {

std::string Type::text() const {
    switch (kind) {
    case Kind::always_true:
        return "true";
    case Kind::always_false:
        return "false";
    case Kind::boolean:
        return "Bool";
    case Kind::integer:
        return "Long";
    case Kind::string:
        return "String";
    case Kind::set:
        return element ? "Set<" + element->text() + ">" : "Set<>";
    case Kind::entity:
        return entity;
    case Kind::extension:
        return extension == Value::Kind::ip         ? "ipaddr"
               : extension == Value::Kind::decimal  ? "decimal"
               : extension == Value::Kind::datetime ? "datetime"
                                                    : "duration";
    case Kind::record:
        break;
    }
    std::string out = "{";
    for (const auto& [name, attribute] : attributes) {
        if (out.size() > 1) out += ", ";
        out += name + (attribute.required ? ": " : "?: ") + attribute.type->text();
    }
    return out + "}";
}

bool same_type(const Type& a, const Type& b) {
    if (a.is_boolean() && b.is_boolean()) return true;
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case Type::Kind::set:
        return a.element && b.element ? same_type(*a.element, *b.element) : !a.element && !b.element;
    case Type::Kind::entity:
        return a.entity == b.entity;
    case Type::Kind::extension:
        return a.extension == b.extension;
    case Type::Kind::record:
        return std::ranges::equal(a.attributes, b.attributes, [](const auto& x, const auto& y) {
            return x.first == y.first && x.second.required == y.second.required &&
                   same_type(*x.second.type, *y.second.type);
        });
    default:
        return true;
    }
}

bool is_action_type(std::string_view name) { return name == "Action" || name.ends_with("::Action"); }

bool Schema::may_be_in(const std::string& inner, const std::string& outer) const {
    if (inner == outer) return true;
    if (is_action_type(inner)) {
        return std::ranges::any_of(actions, [&](const auto& action) {
            return action.first.type == inner &&
                   std::ranges::any_of(action.second.ancestors, [&](const Uid& above) { return above.type == outer; });
        });
    }
    const auto at = entities.find(inner);
    return at != entities.end() && at->second.ancestors.contains(outer);
}

} // namespace aios::policy
