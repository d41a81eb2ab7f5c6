// Values of the Cedar policy language (docs.cedarpolicy.com, "Data types"), as the evaluator handles them: two machine
// words, no ownership. What a value points to lies in the compiled policy, in the entity store, or in the arena of the
// evaluation, and outlives the value.
//
// Holds always: a set is sorted by compare() and holds nothing twice, a record is sorted by its keys, so that equality
// is element by element. Nesting is at most kMaxNesting deep: whoever makes values (Arena users, entity loaders) sees
// to it, so that compare() may recurse.
#pragma once

#include <compare>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/result.hpp"

namespace aios::policy {

inline constexpr unsigned kMaxNesting = 64;

struct EntityUid {
    std::string_view type; // with its namespace: "Photos::Album"
    std::string_view id;
    friend bool operator==(const EntityUid&, const EntityUid&) = default;
    friend auto operator<=>(const EntityUid&, const EntityUid&) = default;
};

// An address or a network. `bits`: 32 or 128; `prefix` at most that; an IPv4 address stands in the first four bytes.
struct IpNetwork {
    std::uint8_t address[16] = {};
    std::uint8_t prefix = 0;
    std::uint8_t bits = 32;
};

struct Field;

struct Value {
    enum class Kind : std::uint8_t { boolean, integer, string, entity, set, record, decimal, ip, datetime, duration };

    Kind kind = Kind::boolean;
    std::uint8_t nesting = 0; // sets and records: 1 + the deepest element's
    std::uint32_t count = 0;  // bytes of a string, elements of a set, fields of a record
    union {
        std::int64_t number = 0; // boolean 0 or 1; decimal in units of 1/10000; datetime and duration in milliseconds
        const char* characters;
        const EntityUid* uid;
        const Value* elements;
        const Field* fields;
        const IpNetwork* network;
    };

    static Value boolean(bool value) { return of_number(Kind::boolean, value ? 1 : 0); }
    static Value integer(std::int64_t value) { return of_number(Kind::integer, value); }
    static Value of_number(Kind kind, std::int64_t value) {
        Value made;
        made.kind = kind;
        made.number = value;
        return made;
    }
    static Value string(std::string_view text) {
        Value made;
        made.kind = Kind::string;
        made.count = static_cast<std::uint32_t>(text.size());
        made.characters = text.data();
        return made;
    }
    static Value entity(const EntityUid* uid) {
        Value made;
        made.kind = Kind::entity;
        made.uid = uid;
        return made;
    }
    static Value ip(const IpNetwork* network) {
        Value made;
        made.kind = Kind::ip;
        made.network = network;
        return made;
    }
    // `elements` is sorted and without repetition: canonical_set() makes it so.
    static Value set(std::span<const Value> elements, std::uint8_t nesting) {
        Value made;
        made.kind = Kind::set;
        made.nesting = nesting;
        made.count = static_cast<std::uint32_t>(elements.size());
        made.elements = elements.data();
        return made;
    }
    static Value record(std::span<const Field> fields, std::uint8_t nesting);

    [[nodiscard]] bool is_true() const { return kind == Kind::boolean && number != 0; }
    [[nodiscard]] std::string_view text() const { return {characters, count}; }
    [[nodiscard]] std::span<const Value> as_set() const { return {elements, count}; }
    [[nodiscard]] std::span<const Field> as_record() const;
};

struct Field {
    std::string_view key;
    Value value;
};

inline Value Value::record(std::span<const Field> fields, std::uint8_t nesting) {
    Value made;
    made.kind = Kind::record;
    made.nesting = nesting;
    made.count = static_cast<std::uint32_t>(fields.size());
    made.fields = fields.data();
    return made;
}
inline std::span<const Field> Value::as_record() const { return {fields, count}; }

// A total order over all values; equal exactly where Cedar's == is true.
[[nodiscard]] std::strong_ordering compare(const Value& a, const Value& b);
[[nodiscard]] inline bool equal(const Value& a, const Value& b) { return compare(a, b) == 0; }
// Sorts the elements and drops repetitions; answers how many are left.
[[nodiscard]] std::size_t canonical_set(std::span<Value> elements);
void sort_fields(std::span<Field> fields);
// nullptr: the record has no such field.
[[nodiscard]] const Value* find_field(std::span<const Field> fields, std::string_view key);
[[nodiscard]] bool contains(std::span<const Value> set, const Value& element);

} // namespace aios::policy
