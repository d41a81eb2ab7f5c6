// The type checker: one expression in one environment, which fixes the types of principal, action, resource and
// context. Only for policy/language/validator.cpp.
//
// Beside its type each expression has facts: what is known to be there where it is true. `principal has a &&
// principal.a` is fine because the left side has the fact (principal, a).
#pragma once

#include <set>

#include "policy/language/schema.hpp"

namespace aios::policy {

struct Environment {
    std::string principal;
    Uid action;
    std::string resource;
    const Attributes* context;
};

class TypeChecker {
public:
    TypeChecker(const Schema& schema, const ExprPool& pool, const Environment& environment)
        : schema_(schema), pool_(pool), environment_(environment) {}

    // Checks that the expression is a boolean. Throws a Complaint.
    TypeRef check(ExprId expression);

private:
    // (expression, attribute), or (expression, "") and the expression that names a tag.
    struct Fact {
        ExprId of;
        std::string attribute;
        ExprId tag;
        bool is_tag;
        friend auto operator<=>(const Fact&, const Fact&) = default;
    };
    using Facts = std::set<Fact>;
    struct Typed {
        TypeRef type;
        Facts facts = {};
    };

    [[noreturn]] void wrong(ExprId at, std::string sentence) const;
    Typed type_of(ExprId id, const Facts& known);
    TypeRef boolean(ExprId id, const Facts& known) { return expect_boolean(id, known).type; }
    Typed expect_boolean(ExprId id, const Facts& known);
    TypeRef expect(ExprId id, const Facts& known, Type::Kind kind);
    Typed literal(ExprId id);
    Typed choose(const Expr& expr, const Facts& known);
    Typed and_also(const Expr& expr, const Facts& known);
    Typed or_else(const Expr& expr, const Facts& known);
    Typed equality(ExprId id, const Expr& expr, const Facts& known);
    Typed order(ExprId id, const Expr& expr, const Facts& known);
    Typed in(ExprId id, const Expr& expr, const Facts& known);
    Typed membership(ExprId id, const Expr& expr, const Facts& known);
    // The type of `of`, an entity or a record; `id` is what asks.
    TypeRef with_attributes(ExprId id, ExprId of, const Facts& known);
    Typed has_attribute(ExprId id, const Expr& expr, const Facts& known);
    Typed get_attribute(ExprId id, const Expr& expr, const Facts& known);
    Typed tag(ExprId id, const Expr& expr, const Facts& known);
    Typed is_type(const Expr& expr, const Facts& known);
    Typed set(ExprId id, const Expr& expr, const Facts& known);
    Typed record(const Expr& expr, const Facts& known);
    Typed call(ExprId id, const Expr& expr, const Facts& known);
    [[nodiscard]] std::optional<Uid> uid_of(ExprId id) const; // a literal, or `action`
    [[nodiscard]] const Attributes& attributes_of(const Type& type) const;
    [[nodiscard]] TypeRef tags_of(const Type& type) const;

    const Schema& schema_;
    const ExprPool& pool_;
    const Environment& environment_;
};

} // namespace aios::policy
