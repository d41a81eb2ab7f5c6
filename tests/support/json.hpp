// Test vectors in JSON, as a tree in which what is missing reads as empty; and where the shared test data lies.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

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

// Stops the test program on text that is no JSON.
inline Json tree_of(const nlohmann::json& from) {
    Json value;
    if (from.is_object()) {
        for (const auto& [name, member] : from.items())
            value.members.emplace(name, tree_of(member));
    } else if (from.is_array()) {
        for (const auto& item : from)
            value.items.push_back(tree_of(item));
    } else if (from.is_string()) {
        value.text = from.get<std::string>();
    } else if (from.is_number_integer()) {
        value.number = from.get<std::int64_t>();
    } else {
        value.text = from.dump();
    }
    return value;
}

inline Json read_json(std::string_view text) { return tree_of(nlohmann::json::parse(text)); }

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
