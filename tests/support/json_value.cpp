#include "tests/support/json_value.hpp"

#include <charconv>

#include "base/utf8.hpp"

namespace aios::test {

namespace {

constexpr int kMaxDepth = 64;

class Parser {
public:
    explicit Parser(std::string_view text) : rest_(text) {}

    std::optional<Json> document() {
        auto value = item(0);
        skip_space();
        if (!rest_.empty()) return std::nullopt;
        return value;
    }

private:
    void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

    bool take(std::string_view word) {
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }

    std::optional<Json> item(int depth) {
        skip_space();
        if (rest_.empty() || depth > kMaxDepth) return std::nullopt;
        if (take("null")) return Json();
        if (take("true")) return Json(true);
        if (take("false")) return Json(false);
        if (rest_[0] == '"') {
            auto text = string();
            return text ? std::optional<Json>(std::move(*text)) : std::nullopt;
        }
        if (take("[")) return array(depth);
        if (take("{")) return object(depth);
        return number();
    }

    std::optional<Json> array(int depth) {
        Json::Array out;
        skip_space();
        if (take("]")) return Json(std::move(out));
        while (true) {
            auto element = item(depth + 1);
            if (!element) return std::nullopt;
            out.push_back(std::move(*element));
            skip_space();
            if (take("]")) return Json(std::move(out));
            if (!take(",")) return std::nullopt;
        }
    }

    std::optional<Json> object(int depth) {
        Json::Object out;
        skip_space();
        if (take("}")) return Json(std::move(out));
        while (true) {
            skip_space();
            auto name = string();
            skip_space();
            if (!name || !take(":")) return std::nullopt;
            auto value = item(depth + 1);
            if (!value || !out.emplace(std::move(*name), std::move(*value)).second) return std::nullopt;
            skip_space();
            if (take("}")) return Json(std::move(out));
            if (!take(",")) return std::nullopt;
        }
    }

    std::optional<Json> number() {
        const std::string_view digits = rest_.substr(0, rest_.find_first_not_of("+-.0123456789eE"));
        const std::string_view whole = digits.starts_with('-') ? digits.substr(1) : digits;
        if (whole.empty() || whole[0] < '0' || whole[0] > '9') return std::nullopt;
        if (whole.size() > 1 && whole[0] == '0' && whole[1] >= '0' && whole[1] <= '9') return std::nullopt;
        // libc++ 19 has no from_chars for doubles.
        char* end = nullptr;
        const std::string copy(digits);
        const double value = std::strtod(copy.c_str(), &end);
        if (end != copy.c_str() + copy.size()) return std::nullopt;
        rest_.remove_prefix(digits.size());
        return Json(value);
    }

    std::optional<unsigned> hex4() {
        unsigned value = 0;
        if (rest_.size() < 4) return std::nullopt;
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + 4, value, 16);
        if (error != std::errc{} || end != rest_.data() + 4) return std::nullopt;
        rest_.remove_prefix(4);
        return value;
    }

    bool escape(std::string& out) {
        if (rest_.empty()) return false;
        const char c = rest_[0];
        rest_.remove_prefix(1);
        switch (c) {
        case '"':
        case '\\':
        case '/':
            out += c;
            return true;
        case 'b':
            out += '\b';
            return true;
        case 'f':
            out += '\f';
            return true;
        case 'n':
            out += '\n';
            return true;
        case 'r':
            out += '\r';
            return true;
        case 't':
            out += '\t';
            return true;
        case 'u':
            break;
        default:
            return false;
        }
        const auto unit = hex4();
        if (!unit) return false;
        char32_t code = *unit;
        if (code >= 0xd800 && code < 0xdc00) {
            if (!take("\\u")) return false;
            const auto low = hex4();
            if (!low || *low < 0xdc00 || *low > 0xdfff) return false;
            code = 0x10000 + ((code - 0xd800) << 10) + (*low - 0xdc00);
        } else if (code >= 0xdc00 && code < 0xe000) {
            return false;
        }
        char buffer[4];
        out.append(buffer, utf8::encode(code, buffer));
        return true;
    }

    std::optional<std::string> string() {
        if (!take("\"")) return std::nullopt;
        std::string out;
        while (!rest_.empty()) {
            if (take("\"")) return out;
            if (take("\\")) {
                if (!escape(out)) return std::nullopt;
                continue;
            }
            const utf8::Decoded next = utf8::decode(rest_);
            if (!next.valid || next.code_point < 0x20) return std::nullopt;
            out += rest_.substr(0, next.length);
            rest_.remove_prefix(next.length);
        }
        return std::nullopt;
    }

    std::string_view rest_;
};

const Json kNull;

} // namespace

std::optional<Json> Json::parse(std::string_view text) { return Parser(text).document(); }

Json::Json(Object value) : value_(std::make_shared<const Object>(std::move(value))) {}

bool Json::operator==(const Json& other) const {
    if (object() != nullptr && other.object() != nullptr) return *object() == *other.object();
    return value_ == other.value_;
}

const Json& Json::operator[](std::string_view name) const {
    const Object* members = object();
    if (members == nullptr) return kNull;
    const auto at = members->find(name);
    return at == members->end() ? kNull : at->second;
}

const Json& Json::operator[](std::size_t index) const {
    const Array* elements = array();
    return elements == nullptr || index >= elements->size() ? kNull : (*elements)[index];
}

std::size_t Json::size() const {
    if (array() != nullptr) return array()->size();
    return object() != nullptr ? object()->size() : 0;
}

} // namespace aios::test
