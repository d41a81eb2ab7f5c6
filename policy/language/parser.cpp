// Policies: annotations, effect, scope, conditions. Expressions are in parser_expressions.cpp. The grammar is that of
// docs.cedarpolicy.com, "Grammar specification".
#include "policy/language/parser.hpp"

#include "policy/language/expression_parser.hpp"

namespace aios::policy {

namespace {

constexpr std::string_view kVariables[] = {"principal", "action", "resource"};

class PolicyParser {
public:
    explicit PolicyParser(std::string_view text) : in_(text), expressions_(in_, set_.pool) {}

    PolicySet all() {
        while (!in_.at_end())
            set_.policies.push_back(policy());
        return std::move(set_);
    }

private:
    Policy policy() {
        Policy policy;
        policy.id = "policy" + std::to_string(set_.policies.size());
        policy.position = in_.peek().position;
        while (in_.take("@"))
            annotation(policy);
        if (in_.take("forbid")) {
            policy.effect = Effect::forbid;
        } else {
            in_.expect("permit");
        }
        in_.expect("(");
        for (unsigned i = 0; i < 3; ++i) {
            if (i != 0) in_.expect(",");
            policy.scope[i] = constraint(i);
        }
        in_.take(",");
        in_.expect(")");
        policy.condition = conditions();
        in_.expect(";");
        policy.whole = whole_expression(set_.pool, policy);
        return policy;
    }

    void annotation(Policy& policy) {
        if (in_.peek().kind != Token::Kind::name) in_.wrong("the name of an annotation is expected");
        const Token& key = in_.next();
        std::string value;
        if (in_.take("(")) {
            value = in_.string();
            in_.expect(")");
        }
        if (!policy.annotations.emplace(key.text, std::move(value)).second)
            TokenStream::wrong_at(key.position, "the annotation '" + std::string(key.text) + "' stands twice");
    }

    ScopeConstraint constraint(unsigned which) {
        in_.expect(kVariables[which]);
        ScopeConstraint made;
        const bool is_action = which == 1;
        if (!is_action && in_.take("is")) {
            made.kind = ScopeConstraint::Kind::is;
            made.type = in_.path();
            if (in_.take("in")) {
                made.kind = ScopeConstraint::Kind::is_in;
                reference(made, which);
            }
        } else if (in_.take("==")) {
            made.kind = ScopeConstraint::Kind::equal;
            reference(made, which);
        } else if (in_.take("in")) {
            made.kind = ScopeConstraint::Kind::in;
            if (is_action && in_.take("[")) {
                made.is_list = true;
                while (!in_.take("]")) {
                    made.uids.push_back(action_uid());
                    if (!in_.peek().is("]")) in_.expect(",");
                }
            } else {
                reference(made, which);
            }
        }
        return made;
    }

    void reference(ScopeConstraint& made, unsigned which) {
        if (which != 1 && in_.take("?" + std::string(kVariables[which]))) {
            made.is_slot = true;
            return;
        }
        made.uids.push_back(which == 1 ? action_uid() : expressions_.uid());
    }

    Uid action_uid() {
        const Position position = in_.peek().position;
        Uid uid = expressions_.uid();
        if (uid.type != "Action" && !uid.type.ends_with("::Action"))
            TokenStream::wrong_at(position, "the scope of the action names " + uid.text() + ", which is no action");
        return uid;
    }

    ExprId conditions() {
        std::optional<ExprId> all;
        for (;;) {
            const bool unless = in_.peek().is("unless");
            if (!in_.take(unless ? "unless" : "when")) break;
            in_.expect("{");
            ExprId one = expressions_.expression();
            in_.expect("}");
            if (unless) one = set_.pool.add({.kind = Expr::Kind::negate_boolean, .children = {one}});
            all = all ? set_.pool.add({.kind = Expr::Kind::and_also, .children = {*all, one}}) : one;
        }
        return all ? *all : set_.pool.add({.kind = Expr::Kind::boolean, .number = 1});
    }

    PolicySet set_;
    TokenStream in_;
    ExpressionParser expressions_;
};

} // namespace

ExprId whole_expression(ExprPool& pool, const Policy& policy) {
    using Kind = Expr::Kind;
    ExprId whole = policy.condition;
    // Each part stands before what follows it: resource && condition, then action, then principal.
    for (unsigned i = 3; i-- > 0;) {
        const ScopeConstraint& scope = policy.scope[i];
        const ExprId variable = pool.add({.kind = Kind::variable, .number = i});
        auto target = [&] {
            if (scope.is_slot) return pool.add({.kind = Kind::slot, .number = i});
            std::vector<ExprId> uids;
            for (const Uid& uid : scope.uids)
                uids.push_back(pool.add({.kind = Kind::entity, .text = uid.type, .id = uid.id}));
            return scope.is_list ? pool.add({.kind = Kind::set, .children = uids}) : uids.front();
        };
        ExprId part = 0;
        switch (scope.kind) {
        case ScopeConstraint::Kind::any:
            continue;
        case ScopeConstraint::Kind::equal:
            part = pool.add({.kind = Kind::equal, .children = {variable, target()}});
            break;
        case ScopeConstraint::Kind::in:
            part = pool.add({.kind = Kind::in, .children = {variable, target()}});
            break;
        case ScopeConstraint::Kind::is:
            part = pool.add({.kind = Kind::is_type, .text = scope.type, .children = {variable}});
            break;
        case ScopeConstraint::Kind::is_in: {
            const ExprId is = pool.add({.kind = Kind::is_type, .text = scope.type, .children = {variable}});
            const ExprId in = pool.add({.kind = Kind::in, .children = {variable, target()}});
            part = pool.add({.kind = Kind::and_also, .children = {is, in}});
            break;
        }
        }
        whole = pool.add({.kind = Kind::and_also, .children = {part, whole}});
    }
    return whole;
}

std::expected<PolicySet, Complaint> parse_policies(std::string_view text) {
    try {
        return PolicyParser(text).all();
    } catch (Complaint& complaint) {
        return std::unexpected(std::move(complaint));
    }
}

std::expected<Policy, Complaint> link_template(PolicySet& set, const Policy& of, std::string id,
                                               const std::optional<Uid>& principal,
                                               const std::optional<Uid>& resource) {
    Policy made = of;
    made.id = std::move(id);
    const std::optional<Uid>* const values[] = {&principal, nullptr, &resource};
    for (const unsigned i : {0u, 2u}) {
        if (made.scope[i].is_slot != values[i]->has_value()) {
            return std::unexpected(Complaint{of.position,
                                             "the slot ?" + std::string(kVariables[i]) +
                                                 (made.scope[i].is_slot ? " has no value" : " is not in the template"),
                                             made.id});
        }
        if (!made.scope[i].is_slot) continue;
        made.scope[i].is_slot = false;
        made.scope[i].uids = {**values[i]};
    }
    made.whole = whole_expression(set.pool, made);
    return made;
}

} // namespace aios::policy
