// Booleans, literals, comparison. Entities, records, sets and calls are in typecheck_values.cpp. See typecheck.hpp.
#include "policy/language/typecheck.hpp"

#include <algorithm>
#include <iterator>

namespace aios::policy {

using Kind = Type::Kind;

void TypeChecker::wrong(ExprId at, std::string sentence) const {
    throw Complaint{pool_.position(at), std::move(sentence), {}};
}

TypeRef TypeChecker::check(ExprId expression) { return expect_boolean(expression, {}).type; }

TypeChecker::Typed TypeChecker::expect_boolean(ExprId id, const Facts& known) {
    Typed typed = type_of(id, known);
    if (!typed.type->is_boolean()) wrong(id, "a Bool is expected here, not " + typed.type->text());
    return typed;
}

TypeRef TypeChecker::expect(ExprId id, const Facts& known, Kind kind) {
    TypeRef type = type_of(id, known).type;
    if (type->kind != kind) wrong(id, Type::of(kind)->text() + " is expected here, not " + type->text());
    return type;
}

TypeChecker::Typed TypeChecker::type_of(ExprId id, const Facts& known) {
    const Expr& expr = pool_[id];
    switch (expr.kind) {
    case Expr::Kind::boolean:
    case Expr::Kind::integer:
    case Expr::Kind::string:
    case Expr::Kind::entity:
    case Expr::Kind::variable:
    case Expr::Kind::slot:
        return literal(id);
    case Expr::Kind::negate_boolean: {
        const TypeRef type = boolean(expr.children[0], known);
        if (type->kind == Kind::boolean) return {type};
        return {Type::of(type->kind == Kind::always_true ? Kind::always_false : Kind::always_true)};
    }
    case Expr::Kind::negate_integer:
    case Expr::Kind::add:
    case Expr::Kind::subtract:
    case Expr::Kind::multiply:
        for (const ExprId child : expr.children)
            (void)expect(child, known, Kind::integer);
        return {Type::of(Kind::integer)};
    case Expr::Kind::less:
    case Expr::Kind::less_equal:
    case Expr::Kind::greater:
    case Expr::Kind::greater_equal:
        return order(id, expr, known);
    case Expr::Kind::equal:
    case Expr::Kind::not_equal:
        return equality(id, expr, known);
    case Expr::Kind::and_also:
        return and_also(expr, known);
    case Expr::Kind::or_else:
        return or_else(expr, known);
    case Expr::Kind::in:
        return in(id, expr, known);
    case Expr::Kind::contains:
    case Expr::Kind::contains_all:
    case Expr::Kind::contains_any:
    case Expr::Kind::is_empty:
        return membership(id, expr, known);
    case Expr::Kind::has_attribute:
        return has_attribute(id, expr, known);
    case Expr::Kind::get_attribute:
        return get_attribute(id, expr, known);
    case Expr::Kind::has_tag:
    case Expr::Kind::get_tag:
        return tag(id, expr, known);
    case Expr::Kind::like:
        (void)expect(expr.children[0], known, Kind::string);
        return {Type::of(Kind::boolean)};
    case Expr::Kind::is_type:
        return is_type(expr, known);
    case Expr::Kind::choose:
        return choose(expr, known);
    case Expr::Kind::set:
        return set(id, expr, known);
    case Expr::Kind::record:
        return record(expr, known);
    case Expr::Kind::call:
        return call(id, expr, known);
    }
    wrong(id, "this expression is not known");
}

TypeChecker::Typed TypeChecker::literal(ExprId id) {
    const Expr& expr = pool_[id];
    switch (expr.kind) {
    case Expr::Kind::boolean:
        return {Type::of(expr.number != 0 ? Kind::always_true : Kind::always_false)};
    case Expr::Kind::integer:
        return {Type::of(Kind::integer)};
    case Expr::Kind::string:
        return {Type::of(Kind::string)};
    case Expr::Kind::entity:
        return {Type::entity_of(expr.text)}; // that it exists is checked once for the policy
    case Expr::Kind::slot:
        return {Type::entity_of(expr.number == 0 ? environment_.principal : environment_.resource)};
    default:
        break;
    }
    switch (expr.number) {
    case 0:
        return {Type::entity_of(environment_.principal)};
    case 1:
        return {Type::entity_of(environment_.action.type)};
    case 2:
        return {Type::entity_of(environment_.resource)};
    default:
        return {Type::record_of(*environment_.context)};
    }
}

TypeChecker::Typed TypeChecker::choose(const Expr& expr, const Facts& known) {
    const Typed test = expect_boolean(expr.children[0], known);
    Facts then_known = known;
    then_known.insert(test.facts.begin(), test.facts.end());
    // A branch that is never taken is not looked at.
    if (test.type->kind == Kind::always_false) return type_of(expr.children[2], known);
    Typed yes = type_of(expr.children[1], then_known);
    yes.facts.insert(test.facts.begin(), test.facts.end());
    if (test.type->kind == Kind::always_true) return yes;
    const Typed no = type_of(expr.children[2], known);
    if (!same_type(*yes.type, *no.type))
        wrong(expr.children[2],
              "both branches must have one type, not " + yes.type->text() + " and " + no.type->text());
    Typed both;
    std::ranges::set_intersection(yes.facts, no.facts, std::inserter(both.facts, both.facts.end()));
    both.type = yes.type->kind == no.type->kind || !yes.type->is_boolean() ? yes.type : Type::of(Kind::boolean);
    return both;
}

TypeChecker::Typed TypeChecker::and_also(const Expr& expr, const Facts& known) {
    Typed left = expect_boolean(expr.children[0], known);
    if (left.type->kind == Kind::always_false) return {left.type}; // the right side is never looked at
    Facts right_known = known;
    right_known.insert(left.facts.begin(), left.facts.end());
    Typed right = expect_boolean(expr.children[1], right_known);
    if (right.type->kind == Kind::always_false) return {right.type};
    right.facts.insert(left.facts.begin(), left.facts.end());
    if (left.type->kind == Kind::always_true) return right;
    return {Type::of(Kind::boolean), std::move(right.facts)};
}

TypeChecker::Typed TypeChecker::or_else(const Expr& expr, const Facts& known) {
    const Typed left = expect_boolean(expr.children[0], known);
    if (left.type->kind == Kind::always_true) return left;
    const Typed right = expect_boolean(expr.children[1], known);
    if (left.type->kind == Kind::always_false || right.type->kind == Kind::always_true) return right;
    if (right.type->kind == Kind::always_false) return left;
    Typed both{Type::of(Kind::boolean)};
    std::ranges::set_intersection(left.facts, right.facts, std::inserter(both.facts, both.facts.end()));
    return both;
}

std::optional<Uid> TypeChecker::uid_of(ExprId id) const {
    const Expr& expr = pool_[id];
    if (expr.kind == Expr::Kind::entity) return Uid{expr.text, expr.id};
    if (expr.kind == Expr::Kind::variable && expr.number == 1) return environment_.action;
    return std::nullopt;
}

TypeChecker::Typed TypeChecker::equality(ExprId id, const Expr& expr, const Facts& known) {
    const TypeRef left = type_of(expr.children[0], known).type;
    const TypeRef right = type_of(expr.children[1], known).type;
    auto answer = [&](bool value) {
        return Typed{Type::of(value == (expr.kind == Expr::Kind::equal) ? Kind::always_true : Kind::always_false)};
    };
    // Entities of different types are never equal, and literals are as they stand.
    if (left->kind == Kind::entity && right->kind == Kind::entity && left->entity != right->entity)
        return answer(false);
    const std::optional<Uid> a = uid_of(expr.children[0]), b = uid_of(expr.children[1]);
    if (a && b) return answer(*a == *b);
    auto is_literal = [&](ExprId side) { return pool_[side].kind <= Expr::Kind::entity; };
    if (is_literal(expr.children[0]) && is_literal(expr.children[1]))
        return answer(expr.children[0] == expr.children[1]);
    if (!same_type(*left, *right))
        wrong(id, "values of the types " + left->text() + " and " + right->text() + " cannot be compared");
    return {Type::of(Kind::boolean)};
}

TypeChecker::Typed TypeChecker::order(ExprId id, const Expr& expr, const Facts& known) {
    const TypeRef left = type_of(expr.children[0], known).type;
    const TypeRef right = type_of(expr.children[1], known).type;
    const bool has_order = left->kind == Kind::integer ||
                           (left->kind == Kind::extension &&
                            (left->extension == Value::Kind::datetime || left->extension == Value::Kind::duration));
    if (!has_order || !same_type(*left, *right))
        wrong(id, "values of the types " + left->text() + " and " + right->text() + " have no order");
    return {Type::of(Kind::boolean)};
}

} // namespace aios::policy
