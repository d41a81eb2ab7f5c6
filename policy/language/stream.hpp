// A run over the tokens of a text, for the parsers of policies and schemas. What is wrong is thrown as a Complaint; the
// public parse functions catch it.
#pragma once

#include "policy/language/lexer.hpp"

namespace aios::policy {

class TokenStream {
public:
    explicit TokenStream(std::string_view text) {
        auto tokens = tokens_of(text);
        if (!tokens) throw std::move(tokens.error());
        tokens_ = std::move(*tokens);
    }
    [[nodiscard]] const Token& peek(std::size_t ahead = 0) const {
        return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
    }
    const Token& next() {
        const Token& token = peek();
        if (at_ + 1 < tokens_.size()) ++at_;
        return token;
    }
    [[nodiscard]] bool at_end() const { return peek().kind == Token::Kind::end; }
    bool take(std::string_view sign_or_word) {
        if (!peek().is(sign_or_word)) return false;
        next();
        return true;
    }
    void expect(std::string_view sign_or_word) {
        if (!take(sign_or_word)) wrong("'" + std::string(sign_or_word) + "' is expected");
    }
    [[noreturn]] void wrong(const std::string& what) const {
        const Token& token = peek();
        const std::string found = token.kind == Token::Kind::end      ? "the text ends"
                                  : token.kind == Token::Kind::string ? "a string stands"
                                                                      : "'" + std::string(token.text) + "' stands";
        throw Complaint{token.position, what + ", but " + found + " here", {}};
    }
    [[noreturn]] static void wrong_at(Position position, std::string what) {
        throw Complaint{position, std::move(what), {}};
    }
    // A string literal without wildcards.
    std::string string() {
        if (peek().kind != Token::Kind::string) wrong("a string is expected");
        auto text = unescaped(next(), Wildcards::refused);
        if (!text) throw std::move(text.error());
        return std::move(*text);
    }
    // A word that is not reserved.
    std::string name() {
        if (peek().kind != Token::Kind::name || is_reserved(peek().text)) wrong("a name is expected");
        return std::string(next().text);
    }
    // a::b::c. Stops before a :: that a string follows.
    std::string path() {
        std::string text = path_part();
        while (peek().is("::") && peek(1).kind == Token::Kind::name) {
            next();
            text += "::" + path_part();
        }
        return text;
    }
    static bool is_reserved(std::string_view word) {
        for (const std::string_view one : {"true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar"})
            if (word == one) return true;
        return false;
    }

private:
    std::string path_part() {
        if (peek().is("__cedar")) return std::string(next().text); // only schemas have a use for it
        return name();
    }
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

} // namespace aios::policy
