// Writes JSON (RFC 8259): UTF-8, indented, numbers that any reader can hold. Strings may be any bytes: what is not
// UTF-8 becomes U+FFFD. Calls must be well nested; a call out of place is a programming error and asserts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aios::host {

class JsonWriter {
public:
    JsonWriter& object() { return open('{'); }
    JsonWriter& array() { return open('['); }
    JsonWriter& end();
    JsonWriter& key(std::string_view name);
    JsonWriter& string(std::string_view bytes);
    JsonWriter& number(std::uint64_t value); // above 2^53 - 1: the nearest double is what most readers see
    JsonWriter& real(double value);          // finite
    JsonWriter& boolean(bool value);
    JsonWriter& null();

    // The text, once everything is closed.
    [[nodiscard]] std::string finish() &&;

private:
    struct Level {
        char close;
        bool empty;
    };
    JsonWriter& open(char bracket);
    JsonWriter& scalar(std::string_view text);
    void before_item();
    void new_line();

    std::string out_;
    std::vector<Level> levels_;
    bool after_key_ = false;
};

// `bytes` as a JSON string with its quotes.
[[nodiscard]] std::string json_quoted(std::string_view bytes);

} // namespace aios::host
