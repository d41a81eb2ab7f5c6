// Policies as a syntax tree. Expressions are nodes of one pool and refer to each other by index; equal expressions are
// one node, so that the type checker compares them by index. A node refers only to nodes before it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/extension.hpp"
#include "policy/program.hpp"

namespace aios::policy {

using ExprId = std::uint32_t;

struct Uid { // an EntityUid that owns its text
    std::string type, id;
    friend bool operator==(const Uid&, const Uid&) = default;
    friend auto operator<=>(const Uid&, const Uid&) = default;
    [[nodiscard]] EntityUid view() const { return {type, id}; }
    [[nodiscard]] std::string text() const; // as in Cedar: T::"id"
};
[[nodiscard]] std::string string_literal(std::string_view text); // a string literal of Cedar

struct Position {
    unsigned line = 1, column = 1;
};

struct Expr {
    enum class Kind : std::uint8_t {
        boolean,
        integer,
        string,
        entity,   // literals
        variable, // number: 0 principal, 1 action, 2 resource, 3 context
        slot,     // number: 0 ?principal, 2 ?resource
        negate_boolean,
        negate_integer,
        add,
        subtract,
        multiply,
        less,
        less_equal,
        greater,
        greater_equal,
        equal,
        not_equal,
        and_also,
        or_else,
        in,
        contains,
        contains_all,
        contains_any,
        is_empty,
        has_attribute,
        get_attribute, // text
        has_tag,
        get_tag,
        like,    // text is the pattern, with kWildcard
        is_type, // text
        choose,  // if, then, else
        set,
        record, // keys
        call,   // number: Function
    };
    Kind kind = Kind::boolean;
    std::int64_t number = 0;        // boolean 0 or 1
    std::string text = {}, id = {}; // an entity's type and id
    std::vector<ExprId> children = {};
    std::vector<std::string> keys = {};
    friend auto operator<=>(const Expr&, const Expr&) = default;
};

class ExprPool {
public:
    ExprId add(Expr expr);
    [[nodiscard]] const Expr& operator[](ExprId id) const { return nodes_[id]; }
    [[nodiscard]] unsigned depth(ExprId id) const { return depths_[id]; }
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    // Where the text of a node begins that was made first.
    void set_position(ExprId id, Position position) { positions_.try_emplace(id, position); }
    [[nodiscard]] Position position(ExprId id) const {
        const auto at = positions_.find(id);
        return at == positions_.end() ? Position() : at->second;
    }

private:
    std::vector<Expr> nodes_;
    std::vector<unsigned> depths_;
    std::map<Expr, ExprId> known_;
    std::map<ExprId, Position> positions_;
};

// What the scope says of principal, action or resource.
struct ScopeConstraint {
    enum class Kind : std::uint8_t { any, equal, in, is, is_in };
    Kind kind = Kind::any;
    std::string type;      // is, is_in
    std::vector<Uid> uids; // equal and in: one; action in [..]: any number; empty where it is a slot
    bool is_list = false;  // action in [..]
    bool is_slot = false;  // ?principal or ?resource
};

struct Policy {
    std::string id; // policy0, policy1, ... in the order of the text
    Effect effect = Effect::permit;
    std::map<std::string, std::string> annotations;
    ScopeConstraint scope[3]; // principal, action, resource
    ExprId condition = 0;     // all `when` and `unless`, true where there is none
    ExprId whole = 0;         // scope and condition as one expression
    Position position;
    [[nodiscard]] bool is_template() const { return scope[0].is_slot || scope[2].is_slot; }
};

struct PolicySet {
    ExprPool pool;
    std::vector<Policy> policies;
};

// A sentence about a text, and where.
struct Complaint {
    Position position;
    std::string sentence;
    std::string policy; // its id, where there is one
};

} // namespace aios::policy
