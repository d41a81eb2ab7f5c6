// JSON that comes from outside (RFC 8259): never trusted to have what it should. What is asked for and is not there, or is of
// another kind, is nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace aios::host {

// Discarded if it is no JSON.
[[nodiscard]] inline nlohmann::json parse_json(std::string_view text) {
    return nlohmann::json::parse(text, nullptr, false);
}

[[nodiscard]] inline const nlohmann::json* member(const nlohmann::json& of, const char* name) {
    if (!of.is_object()) return nullptr;
    const auto found = of.find(name);
    return found == of.end() || found->is_null() ? nullptr : &*found;
}

[[nodiscard]] inline std::string text_member(const nlohmann::json& of, const char* name) {
    const nlohmann::json* const found = member(of, name);
    return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

// A list of texts without NUL; empty if it is missing, nothing if it is something else.
[[nodiscard]] inline std::optional<std::vector<std::string>> texts_member(const nlohmann::json& of, const char* name) {
    std::vector<std::string> texts;
    const nlohmann::json* const found = member(of, name);
    if (found == nullptr) return texts;
    if (!found->is_array()) return std::nullopt;
    for (const nlohmann::json& text : *found) {
        if (!text.is_string() || text.get_ref<const std::string&>().contains('\0')) return std::nullopt;
        texts.push_back(text.get<std::string>());
    }
    return texts;
}

} // namespace aios::host
