// Placement: finding room between areas; see area.hpp.
#include "kernel/mm/area.hpp"

#include <algorithm>

namespace aios::mm {

std::uint64_t AreaSet::reserved_start(const Area& area) {
    if (!area.grows_down) return area.start;
    const std::uint64_t lowest = area.end > kMaxStackGrowth ? area.end - kMaxStackGrowth : 0;
    const std::uint64_t start = std::min(area.start, lowest);
    return start > kStackGap ? start - kStackGap : 0;
}

std::optional<std::uint64_t> AreaSet::find_gap(std::uint64_t bytes, std::uint64_t floor, std::uint64_t below) const {
    if (below <= floor || bytes > below - floor) return std::nullopt;
    std::uint64_t end = below; // of the gap looked at
    const Area* above = tree_.lower_bound(below);
    if (above != nullptr) end = std::min(end, reserved_start(*above));
    for (const Area* area = tree_.last_not_after(below - 1);; area = tree_.previous(*area)) {
        const std::uint64_t start = area == nullptr ? floor : std::max(floor, area->end);
        if (end > start && end - start >= bytes) return end - bytes;
        if (area == nullptr || area->start <= floor) return std::nullopt;
        end = std::min(end, reserved_start(*area));
    }
}

} // namespace aios::mm
