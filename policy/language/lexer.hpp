// Words of Cedar's policy and schema languages (docs.cedarpolicy.com, "Grammar").
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "policy/language/ast.hpp"

namespace aios::policy {

struct Token {
    enum class Kind : std::uint8_t { name, number, string, sign, end };
    Kind kind = Kind::end;
    std::string_view text; // of a string: what stands between the quotes, escapes unread
    Position position;
    [[nodiscard]] bool is(std::string_view sign_or_word) const {
        return (kind == Kind::sign || kind == Kind::name) && text == sign_or_word;
    }
};

// The tokens of `text`, closed by one of Kind::end, or what is wrong.
std::expected<std::vector<Token>, Complaint> tokens_of(std::string_view text);

enum class Wildcards : bool { refused, allowed };
// The characters that a string token stands for; with wildcards, * is kWildcard and \* a star.
std::expected<std::string, Complaint> unescaped(const Token& token, Wildcards wildcards);

} // namespace aios::policy
