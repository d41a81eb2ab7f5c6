// A schema as it stands in its text, before names are looked up. Only for the schema parsers.
#pragma once

#include "policy/language/schema.hpp"

namespace aios::policy {

struct TypeUse;
using TypeUseRef = std::shared_ptr<const TypeUse>;

struct TypeUse {
    enum class Kind : std::uint8_t { name, set, record };
    struct Field {
        TypeUseRef type;
        bool required;
    };
    Kind kind = Kind::name;
    std::string name;
    TypeUseRef element;
    std::map<std::string, Field> fields;
    Position position{};
};

struct NameUse {
    std::string name;
    Position position;
};
struct CommonDeclaration {
    std::string space; // the namespace in which its names are looked up
    TypeUseRef type;
};
struct EntityDeclaration {
    std::string space;
    std::vector<NameUse> parents = {};
    TypeUseRef attributes = {}, tags = {};
    std::set<std::string> ids = {};
    bool is_enumerated = false;
};
struct ActionReference {
    std::optional<std::string> type = {}; // none: an action of the own namespace
    std::string id = {};
    Position position = {};
};
struct ActionDeclaration {
    std::string space;
    Position position = {};
    std::vector<ActionReference> parents = {};
    std::vector<NameUse> principals = {}, resources = {};
    TypeUseRef context = {};
};
struct Declarations {
    std::map<std::string, CommonDeclaration> common; // all by their full names
    std::map<std::string, EntityDeclaration> entities;
    std::map<Uid, ActionDeclaration> actions;
};

// Looks all names up. Throws a Complaint.
Schema resolved(const Declarations& declarations);

} // namespace aios::policy
