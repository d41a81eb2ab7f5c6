// Looks up the names in a schema's declarations. A name without a namespace means, in this order: a common type and an
// entity type of the namespace it stands in, the same without a namespace, a built-in type. `__cedar::` names built-in
// types alone.
#include <algorithm>

#include "policy/language/schema_declarations.hpp"

namespace aios::policy {

namespace {

[[noreturn]] void wrong(Position position, std::string sentence) { throw Complaint{position, std::move(sentence), {}}; }

TypeRef built_in(std::string_view name) {
    if (name == "Long") return Type::of(Type::Kind::integer);
    if (name == "String") return Type::of(Type::Kind::string);
    if (name == "Bool" || name == "Boolean") return Type::of(Type::Kind::boolean);
    if (name == "ipaddr") return Type::extension_of(Value::Kind::ip);
    if (name == "decimal") return Type::extension_of(Value::Kind::decimal);
    if (name == "datetime") return Type::extension_of(Value::Kind::datetime);
    if (name == "duration") return Type::extension_of(Value::Kind::duration);
    return nullptr;
}

class Resolver {
public:
    explicit Resolver(const Declarations& from) : from_(from) {}

    Schema all() {
        Schema schema;
        for (const auto& [name, one] : from_.common)
            (void)common(name, {});
        for (const auto& [name, one] : from_.entities)
            schema.entities.emplace(name, entity(one));
        for (const auto& [name, one] : from_.entities)
            add_ancestors(schema.entities.at(name).ancestors, one);
        for (const auto& [uid, one] : from_.actions)
            schema.actions.emplace(uid, action(uid, one));
        return schema;
    }

private:
    // The full names that `name` may stand for in namespace `space`.
    static std::vector<std::string> candidates(const std::string& name, const std::string& space) {
        if (space.empty() || name.find("::") != std::string::npos) return {name};
        return {space + "::" + name, name};
    }

    std::string entity_name(const NameUse& use, const std::string& space) const {
        for (const std::string& name : candidates(use.name, space))
            if (from_.entities.contains(name)) return name;
        wrong(use.position, "there is no entity type " + use.name);
    }

    // A common type by its full name.
    TypeRef common(const std::string& name, Position position) {
        if (const auto at = made_.find(name); at != made_.end()) {
            if (!at->second) wrong(position, "the type " + name + " is defined by itself");
            return at->second;
        }
        made_.emplace(name, nullptr); // being made
        const CommonDeclaration& one = from_.common.at(name);
        return made_[name] = type(*one.type, one.space);
    }

    TypeRef type(const TypeUse& use, const std::string& space) {
        switch (use.kind) {
        case TypeUse::Kind::set:
            return Type::set_of(type(*use.element, space));
        case TypeUse::Kind::record:
            return Type::record_of(fields(use, space));
        case TypeUse::Kind::name:
            break;
        }
        constexpr std::string_view kBuiltIn = "__cedar::";
        if (use.name.starts_with(kBuiltIn)) {
            if (TypeRef made = built_in(std::string_view(use.name).substr(kBuiltIn.size()))) return made;
            wrong(use.position, "there is no built-in type " + use.name);
        }
        for (const std::string& name : candidates(use.name, space)) {
            if (from_.common.contains(name)) return common(name, use.position);
            if (from_.entities.contains(name)) return Type::entity_of(name);
        }
        if (TypeRef made = built_in(use.name)) return made;
        wrong(use.position, "there is no type " + use.name);
    }

    Attributes fields(const TypeUse& use, const std::string& space) {
        Attributes made;
        for (const auto& [name, field] : use.fields)
            made.emplace(name, Attribute{type(*field.type, space), field.required});
        return made;
    }

    // A record, or the name of a common type that is one.
    Attributes record(const TypeUseRef& use, const std::string& space, std::string_view what) {
        if (!use) return {};
        const TypeRef made = type(*use, space);
        if (made->kind != Type::Kind::record) wrong(use->position, "the " + std::string(what) + " must be a record");
        return made->attributes;
    }

    EntityType entity(const EntityDeclaration& one) {
        EntityType made;
        made.attributes = record(one.attributes, one.space, "attributes of an entity");
        if (one.tags) made.tags = type(*one.tags, one.space);
        made.ids = one.ids;
        made.is_enumerated = one.is_enumerated;
        return made;
    }

    // Types may be below themselves (folders in folders): a name is followed once.
    void add_ancestors(std::set<std::string>& into, const EntityDeclaration& one) const {
        std::vector<const EntityDeclaration*> open = {&one};
        while (!open.empty()) {
            const EntityDeclaration& next = *open.back();
            open.pop_back();
            for (const NameUse& parent : next.parents) {
                const std::string name = entity_name(parent, next.space);
                if (into.insert(name).second) open.push_back(&from_.entities.at(name));
            }
        }
    }

    Uid action_uid(const ActionReference& reference, const std::string& space) const {
        const std::string own = space.empty() ? "Action" : space + "::Action";
        std::vector<Uid> tried;
        if (!reference.type) {
            tried = {{own, reference.id}};
        } else {
            for (const std::string& type : candidates(*reference.type, space))
                tried.push_back({type, reference.id});
        }
        for (const Uid& uid : tried)
            if (from_.actions.contains(uid)) return uid;
        wrong(reference.position, "there is no action " + tried.back().text());
    }

    ActionType action(const Uid& uid, const ActionDeclaration& one) {
        ActionType made;
        std::vector<const ActionDeclaration*> open = {&one};
        while (!open.empty()) {
            const ActionDeclaration& next = *open.back();
            open.pop_back();
            for (const ActionReference& parent : next.parents) {
                const Uid above = action_uid(parent, next.space);
                if (above == uid) wrong(parent.position, "the action " + uid.text() + " is below itself");
                if (made.ancestors.insert(above).second) open.push_back(&from_.actions.at(above));
            }
        }
        for (const NameUse& use : one.principals)
            made.principals.insert(entity_name(use, one.space));
        for (const NameUse& use : one.resources)
            made.resources.insert(entity_name(use, one.space));
        made.context = record(one.context, one.space, "context of an action");
        return made;
    }

    const Declarations& from_;
    std::map<std::string, TypeRef> made_; // common types; null while one is being made
};

} // namespace

Schema resolved(const Declarations& declarations) { return Resolver(declarations).all(); }

} // namespace aios::policy
