// Order, equality and search of policy values. See value.hpp.
#include "policy/value.hpp"

#include <algorithm>

namespace aios::policy {

namespace {

std::strong_ordering compare_networks(const IpNetwork& a, const IpNetwork& b) {
    if (const auto order = a.bits <=> b.bits; order != 0) return order;
    if (const int order = std::memcmp(a.address, b.address, sizeof(a.address)); order != 0) return order <=> 0;
    return a.prefix <=> b.prefix;
}

std::strong_ordering compare_sets(std::span<const Value> a, std::span<const Value> b) {
    if (const auto order = a.size() <=> b.size(); order != 0) return order;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (const auto order = compare(a[i], b[i]); order != 0) return order;
    return std::strong_ordering::equal;
}

std::strong_ordering compare_records(std::span<const Field> a, std::span<const Field> b) {
    if (const auto order = a.size() <=> b.size(); order != 0) return order;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (const auto order = a[i].key <=> b[i].key; order != 0) return order;
        if (const auto order = compare(a[i].value, b[i].value); order != 0) return order;
    }
    return std::strong_ordering::equal;
}

} // namespace

std::strong_ordering compare(const Value& a, const Value& b) {
    if (const auto order = a.kind <=> b.kind; order != 0) return order;
    switch (a.kind) {
    case Value::Kind::boolean:
    case Value::Kind::integer:
    case Value::Kind::decimal:
    case Value::Kind::datetime:
    case Value::Kind::duration:
        return a.number <=> b.number;
    case Value::Kind::string:
        return a.text() <=> b.text();
    case Value::Kind::entity:
        return *a.uid <=> *b.uid;
    case Value::Kind::ip:
        return compare_networks(*a.network, *b.network);
    case Value::Kind::set:
        return compare_sets(a.as_set(), b.as_set());
    case Value::Kind::record:
        return compare_records(a.as_record(), b.as_record());
    }
    return std::strong_ordering::equal;
}

std::size_t canonical_set(std::span<Value> elements) {
    std::sort(elements.begin(), elements.end(), [](const Value& a, const Value& b) { return compare(a, b) < 0; });
    const auto end = std::unique(elements.begin(), elements.end(), equal);
    return static_cast<std::size_t>(end - elements.begin());
}

void sort_fields(std::span<Field> fields) {
    std::sort(fields.begin(), fields.end(), [](const Field& a, const Field& b) { return a.key < b.key; });
}

const Value* find_field(std::span<const Field> fields, std::string_view key) {
    const auto at = std::lower_bound(fields.begin(), fields.end(), key,
                                     [](const Field& field, std::string_view wanted) { return field.key < wanted; });
    return at != fields.end() && at->key == key ? &at->value : nullptr;
}

bool contains(std::span<const Value> set, const Value& element) {
    return std::binary_search(set.begin(), set.end(), element,
                              [](const Value& a, const Value& b) { return compare(a, b) < 0; });
}

} // namespace aios::policy
