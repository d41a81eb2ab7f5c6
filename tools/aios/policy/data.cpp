// Entities with their hierarchy, and requests. See data.hpp.
#include "tools/aios/policy/data.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace aios::host {

using nlohmann::json;
using policy::Uid;
using policy::Value;

namespace {

const json kEmpty = json::object();

const json& member_or_empty(const json& from, const char* name) {
    const auto at = from.find(name);
    return at == from.end() ? kEmpty : *at;
}

// The type's row in the schema; throws where there is none or the id is not among those of an enumerated type.
const policy::EntityType& row_of(const policy::Schema& schema, const Uid& uid) {
    const auto at = schema.entities.find(uid.type);
    if (at == schema.entities.end()) throw DataError{uid.text() + ": the schema has no entity type " + uid.type};
    if (at->second.is_enumerated && !at->second.ids.contains(uid.id))
        throw DataError{uid.text() + " is not among the entities of its type"};
    return at->second;
}

} // namespace

EntityData::EntityData(const json& from, const policy::Schema* schema) {
    if (!from.is_array()) throw DataError{"the entities must be a JSON array"};
    for (const json& one : from)
        add(one, schema);
    if (schema != nullptr) add_actions(*schema);
    close_hierarchy();
}

void EntityData::add(const json& from, const policy::Schema* schema) {
    if (!from.is_object() || !from.contains("uid")) throw DataError{"an entity needs a uid"};
    const Uid uid = uid_from(from["uid"], "uid");
    Made made{Value::record({}, 1), Value::record({}, 1), {}};
    for (const json& parent : member_or_empty(from, "parents"))
        made.parents.insert(uid_from(parent, uid.text() + " parents"));
    const json &attributes = member_or_empty(from, "attrs"), &tags = member_or_empty(from, "tags");
    if (schema != nullptr && policy::is_action_type(uid.type)) {
        if (!schema->actions.contains(uid)) throw DataError{"the schema has no action " + uid.text()};
        return; // add_actions() brings it
    }
    const policy::EntityType* row = schema == nullptr ? nullptr : &row_of(*schema, uid);
    if (row != nullptr) {
        for (const Uid& parent : made.parents) {
            (void)row_of(*schema, parent);
            if (!row->ancestors.contains(parent.type)) throw DataError{uid.text() + " cannot be in " + parent.text()};
        }
        if (!row->tags && !tags.empty()) throw DataError{uid.text() + ": entities of its type have no tags"};
    }
    made.attributes = record_from(attributes, row == nullptr ? nullptr : &row->attributes, store_, uid.text());
    if (row == nullptr) {
        made.tags = record_from(tags, nullptr, store_, uid.text());
    } else if (row->tags) {
        std::vector<policy::Field> fields;
        for (const auto& [key, one] : tags.items())
            fields.push_back({store_.text(key), value_from(one, row->tags.get(), store_, uid.text() + " tag " + key)});
        made.tags = store_.record(std::move(fields));
    }
    if (!made_.emplace(uid, std::move(made)).second) throw DataError{"the entity " + uid.text() + " stands twice"};
}

void EntityData::add_actions(const policy::Schema& schema) {
    for (const auto& [uid, action] : schema.actions)
        made_[uid] = {Value::record({}, 1), Value::record({}, 1), action.ancestors};
}

// All ancestors of all entities. A circle is refused.
void EntityData::close_hierarchy() {
    for (const auto& [uid, made] : made_) {
        std::set<Uid> all;
        std::vector<const std::set<Uid>*> open = {&made.parents};
        while (!open.empty()) {
            const std::set<Uid>& parents = *open.back();
            open.pop_back();
            for (const Uid& parent : parents) {
                if (!all.insert(parent).second) continue;
                if (const auto at = made_.find(parent); at != made_.end()) open.push_back(&at->second.parents);
            }
        }
        if (all.contains(uid)) throw DataError{uid.text() + " is below itself"};
        std::vector<policy::EntityUid>& kept = ancestors_.emplace_back();
        for (const Uid& one : all)
            kept.push_back(*store_.uid(one));
        entities_.push_back({*store_.uid(uid), made.attributes, made.tags, kept});
    }
}

RequestData::RequestData(const json& from, const policy::Schema* schema, bool check) {
    if (!from.is_object()) throw DataError{"a request must be a JSON object"};
    const Uid principal = uid_from(member_or_empty(from, "principal"), "principal");
    const Uid action = uid_from(member_or_empty(from, "action"), "action");
    const Uid resource = uid_from(member_or_empty(from, "resource"), "resource");
    const policy::Attributes* context = nullptr;
    if (schema != nullptr) {
        const auto at = schema->actions.find(action);
        if (at != schema->actions.end()) context = &at->second.context;
        if (check) {
            if (at == schema->actions.end()) throw DataError{"the schema has no action " + action.text()};
            (void)row_of(*schema, principal);
            (void)row_of(*schema, resource);
            if (!at->second.principals.contains(principal.type))
                throw DataError{action.text() + " is not for " + principal.text()};
            if (!at->second.resources.contains(resource.type))
                throw DataError{action.text() + " is not on " + resource.text()};
        }
    }
    request_.principal = *store_.uid(principal);
    request_.action = *store_.uid(action);
    request_.resource = *store_.uid(resource);
    request_.context = record_from(member_or_empty(from, "context"), check ? context : nullptr, store_, "context");
}

} // namespace aios::host
