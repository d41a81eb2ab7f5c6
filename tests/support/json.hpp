// A small JSON reader (RFC 8259) for test vectors: values as a tree, no writing, no \u escapes, integers only. It stops
// the test program on input that it does not understand.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace aios::test {

struct Json {
    std::string text; // of a string; "true", "false" or "null"
    std::int64_t number = 0;
    std::vector<Json> items;
    std::map<std::string, Json> members;

    const Json& operator[](const std::string& name) const {
        static const Json kMissing;
        const auto found = members.find(name);
        return found == members.end() ? kMissing : found->second;
    }
    [[nodiscard]] bool has(const std::string& name) const { return members.contains(name); }
    [[nodiscard]] bool is_true() const { return text == "true"; }
};

class JsonReader {
public:
    explicit JsonReader(std::string_view text) : text_(text) {}

    Json read() {
        Json value = value_at();
        skip_space();
        require(position_ == text_.size());
        return value;
    }

private:
    void require(bool condition) const {
        if (condition) return;
        std::fprintf(stderr, "JSON: unexpected text at offset %zu\n", position_);
        std::abort();
    }
    [[nodiscard]] char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }
    char next() {
        require(position_ < text_.size());
        return text_[position_++];
    }
    void skip_space() {
        while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t')
            ++position_;
    }
    bool take(char c) {
        skip_space();
        if (peek() != c) return false;
        ++position_;
        return true;
    }

    std::string string_at() {
        require(take('"'));
        std::string result;
        for (char c = next(); c != '"'; c = next()) {
            if (c == '\\') {
                c = next();
                require(c == '"' || c == '\\' || c == '/');
            }
            result += c;
        }
        return result;
    }

    Json value_at() {
        Json value;
        if (take('{')) {
            if (take('}')) return value;
            do {
                skip_space();
                std::string name = string_at();
                require(take(':'));
                value.members.emplace(std::move(name), value_at());
            } while (take(','));
            require(take('}'));
        } else if (take('[')) {
            if (take(']')) return value;
            do
                value.items.push_back(value_at());
            while (take(','));
            require(take(']'));
        } else if (peek() == '"') {
            value.text = string_at();
        } else if (peek() == '-' || (peek() >= '0' && peek() <= '9')) {
            const bool negative = take('-');
            while (peek() >= '0' && peek() <= '9')
                value.number = value.number * 10 + (next() - '0');
            if (negative) value.number = -value.number;
        } else {
            while (peek() >= 'a' && peek() <= 'z')
                value.text += next();
            require(value.text == "true" || value.text == "false" || value.text == "null");
        }
        return value;
    }

    std::string_view text_;
    std::size_t position_ = 0;
};

// The folder of shared test data: $AIOS_SHARED, else a folder "shared" beside the project, which is looked for from the
// current folder upwards. Empty if there is none.
inline std::string shared_folder() {
    if (const char* from_environment = std::getenv("AIOS_SHARED")) return from_environment;
    std::string folder = "../shared";
    for (int up = 0; up < 6; ++up, folder.insert(0, "../")) {
        if (std::ifstream(folder + "/vectors/README.md")) return folder;
    }
    return "";
}

// Reads `path` below the shared folder into `text`; false if it is not there.
inline bool read_shared(const std::string& path, std::string& text) {
    std::ifstream file(shared_folder() + "/" + path, std::ios::binary);
    if (!file) return false;
    text.assign(std::istreambuf_iterator<char>(file), {});
    return true;
}

} // namespace aios::test
