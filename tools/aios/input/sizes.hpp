// Sizes as they stand in unit files: "16M", "32M + 16 * $TEXT + 1K * $DOCUMENTS". A sum of products of whole numbers,
// which may end in K, M or G (binary), and of variables of the run. Pure functions.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>

namespace aios::host {

using Variables = std::map<std::string, std::uint64_t, std::less<>>;

// The value, or what is wrong, as part of a sentence.
[[nodiscard]] std::expected<std::uint64_t, std::string> evaluate_size(std::string_view text,
                                                                      const Variables& variables);

} // namespace aios::host
