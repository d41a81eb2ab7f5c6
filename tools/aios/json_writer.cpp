#include "tools/aios/json_writer.hpp"

#include <cassert>
#include <cmath>
#include <format>

#include "tools/aios/text.hpp"

namespace aios::host {

void JsonWriter::new_line() {
    out_ += '\n';
    out_.append(2 * levels_.size(), ' ');
}

void JsonWriter::before_item() {
    if (after_key_) {
        after_key_ = false;
        return;
    }
    if (levels_.empty()) return;
    assert(levels_.back().close == ']' && "a member of an object needs a key");
    if (!levels_.back().empty) out_ += ',';
    levels_.back().empty = false;
    new_line();
}

JsonWriter& JsonWriter::open(char bracket) {
    before_item();
    out_ += bracket;
    levels_.push_back({bracket == '{' ? '}' : ']', true});
    return *this;
}

JsonWriter& JsonWriter::end() {
    assert(!levels_.empty() && !after_key_);
    const Level level = levels_.back();
    levels_.pop_back();
    if (!level.empty) new_line();
    out_ += level.close;
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    assert(!levels_.empty() && levels_.back().close == '}' && !after_key_);
    if (!levels_.back().empty) out_ += ',';
    levels_.back().empty = false;
    new_line();
    out_ += json_quoted(name);
    out_ += ": ";
    after_key_ = true;
    return *this;
}

JsonWriter& JsonWriter::scalar(std::string_view text) {
    before_item();
    out_ += text;
    return *this;
}

JsonWriter& JsonWriter::string(std::string_view bytes) { return scalar(json_quoted(bytes)); }

JsonWriter& JsonWriter::number(std::uint64_t value) { return scalar(std::to_string(value)); }

JsonWriter& JsonWriter::real(double value) {
    assert(std::isfinite(value));
    return scalar(std::format("{}", value));
}

JsonWriter& JsonWriter::boolean(bool value) { return scalar(value ? "true" : "false"); }
JsonWriter& JsonWriter::null() { return scalar("null"); }

std::string JsonWriter::finish() && {
    assert(levels_.empty() && !after_key_);
    return std::move(out_) + "\n";
}

std::string json_quoted(std::string_view bytes) {
    std::string out = "\"";
    for (const char c : to_utf8(bytes)) {
        switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            if (static_cast<unsigned char>(c) < 0x20)
                out += std::format("\\u{:04x}", static_cast<unsigned>(c));
            else
                out += c;
        }
    }
    return out + "\"";
}

} // namespace aios::host
