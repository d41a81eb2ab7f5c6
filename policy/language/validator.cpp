// Names first, then types in every environment that the schema allows. See validator.hpp.
#include "policy/language/validator.hpp"

#include <algorithm>

#include "policy/language/typecheck.hpp"

namespace aios::policy {

namespace {

class Validator {
public:
    Validator(const PolicySet& set, const Schema& schema) : set_(set), schema_(schema) {}

    std::vector<Complaint> all() {
        for (const Policy& policy : set_.policies) {
            policy_ = &policy;
            std::set<ExprId> seen;
            names(policy.whole, seen);
            if (!applies(policy)) complain(policy.position, "no action of the schema fits the scope of this policy");
            types(policy);
        }
        return std::move(complaints_);
    }

private:
    void complain(Position position, std::string sentence) {
        complaints_.push_back({position, std::move(sentence), policy_->id});
    }

    // Entity types, ids of enumerated types, and actions that do not exist.
    void names(ExprId id, std::set<ExprId>& seen) {
        if (!seen.insert(id).second) return;
        const Expr& expr = set_.pool[id];
        if (expr.kind == Expr::Kind::entity && is_action_type(expr.text)) {
            if (!schema_.actions.contains(Uid{expr.text, expr.id}))
                complain(set_.pool.position(id), "the schema has no action " + Uid{expr.text, expr.id}.text());
        } else if (expr.kind == Expr::Kind::entity || expr.kind == Expr::Kind::is_type) {
            const auto at = schema_.entities.find(expr.text);
            if (at == schema_.entities.end()) {
                if (!is_declared_action_type(expr.text))
                    complain(set_.pool.position(id), "the schema has no entity type " + expr.text);
            } else if (expr.kind == Expr::Kind::entity && at->second.is_enumerated &&
                       !at->second.ids.contains(expr.id)) {
                complain(set_.pool.position(id),
                         Uid{expr.text, expr.id}.text() + " is not among the entities of its type");
            }
        }
        for (const ExprId child : expr.children)
            names(child, seen);
    }

    bool is_declared_action_type(const std::string& name) const {
        return std::ranges::any_of(schema_.actions, [&](const auto& action) { return action.first.type == name; });
    }

    bool fits(const ScopeConstraint& scope, const std::string& type) const {
        if (scope.is_slot && scope.kind != ScopeConstraint::Kind::is_in) return true;
        switch (scope.kind) {
        case ScopeConstraint::Kind::any:
            return true;
        case ScopeConstraint::Kind::equal:
            return scope.uids.front().type == type;
        case ScopeConstraint::Kind::in:
            return schema_.may_be_in(type, scope.uids.front().type);
        case ScopeConstraint::Kind::is:
            return scope.type == type;
        case ScopeConstraint::Kind::is_in:
            return scope.type == type && (scope.is_slot || schema_.may_be_in(type, scope.uids.front().type));
        }
        return false;
    }
    static bool fits_action(const ScopeConstraint& scope, const Uid& uid, const ActionType& action) {
        if (scope.kind == ScopeConstraint::Kind::any) return true;
        return std::ranges::any_of(scope.uids, [&](const Uid& wanted) {
            return wanted == uid || (scope.kind == ScopeConstraint::Kind::in && action.ancestors.contains(wanted));
        });
    }
    bool applies(const Policy& policy) const {
        return std::ranges::any_of(schema_.actions, [&](const auto& one) {
            const auto& [uid, action] = one;
            auto any_fits = [&](const std::set<std::string>& types, unsigned which) {
                return std::ranges::any_of(types,
                                           [&](const std::string& type) { return fits(policy.scope[which], type); });
            };
            return fits_action(policy.scope[1], uid, action) && any_fits(action.principals, 0) &&
                   any_fits(action.resources, 2);
        });
    }

    void types(const Policy& policy) {
        for (const auto& [uid, action] : schema_.actions) {
            for (const std::string& principal : action.principals) {
                for (const std::string& resource : action.resources) {
                    const Environment environment{principal, uid, resource, &action.context};
                    try {
                        (void)TypeChecker(schema_, set_.pool, environment).check(policy.whole);
                    } catch (Complaint& complaint) {
                        complain(complaint.position, complaint.sentence + " (for " + uid.text() + " by " + principal +
                                                         " on " + resource + ")");
                        return; // one environment is enough to tell
                    }
                }
            }
        }
    }

    const PolicySet& set_;
    const Schema& schema_;
    const Policy* policy_ = nullptr;
    std::vector<Complaint> complaints_;
};

} // namespace

std::vector<Complaint> validate(const PolicySet& set, const Schema& schema) { return Validator(set, schema).all(); }

} // namespace aios::policy
