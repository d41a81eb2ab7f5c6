// See lexer.hpp.
#include "policy/language/lexer.hpp"

#include <optional>

namespace aios::policy {

namespace {

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text) {}

    std::expected<std::vector<Token>, Complaint> all() {
        std::vector<Token> tokens;
        for (;;) {
            skip_blanks();
            Token token;
            token.position = position_;
            if (at_ == text_.size()) {
                tokens.push_back(token);
                return tokens;
            }
            const std::size_t start = at_;
            const char c = text_[at_];
            if (starts_name(c)) {
                token.kind = Token::Kind::name;
                while (at_ < text_.size() && (starts_name(text_[at_]) || is_digit(text_[at_])))
                    advance();
                token.text = text_.substr(start, at_ - start);
            } else if (is_digit(c)) {
                token.kind = Token::Kind::number;
                while (at_ < text_.size() && is_digit(text_[at_]))
                    advance();
                token.text = text_.substr(start, at_ - start);
            } else if (c == '"') {
                token.kind = Token::Kind::string;
                if (!skip_string()) return std::unexpected(Complaint{token.position, "this string does not end", {}});
                token.text = text_.substr(start + 1, at_ - start - 2);
            } else {
                token.kind = Token::Kind::sign;
                const std::size_t length = sign_length();
                if (length == 0) {
                    return std::unexpected(Complaint{
                        token.position, "this character means nothing here: '" + std::string(1, c) + "'", {}});
                }
                for (std::size_t i = 0; i < length; ++i)
                    advance();
                token.text = text_.substr(start, length);
            }
            tokens.push_back(token);
        }
    }

private:
    void advance() {
        if (text_[at_] == '\n') {
            ++position_.line;
            position_.column = 1;
        } else if ((static_cast<unsigned char>(text_[at_]) & 0xc0) != 0x80) {
            ++position_.column;
        }
        ++at_;
    }
    void skip_blanks() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                advance();
            } else if (text_.substr(at_).starts_with("//")) {
                while (at_ < text_.size() && text_[at_] != '\n')
                    advance();
            } else {
                return;
            }
        }
    }
    bool skip_string() {
        advance();
        while (at_ < text_.size() && text_[at_] != '"') {
            if (text_[at_] == '\\') {
                advance();
                if (at_ == text_.size()) return false;
            }
            advance();
        }
        if (at_ == text_.size()) return false;
        advance();
        return true;
    }
    std::size_t sign_length() const {
        const std::string_view rest = text_.substr(at_);
        for (const std::string_view sign : {"?principal", "?resource"})
            if (rest.starts_with(sign)) return sign.size();
        for (const std::string_view sign : {"::", "==", "!=", "<=", ">=", "&&", "||"})
            if (rest.starts_with(sign)) return sign.size();
        return std::string_view("(){}[],;:.@<>!-+*?=").find(rest.front()) == std::string_view::npos ? 0 : 1;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    Position position_;
};

std::optional<unsigned> hex_value(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return std::nullopt;
}

void append_utf8(std::string& out, unsigned code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xc0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xe0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (code & 0x3f));
    } else {
        out += static_cast<char>(0xf0 | code >> 18);
        out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
        out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (code & 0x3f));
    }
}

// \u{...} with one to six digits: a Unicode scalar value. `rest` begins behind the u.
bool read_unicode(std::string_view& rest, std::string& out) {
    const std::size_t end = rest.find('}');
    if (!rest.starts_with('{') || end == std::string_view::npos || end < 2 || end > 7) return false;
    unsigned code = 0;
    for (const char c : rest.substr(1, end - 1)) {
        const auto digit = hex_value(c);
        if (!digit) return false;
        code = code * 16 + *digit;
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    append_utf8(out, code);
    rest.remove_prefix(end + 1);
    return true;
}

// \xHH, at most 7f. `rest` begins behind the x.
bool read_byte(std::string_view& rest, std::string& out) {
    if (rest.size() < 2) return false;
    const auto high = hex_value(rest[0]), low = hex_value(rest[1]);
    if (!high || !low || *high > 7) return false;
    out += static_cast<char>(*high * 16 + *low);
    rest.remove_prefix(2);
    return true;
}

} // namespace

std::expected<std::vector<Token>, Complaint> tokens_of(std::string_view text) { return Lexer(text).all(); }

std::expected<std::string, Complaint> unescaped(const Token& token, Wildcards wildcards) {
    std::string out;
    std::string_view rest = token.text;
    while (!rest.empty()) {
        const char c = rest.front();
        rest.remove_prefix(1);
        if (c == '*' && wildcards == Wildcards::allowed) {
            out += kWildcard;
            continue;
        }
        if (c != '\\') {
            out += c;
            continue;
        }
        const char escape = rest.front(); // the lexer saw to it that one follows
        rest.remove_prefix(1);
        bool known = true;
        switch (escape) {
        case 'n':
            out += '\n';
            break;
        case 'r':
            out += '\r';
            break;
        case 't':
            out += '\t';
            break;
        case '0':
            out += '\0';
            break;
        case '\\':
        case '\'':
        case '"':
            out += escape;
            break;
        case 'u':
            known = read_unicode(rest, out);
            break;
        case 'x':
            known = read_byte(rest, out);
            break;
        case '*':
            known = wildcards == Wildcards::allowed;
            out += '*';
            break;
        default:
            known = false;
        }
        if (!known)
            return std::unexpected(
                Complaint{token.position, std::string("this string has an escape that is not known: \\") + escape, {}});
    }
    return out;
}

} // namespace aios::policy
