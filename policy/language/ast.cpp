// The pool of expressions, and how uids are written. See ast.hpp.
#include "policy/language/ast.hpp"

#include <algorithm>
#include <cstdio>

namespace aios::policy {

std::string string_literal(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof(escape), "\\u{%x}", static_cast<unsigned>(c));
            out += escape;
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string Uid::text() const { return type + "::" + string_literal(id); }

ExprId ExprPool::add(Expr expr) {
    const auto [at, is_new] = known_.try_emplace(std::move(expr), static_cast<ExprId>(nodes_.size()));
    if (is_new) {
        unsigned depth = 0;
        for (const ExprId child : at->first.children)
            depth = std::max(depth, depths_[child]);
        depths_.push_back(depth + 1);
        nodes_.push_back(at->first);
    }
    return at->second;
}

} // namespace aios::policy
