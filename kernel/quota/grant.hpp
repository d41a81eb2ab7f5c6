// Amounts as they come from a program, and what of them is spent for good. Pure functions.
#pragma once

#include <algorithm>

#include "abi/call_types.hpp"
#include "base/result.hpp"

namespace aios {

// What `said` means to this kernel: values that its writer does not count are zeros. unsupported: another version, or an
// amount of a resource that is not known here; too_large: more values than there is room for.
[[nodiscard]] constexpr Result<QuotaGrant> understood(const QuotaGrant& said) {
    if (said.version != QuotaGrant::kVersion) return fail(Error::unsupported);
    if (said.count > kMaxResources) return fail(Error::too_large);
    QuotaGrant grant;
    for (unsigned number = 0; number < said.count; ++number) {
        const std::uint64_t amount = said.value(number);
        if (number < kResourceCount)
            grant.set(static_cast<Resource>(number), amount);
        else if (amount != 0)
            return fail(Error::unsupported);
    }
    return grant;
}

// Amounts of the spent resources, in the order of kSpentResources.
struct SpentAmounts {
    std::uint64_t of[kSpentCount] = {};
    [[nodiscard]] constexpr bool is_nothing() const {
        return std::ranges::all_of(of, [](std::uint64_t amount) { return amount == 0; });
    }
    bool operator==(const SpentAmounts&) const = default;
};

[[nodiscard]] constexpr SpentAmounts spent_part(const QuotaGrant& grant) {
    SpentAmounts amounts;
    for (unsigned i = 0; i < kSpentCount; ++i)
        amounts.of[i] = grant.value(kSpentResources[i]);
    return amounts;
}
[[nodiscard]] constexpr bool has_held_part(const QuotaGrant& grant) {
    return std::ranges::any_of(kResources, [&](const ResourceRow& row) {
        return row.kind == ResourceKind::held && grant.value(row.resource) != 0;
    });
}

} // namespace aios
