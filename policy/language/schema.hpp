// Cedar schemas: which entity types and actions there are, and the types of their attributes (docs.cedarpolicy.com,
// "Schema").
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "policy/language/ast.hpp"

namespace aios::policy {

struct Type;
using TypeRef = std::shared_ptr<const Type>;

struct Attribute {
    TypeRef type;
    bool required = true;
};
using Attributes = std::map<std::string, Attribute>;

struct Type {
    // always_true and always_false: a boolean of which the type checker knows the value.
    enum class Kind : std::uint8_t {
        always_true,
        always_false,
        boolean,
        integer,
        string,
        set,
        record,
        entity,
        extension
    };
    Kind kind = Kind::boolean;
    TypeRef element = {};       // set; null: the empty set
    Attributes attributes = {}; // record
    std::string entity = {};    // entity: the name of its type
    Value::Kind extension{};    // extension

    static TypeRef of(Kind kind) { return std::make_shared<Type>(Type{.kind = kind}); }
    static TypeRef set_of(TypeRef element) {
        return std::make_shared<Type>(Type{.kind = Kind::set, .element = std::move(element)});
    }
    static TypeRef record_of(Attributes attributes) {
        return std::make_shared<Type>(Type{.kind = Kind::record, .attributes = std::move(attributes)});
    }
    static TypeRef entity_of(std::string name) {
        return std::make_shared<Type>(Type{.kind = Kind::entity, .entity = std::move(name)});
    }
    static TypeRef extension_of(Value::Kind kind) {
        return std::make_shared<Type>(Type{.kind = Kind::extension, .extension = kind});
    }
    [[nodiscard]] bool is_boolean() const { return kind <= Kind::boolean; }
    [[nodiscard]] std::string text() const;
};
// Whether both are the same type; the three booleans count as one.
[[nodiscard]] bool same_type(const Type& a, const Type& b);

struct EntityType {
    std::set<std::string> ancestors; // types that it may be below, all of them
    Attributes attributes;
    TypeRef tags;              // null: none
    std::set<std::string> ids; // an enumerated type's
    bool is_enumerated = false;
};

struct ActionType {
    std::set<Uid> ancestors; // all of them
    std::set<std::string> principals, resources;
    Attributes context;
};

struct Schema {
    std::map<std::string, EntityType> entities;
    std::map<Uid, ActionType> actions;

    // Whether an entity of type `inner` can be of type `outer` or below one. Both are names of entity types, or of
    // action types.
    [[nodiscard]] bool may_be_in(const std::string& inner, const std::string& outer) const;
};
[[nodiscard]] bool is_action_type(std::string_view name); // "Action", with or without a namespace

// In the schema syntax of Cedar. What is wrong: syntax, unknown types, circles.
std::expected<Schema, Complaint> parse_schema(std::string_view text);

} // namespace aios::policy
