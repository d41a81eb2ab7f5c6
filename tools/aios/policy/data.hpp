// Entities and requests of the policy language in JSON (docs.cedarpolicy.com, "Entities file" and "Context"), checked
// against a schema where one is given. What is wrong is thrown as a DataError.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "policy/evaluate.hpp"
#include "policy/language/schema.hpp"

namespace aios::host {

struct DataError {
    std::string sentence;
};

// Owns what values point to. Moving it leaves them where they are.
class ValueStore {
public:
    std::string_view text(std::string text) { return texts_.emplace_back(std::move(text)); }
    const policy::EntityUid* uid(const policy::Uid& uid) {
        return &uids_.emplace_back(policy::EntityUid{text(uid.type), text(uid.id)});
    }
    policy::Value network(const policy::IpNetwork& network) {
        return policy::Value::ip(&networks_.emplace_back(network));
    }
    policy::Value set(std::vector<policy::Value> elements);
    policy::Value record(std::vector<policy::Field> fields);

private:
    std::deque<std::string> texts_;
    std::deque<policy::EntityUid> uids_;
    std::deque<policy::IpNetwork> networks_;
    std::deque<std::vector<policy::Value>> sets_;
    std::deque<std::vector<policy::Field>> records_;
};

// A value, of type `type` where it is not null. `where` is said in what is thrown.
policy::Value value_from(const nlohmann::json& json, const policy::Type* type, ValueStore& store,
                         const std::string& where);
policy::Value record_from(const nlohmann::json& json, const policy::Attributes* attributes, ValueStore& store,
                          const std::string& where);
policy::Uid uid_from(const nlohmann::json& json, const std::string& where);

class EntityData {
public:
    // `schema` may be null; its actions are entities too.
    EntityData(const nlohmann::json& json, const policy::Schema* schema);
    [[nodiscard]] policy::Entities view() const { return policy::Entities(entities_); }

private:
    void add(const nlohmann::json& json, const policy::Schema* schema);
    void add_actions(const policy::Schema& schema);
    void close_hierarchy();

    ValueStore store_;
    struct Made {
        policy::Value attributes, tags;
        std::set<policy::Uid> parents;
    };
    std::map<policy::Uid, Made> made_;
    std::vector<policy::Entity> entities_;
    std::deque<std::vector<policy::EntityUid>> ancestors_;
};

// Principal, action, resource and context. Throws when they do not fit the schema and `check` says so.
class RequestData {
public:
    RequestData(const nlohmann::json& json, const policy::Schema* schema, bool check);
    [[nodiscard]] const policy::Request& view() const { return request_; }

private:
    ValueStore store_;
    policy::Request request_;
};

} // namespace aios::host
