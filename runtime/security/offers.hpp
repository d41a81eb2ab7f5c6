// What an agent may offer: a list of intent names and namespaces that its deployment gave it ("offers" of its unit).
// "question.answer" is that intent, "question.*" all whose name starts with "question.", "*" everything. Pure.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace aios::security {

// A list of this many names at most, each as long as an intent's name at most.
inline constexpr std::size_t kMaxOfferGrants = 16;

[[nodiscard]] constexpr bool covers(std::string_view grant, std::string_view intent) {
    if (grant == "*") return true;
    if (!grant.ends_with(".*")) return !grant.empty() && grant == intent;
    const std::string_view space = grant.substr(0, grant.size() - 1); // with its dot
    return space.size() > 1 && intent.size() > space.size() && intent.starts_with(space);
}

[[nodiscard]] inline bool may_offer(std::span<const std::string> grants, std::string_view intent) {
    return std::ranges::any_of(grants, [&](const std::string& grant) { return covers(grant, intent); });
}

// Whether whoever holds `grants` may give `wanted` on: an intent, or a namespace that lies in one of its own.
[[nodiscard]] inline bool may_pass_on(std::span<const std::string> grants, std::string_view wanted) {
    if (wanted == "*") return std::ranges::contains(grants, wanted);
    return may_offer(grants, wanted);
}

} // namespace aios::security
