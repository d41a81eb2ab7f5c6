// How this program prints JSON (RFC 8259): members in the order in which they were put in, indented by two, UTF-8.
// Strings may be any bytes, because agents and file names are: what is not UTF-8 becomes U+FFFD.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace aios::host {

[[nodiscard]] inline std::string json_text(const nlohmann::ordered_json& value) {
    return value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

} // namespace aios::host
