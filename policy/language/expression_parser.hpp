// The expressions of the policy language. Only for policy/language/parser.cpp.
#pragma once

#include "policy/language/parser.hpp"
#include "policy/language/stream.hpp"

namespace aios::policy {

class ExpressionParser {
public:
    ExpressionParser(TokenStream& in, ExprPool& pool) : in_(in), pool_(pool) {}
    ExprId expression();
    Uid uid(); // Path::"id"

private:
    using Kind = Expr::Kind;
    ExprId choice();
    ExprId disjunction();
    ExprId conjunction();
    ExprId relation();
    ExprId relation_behind(ExprId left, Position position);
    ExprId has(ExprId left, Position position);
    ExprId is(ExprId left, Position position);
    ExprId sum();
    ExprId product();
    ExprId unary();
    ExprId member();
    ExprId method(ExprId value, const std::string& name, Position position);
    ExprId primary();
    ExprId function(Position position);
    ExprId record(Position position);
    std::vector<ExprId> list_until(std::string_view end);
    ExprId add(Position position, Expr expr);

    TokenStream& in_;
    ExprPool& pool_;
    unsigned nesting_ = 0; // of the parser's own recursion
};

// The scope and the condition of a policy as one expression.
ExprId whole_expression(ExprPool& pool, const Policy& policy);

} // namespace aios::policy
