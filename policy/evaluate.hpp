// The authoriser: evaluates every policy of a compiled set for one request, and decides (docs.cedarpolicy.com,
// "Authorization"): a satisfied `forbid` denies; else a satisfied `permit` allows; else denied. A policy that errs is
// not satisfied.
//
// Allocates nothing: values live on a stack and in an arena that the caller gives, and that are reused for each policy.
// The work is bounded by `budget`: one unit for an instruction and for each element that it looks at.
#pragma once

#include "policy/extension.hpp"
#include "policy/program.hpp"
#include "policy/value.hpp"

namespace aios::policy {

struct Entity {
    EntityUid uid;
    Value attributes = Value::record({}, 1);
    Value tags = Value::record({}, 1);
    std::span<const EntityUid> ancestors; // all of them, sorted
};

// All entities that a request may meet, sorted by uid, none twice.
class Entities {
public:
    Entities() = default;
    explicit Entities(std::span<const Entity> sorted) : sorted_(sorted) {}
    [[nodiscard]] const Entity* find(const EntityUid& uid) const;
    // Whether `inner` is `outer` or below it.
    [[nodiscard]] bool is_in(const EntityUid& inner, const EntityUid& outer) const;

private:
    std::span<const Entity> sorted_;
};

struct Request {
    EntityUid principal, action, resource;
    Value context = Value::record({}, 1);
};

// What became of one policy.
enum class Verdict : std::uint8_t {
    not_satisfied,
    satisfied,
    type_error,        // an operator met a value that it is not defined for
    missing_attribute, // of a record or entity that exists
    missing_entity,    // an attribute or tag of an entity that does not exist
    missing_tag,
    overflow,
    bad_text, // a constructor of an extension type refused its text
};
[[nodiscard]] inline bool is_error(Verdict verdict) { return verdict >= Verdict::type_error; }
[[nodiscard]] std::string_view sentence_of(Verdict verdict);

struct Workspace {
    std::span<Value> stack;
    std::span<std::byte> arena; // aligned to 16 bytes
    std::uint64_t budget = 0;   // units for the whole request; counted down
};

// The verdicts of all policies into `verdicts` (as many as the program has). false: denied.
// buffer_small: stack or arena were too small; too_large: the budget is used up, or values are nested too deeply;
// bad_format: the program is damaged. Whoever asked denies then.
Result<bool> authorize(const Program& program, const Entities& entities, const Request& request, Workspace& workspace,
                       std::span<Verdict> verdicts);

} // namespace aios::policy
