// Expressions, by recursive descent, one function a level of binding. See expression_parser.hpp.
#include <charconv>
#include <set>

#include "policy/language/expression_parser.hpp"

namespace aios::policy {

namespace {

// A level of parentheses costs some ten frames of the parser.
constexpr unsigned kMaxParserNesting = 200;

struct Operator {
    std::string_view sign;
    Expr::Kind kind;
};
constexpr Operator kRelations[] = {
    {"<", Expr::Kind::less},    {"<=", Expr::Kind::less_equal},
    {">", Expr::Kind::greater}, {">=", Expr::Kind::greater_equal},
    {"==", Expr::Kind::equal},  {"!=", Expr::Kind::not_equal},
    {"in", Expr::Kind::in},
};

struct Method {
    std::string_view name;
    Expr::Kind kind;
    unsigned arguments;
};
constexpr Method kMethods[] = {
    {"contains", Expr::Kind::contains, 1},        {"containsAll", Expr::Kind::contains_all, 1},
    {"containsAny", Expr::Kind::contains_any, 1}, {"isEmpty", Expr::Kind::is_empty, 0},
    {"hasTag", Expr::Kind::has_tag, 1},           {"getTag", Expr::Kind::get_tag, 1},
};

} // namespace

ExprId ExpressionParser::add(Position position, Expr expr) {
    const ExprId id = pool_.add(std::move(expr));
    pool_.set_position(id, position);
    if (pool_.depth(id) > kMaxExprDepth) TokenStream::wrong_at(position, "this expression is nested too deeply");
    return id;
}

Uid ExpressionParser::uid() {
    Uid made;
    made.type = in_.path();
    in_.expect("::");
    made.id = in_.string();
    return made;
}

ExprId ExpressionParser::expression() {
    if (++nesting_ > kMaxParserNesting) in_.wrong("an expression that is nested less deeply is expected");
    const ExprId made = in_.peek().is("if") ? choice() : disjunction();
    --nesting_;
    return made;
}

ExprId ExpressionParser::choice() {
    const Position position = in_.peek().position;
    in_.expect("if");
    const ExprId test = expression();
    in_.expect("then");
    const ExprId yes = expression();
    in_.expect("else");
    const ExprId no = expression();
    return add(position, {.kind = Kind::choose, .children = {test, yes, no}});
}

ExprId ExpressionParser::disjunction() {
    const Position position = in_.peek().position;
    ExprId left = conjunction();
    while (in_.take("||"))
        left = add(position, {.kind = Kind::or_else, .children = {left, conjunction()}});
    return left;
}

ExprId ExpressionParser::conjunction() {
    const Position position = in_.peek().position;
    ExprId left = relation();
    while (in_.take("&&"))
        left = add(position, {.kind = Kind::and_also, .children = {left, relation()}});
    return left;
}

ExprId ExpressionParser::relation() {
    const Position position = in_.peek().position;
    const ExprId left = sum();
    const ExprId made = relation_behind(left, position);
    for (const Operator& one : kRelations)
        if (in_.peek().is(one.sign)) in_.wrong("relations do not chain: parentheses are expected");
    return made;
}

ExprId ExpressionParser::relation_behind(ExprId left, Position position) {
    for (const Operator& one : kRelations)
        if (in_.take(one.sign)) return add(position, {.kind = one.kind, .children = {left, sum()}});
    if (in_.take("has")) return has(left, position);
    if (in_.take("is")) return is(left, position);
    if (in_.take("like")) {
        if (in_.peek().kind != Token::Kind::string) in_.wrong("a pattern is expected");
        auto pattern = unescaped(in_.next(), Wildcards::allowed);
        if (!pattern) throw std::move(pattern.error());
        return add(position, {.kind = Kind::like, .text = std::move(*pattern), .children = {left}});
    }
    return left;
}

// `e has a.b.c` is `e has a && e.a has b && e.a.b has c`.
ExprId ExpressionParser::has(ExprId left, Position position) {
    auto has_one = [&](std::string name) {
        return add(position, {.kind = Kind::has_attribute, .text = std::move(name), .children = {left}});
    };
    if (in_.peek().kind == Token::Kind::string) return has_one(in_.string());
    std::string name = in_.name();
    ExprId all = has_one(name);
    while (in_.take(".")) {
        left = add(position, {.kind = Kind::get_attribute, .text = name, .children = {left}});
        name = in_.name();
        const ExprId one = has_one(name);
        all = add(position, {.kind = Kind::and_also, .children = {all, one}});
    }
    return all;
}

ExprId ExpressionParser::is(ExprId left, Position position) {
    const ExprId made = add(position, {.kind = Kind::is_type, .text = in_.path(), .children = {left}});
    if (!in_.take("in")) return made;
    const ExprId in = add(position, {.kind = Kind::in, .children = {left, sum()}});
    return add(position, {.kind = Kind::and_also, .children = {made, in}});
}

ExprId ExpressionParser::sum() {
    const Position position = in_.peek().position;
    ExprId left = product();
    for (;;) {
        const bool minus = in_.peek().is("-");
        if (!minus && !in_.peek().is("+")) return left;
        in_.next();
        left = add(position, {.kind = minus ? Kind::subtract : Kind::add, .children = {left, product()}});
    }
}

ExprId ExpressionParser::product() {
    const Position position = in_.peek().position;
    ExprId left = unary();
    while (in_.take("*"))
        left = add(position, {.kind = Kind::multiply, .children = {left, unary()}});
    return left;
}

// At most four of one sign. The last minus before a number is part of the number: so the smallest one can be written.
ExprId ExpressionParser::unary() {
    const Position position = in_.peek().position;
    const std::string_view sign = in_.peek().is("!") ? "!" : "-";
    unsigned count = 0;
    while (in_.take(sign))
        ++count;
    if (count > 4) TokenStream::wrong_at(position, "more than four operators of one kind in a row");
    ExprId made;
    if (sign == "-" && count > 0 && in_.peek().kind == Token::Kind::number && !in_.peek(1).is(".") &&
        !in_.peek(1).is("[")) {
        const std::string digits = "-" + std::string(in_.peek().text);
        std::int64_t number = 0;
        if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec != std::errc())
            in_.wrong("a number within 64 bits is expected");
        in_.next();
        --count;
        made = add(position, {.kind = Kind::integer, .number = number});
    } else {
        made = member();
    }
    for (; count > 0; --count)
        made = add(position, {.kind = sign == "!" ? Kind::negate_boolean : Kind::negate_integer, .children = {made}});
    return made;
}

ExprId ExpressionParser::member() {
    const Position position = in_.peek().position;
    ExprId value = primary();
    for (;;) {
        if (in_.take("[")) {
            value = add(position, {.kind = Kind::get_attribute, .text = in_.string(), .children = {value}});
            in_.expect("]");
        } else if (in_.take(".")) {
            std::string name = in_.name();
            if (in_.take("(")) {
                value = method(value, name, position);
            } else {
                value = add(position, {.kind = Kind::get_attribute, .text = std::move(name), .children = {value}});
            }
        } else {
            return value;
        }
    }
}

ExprId ExpressionParser::method(ExprId value, const std::string& name, Position position) {
    std::vector<ExprId> children = {value};
    for (const ExprId argument : list_until(")"))
        children.push_back(argument);
    for (const Method& one : kMethods) {
        if (one.name != name) continue;
        if (children.size() != one.arguments + 1)
            TokenStream::wrong_at(position, name + " takes " + std::to_string(one.arguments) + " argument(s)");
        return add(position, {.kind = one.kind, .children = std::move(children)});
    }
    const auto function = function_named(name);
    if (!function || !info_of(*function).is_method)
        TokenStream::wrong_at(position,
                              "'" + name + "' is no method" + (function ? "; it is called as " + name + "(...)" : ""));
    return add(position, {.kind = Kind::call, .number = static_cast<int>(*function), .children = std::move(children)});
}

std::vector<ExprId> ExpressionParser::list_until(std::string_view end) {
    std::vector<ExprId> list;
    while (!in_.take(end)) {
        list.push_back(expression());
        if (!in_.peek().is(end)) in_.expect(",");
    }
    return list;
}

ExprId ExpressionParser::primary() {
    const Token& token = in_.peek();
    const Position position = token.position;
    if (token.kind == Token::Kind::string) return add(position, {.kind = Kind::string, .text = in_.string()});
    if (token.kind == Token::Kind::number) {
        std::int64_t number = 0;
        const char* end = token.text.data() + token.text.size();
        if (std::from_chars(token.text.data(), end, number).ec != std::errc())
            in_.wrong("a number within 64 bits is expected");
        in_.next();
        return add(position, {.kind = Kind::integer, .number = number});
    }
    if (in_.take("(")) {
        const ExprId inner = expression();
        in_.expect(")");
        return inner;
    }
    if (in_.take("[")) return add(position, {.kind = Kind::set, .children = list_until("]")});
    if (in_.take("{")) return record(position);
    if (in_.take("true")) return add(position, {.kind = Kind::boolean, .number = 1});
    if (in_.take("false")) return add(position, {.kind = Kind::boolean, .number = 0});
    if (token.is("?principal") || token.is("?resource"))
        in_.wrong("slots stand in the scope only: an expression is expected");
    if (token.kind != Token::Kind::name) in_.wrong("an expression is expected");
    if (in_.peek(1).is("::")) {
        Uid made = uid();
        return add(position, {.kind = Kind::entity, .text = std::move(made.type), .id = std::move(made.id)});
    }
    if (in_.peek(1).is("(")) return function(position);
    constexpr std::string_view kNames[] = {"principal", "action", "resource", "context"};
    for (unsigned i = 0; i < 4; ++i)
        if (in_.take(kNames[i])) return add(position, {.kind = Kind::variable, .number = i});
    in_.wrong("principal, action, resource or context is expected");
}

ExprId ExpressionParser::function(Position position) {
    const std::string name = in_.name();
    in_.expect("(");
    std::vector<ExprId> children = list_until(")");
    const auto function = function_named(name);
    if (!function || info_of(*function).is_method)
        TokenStream::wrong_at(position, "'" + name + "' is no function" +
                                            (function ? "; it is called as value." + name + "(...)" : ""));
    return add(position, {.kind = Kind::call, .number = static_cast<int>(*function), .children = std::move(children)});
}

ExprId ExpressionParser::record(Position position) {
    Expr made{.kind = Kind::record};
    std::set<std::string> seen;
    while (!in_.take("}")) {
        const Position at = in_.peek().position;
        std::string key;
        if (in_.peek().kind == Token::Kind::string) {
            key = in_.string();
        } else if (in_.peek().kind == Token::Kind::name) {
            key = std::string(in_.next().text);
        } else {
            in_.wrong("a key is expected");
        }
        in_.expect(":");
        if (!seen.insert(key).second) TokenStream::wrong_at(at, "the key " + string_literal(key) + " stands twice");
        made.keys.push_back(std::move(key));
        made.children.push_back(expression());
        if (!in_.peek().is("}")) in_.expect(",");
    }
    return add(position, std::move(made));
}

} // namespace aios::policy
