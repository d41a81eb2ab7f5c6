// Types of what reads entities, records and sets, and of calls. See typecheck.hpp.
#include <algorithm>

#include "policy/language/typecheck.hpp"

namespace aios::policy {

using Kind = Type::Kind;

namespace {

const Attributes kNoAttributes;

// Whether a constructor of an extension type takes the text.
bool is_valid(Function function, std::string_view text) {
    switch (function) {
    case Function::ip:
        return parse_ip(text).has_value();
    case Function::decimal:
        return parse_decimal(text).has_value();
    case Function::datetime:
        return parse_datetime(text).has_value();
    default:
        return parse_duration(text).has_value();
    }
}

TypeRef type_of_kind(Value::Kind kind) {
    switch (kind) {
    case Value::Kind::boolean:
        return Type::of(Kind::boolean);
    case Value::Kind::integer:
        return Type::of(Kind::integer);
    case Value::Kind::string:
        return Type::of(Kind::string);
    default:
        return Type::extension_of(kind);
    }
}

} // namespace

const Attributes& TypeChecker::attributes_of(const Type& type) const {
    if (type.kind == Kind::record) return type.attributes;
    const auto at = schema_.entities.find(type.entity);
    return at == schema_.entities.end() ? kNoAttributes : at->second.attributes;
}

TypeRef TypeChecker::tags_of(const Type& type) const {
    const auto at = schema_.entities.find(type.entity);
    return at == schema_.entities.end() ? nullptr : at->second.tags;
}

TypeChecker::Typed TypeChecker::in(ExprId id, const Expr& expr, const Facts& known) {
    const ExprId left_id = expr.children[0], right_id = expr.children[1];
    const TypeRef left = expect(left_id, known, Kind::entity);
    const Expr& right_expr = pool_[right_id];
    // `in []` is false; elsewhere a set needs an element to have a type.
    if (right_expr.kind == Expr::Kind::set && right_expr.children.empty())
        wrong(right_id, "this set has no elements, so its type is not known");
    const TypeRef right = type_of(right_id, known).type;
    const Type* target = right->kind == Kind::set && right->element ? right->element.get() : right.get();
    if (target->kind != Kind::entity)
        wrong(right_id, "an entity or a set of entities is expected here, not " + right->text());

    std::vector<Uid> literals;
    const bool is_list = right_expr.kind == Expr::Kind::set;
    for (const ExprId one : is_list ? right_expr.children : std::vector<ExprId>{right_id})
        if (const auto uid = uid_of(one)) literals.push_back(*uid);
    const bool all_literal = literals.size() == (is_list ? right_expr.children.size() : 1);
    const std::optional<Uid> left_uid = uid_of(left_id);
    if (left_uid && is_action_type(left_uid->type) && all_literal) {
        const auto action = schema_.actions.find(*left_uid);
        const bool is_in = std::ranges::any_of(literals, [&](const Uid& uid) {
            return uid == *left_uid || (action != schema_.actions.end() && action->second.ancestors.contains(uid));
        });
        return {Type::of(is_in ? Kind::always_true : Kind::always_false)};
    }
    if (!schema_.may_be_in(left->entity, target->entity)) {
        const bool is_variable = pool_[left_id].kind == Expr::Kind::variable || left_uid;
        if (all_literal && is_variable) return {Type::of(Kind::always_false)};
        // Actions and other entities are never in each other: written out, that is a test which is false.
        if (is_action_type(left->entity) || is_action_type(target->entity)) return {Type::of(Kind::always_false)};
        wrong(id, "an entity of the type " + left->entity + " is never in one of the type " + target->entity);
    }
    return {Type::of(Kind::boolean)};
}

TypeChecker::Typed TypeChecker::membership(ExprId id, const Expr& expr, const Facts& known) {
    const TypeRef set = expect(expr.children[0], known, Kind::set);
    if (expr.kind != Expr::Kind::is_empty) {
        TypeRef other = type_of(expr.children[1], known).type;
        if (expr.kind != Expr::Kind::contains) {
            if (other->kind != Kind::set) wrong(expr.children[1], "a set is expected here, not " + other->text());
            other = other->element;
        }
        if (!set->element || !other || !same_type(*set->element, *other))
            wrong(id, "the elements of both sides must have one type, not " + set->text() + " and " +
                          (other ? other->text() : "none"));
    }
    return {Type::of(Kind::boolean)};
}

TypeRef TypeChecker::with_attributes(ExprId id, ExprId of, const Facts& known) {
    const TypeRef type = type_of(of, known).type;
    if (type->kind != Kind::entity && type->kind != Kind::record)
        wrong(id, "an entity or a record is expected here, not " + type->text());
    return type;
}

TypeChecker::Typed TypeChecker::has_attribute(ExprId id, const Expr& expr, const Facts& known) {
    const ExprId of = expr.children[0];
    const TypeRef type = with_attributes(id, of, known);
    const Attributes& attributes = attributes_of(*type);
    const auto at = attributes.find(expr.text);
    if (at == attributes.end()) return {Type::of(Kind::always_false)};
    const Fact fact{of, expr.text, 0, false};
    // An entity need not exist, so that even an attribute which all have may be missing.
    const bool certain = known.contains(fact) || (at->second.required && type->kind == Kind::record);
    return {Type::of(certain ? Kind::always_true : Kind::boolean), {fact}};
}

TypeChecker::Typed TypeChecker::get_attribute(ExprId id, const Expr& expr, const Facts& known) {
    const ExprId of = expr.children[0];
    const TypeRef type = with_attributes(id, of, known);
    const Attributes& attributes = attributes_of(*type);
    const auto at = attributes.find(expr.text);
    if (at == attributes.end()) wrong(id, type->text() + " has no attribute " + string_literal(expr.text));
    if (!at->second.required && !known.contains(Fact{of, expr.text, 0, false}))
        wrong(id, "the attribute " + string_literal(expr.text) + " may be missing: test it with `has` first");
    return {at->second.type};
}

TypeChecker::Typed TypeChecker::tag(ExprId id, const Expr& expr, const Facts& known) {
    const TypeRef type = expect(expr.children[0], known, Kind::entity);
    (void)expect(expr.children[1], known, Kind::string);
    const TypeRef tags = tags_of(*type);
    const Fact fact{expr.children[0], {}, expr.children[1], true};
    if (expr.kind == Expr::Kind::has_tag) {
        if (!tags) return {Type::of(Kind::always_false)};
        return {Type::of(known.contains(fact) ? Kind::always_true : Kind::boolean), {fact}};
    }
    if (!tags) wrong(id, type->text() + " has no tags");
    if (!known.contains(fact)) wrong(id, "this tag may be missing: test it with hasTag first");
    return {tags};
}

TypeChecker::Typed TypeChecker::is_type(const Expr& expr, const Facts& known) {
    const TypeRef type = expect(expr.children[0], known, Kind::entity);
    return {Type::of(type->entity == expr.text ? Kind::always_true : Kind::always_false)};
}

TypeChecker::Typed TypeChecker::set(ExprId id, const Expr& expr, const Facts& known) {
    if (expr.children.empty()) wrong(id, "this set has no elements, so its type is not known");
    TypeRef element;
    for (const ExprId child : expr.children) {
        const TypeRef type = type_of(child, known).type;
        if (!element) {
            element = type;
        } else if (!same_type(*element, *type)) {
            wrong(child, "the elements of a set must have one type, not " + element->text() + " and " + type->text());
        } else if (element->is_boolean() && element->kind != type->kind) {
            element = Type::of(Kind::boolean);
        }
    }
    return {Type::set_of(element)};
}

TypeChecker::Typed TypeChecker::record(const Expr& expr, const Facts& known) {
    Attributes attributes;
    for (std::size_t i = 0; i < expr.keys.size(); ++i)
        attributes.emplace(expr.keys[i], Attribute{type_of(expr.children[i], known).type, true});
    return {Type::record_of(std::move(attributes))};
}

TypeChecker::Typed TypeChecker::call(ExprId id, const Expr& expr, const Facts& known) {
    const auto function = static_cast<Function>(expr.number);
    const FunctionInfo& info = info_of(function);
    if (expr.children.size() != info.arguments)
        wrong(id, std::string(info.name) + " takes another number of arguments");
    for (unsigned i = 0; i < info.arguments; ++i) {
        const TypeRef type = type_of(expr.children[i], known).type, wanted = type_of_kind(info.parameter[i]);
        if (!same_type(*type, *wanted))
            wrong(expr.children[i], wanted->text() + " is expected here, not " + type->text());
    }
    if (!info.is_method) {
        const Expr& argument = pool_[expr.children[0]];
        if (argument.kind != Expr::Kind::string)
            wrong(id, std::string(info.name) + " takes a string literal, so that it can be checked");
        if (!is_valid(function, argument.text))
            wrong(id, string_literal(argument.text) + " is not what " + std::string(info.name) + " reads");
    }
    return {type_of_kind(info.result)};
}

} // namespace aios::policy
