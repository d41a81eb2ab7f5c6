// The resources of abi/resources.def as types: numbers, kinds, names.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace aios {

enum class Resource : std::uint8_t {
#define RESOURCE(name, number, field, kind, unit, sentence) name = (number),
#include "abi/resources.def"
#undef RESOURCE
};

// held: comes back when what it was taken for is gone. spent: never comes back; it is first held, then settled.
enum class ResourceKind : std::uint8_t { held, spent };

struct ResourceRow {
    Resource resource;
    ResourceKind kind;
    std::string_view name, field, unit;
};

inline constexpr ResourceRow kResources[] = {
// by number
#define RESOURCE(name, number, field, kind, unit, sentence) {Resource::name, ResourceKind::kind, #name, #field, unit},
#include "abi/resources.def"
#undef RESOURCE
};
inline constexpr unsigned kResourceCount = std::size(kResources);
// Room in every array of amounts that crosses the border: a resource that is added takes a place that was always there.
inline constexpr unsigned kMaxResources = 16;
static_assert(kResourceCount < kMaxResources);
static_assert([] {
    for (unsigned i = 0; i < kResourceCount; ++i)
        if (static_cast<unsigned>(kResources[i].resource) != i) return false;
    return true;
}());

[[nodiscard]] constexpr ResourceKind kind_of(Resource resource) {
    return kResources[static_cast<unsigned>(resource)].kind;
}

// The spent ones, in the order of their numbers.
inline constexpr unsigned kSpentCount = [] {
    unsigned count = 0;
    for (const ResourceRow& row : kResources)
        count += row.kind == ResourceKind::spent ? 1 : 0;
    return count;
}();
inline constexpr auto kSpentResources = [] {
    std::array<Resource, kSpentCount> spent{};
    unsigned count = 0;
    for (const ResourceRow& row : kResources)
        if (row.kind == ResourceKind::spent) spent[count++] = row.resource;
    return spent;
}();

} // namespace aios
