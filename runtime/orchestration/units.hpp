// Units: the programs that initd and agentsupervisor start, watch, restart and stop. This file decodes their
// description (CBOR, see system-description in abi/messages.cddl), orders them by what they need, and decides restarts.
// No allocation, no system calls: the same code runs in initd (which has no C library), in agentsupervisor and in host
// tests.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "abi/call_types.hpp"
#include "base/result.hpp"
#include "base/static_vector.hpp"
#include "base/types.hpp"

namespace aios::orchestration {

inline constexpr std::size_t kMaxUnits = 32;
inline constexpr std::size_t kMaxArguments = 16;
inline constexpr std::size_t kMaxGrants = 16;
inline constexpr std::uint64_t kDescriptionVersion = 1;

enum class Strategy : std::uint8_t { one_for_one = 0, one_for_all = 1, rest_for_one = 2 };
enum class Restart : std::uint8_t { never = 0, on_failure = 1, always = 2 };

using UnitMask = std::uint32_t; // bit i = unit i
static_assert(kMaxUnits <= 32);

struct Grant { // of the parent's handle with this role, reduced to these rights
    std::uint32_t role;
    std::uint32_t rights;
};

struct Unit { // texts lie in the description's bytes
    std::string_view name;
    std::string_view program;
    StaticVector<std::string_view, kMaxArguments> arguments;
    UnitMask needs = 0;
    StaticVector<Grant, kMaxGrants> grants;
    QuotaGrant quota{};
    std::uint32_t cpu_weight = 100;
    PersonalityKind personality = PersonalityKind::linux_abi;
    Restart restart = Restart::never;
    bool sends_ready = false; // false: counts as ready once it is started
    bool essential = false;   // when it has failed for good, so has the whole
};

struct SystemDescription {
    Strategy strategy = Strategy::one_for_one;
    std::uint32_t intensity = 0;    // restarts allowed ...
    std::uint64_t period_ns = 0;    // ... within this time
    std::uint64_t region_bytes = 0; // size of the memory region that initd makes; 0 = none
    StaticVector<Unit, kMaxUnits> units;

    // Decodes `bytes`, which must outlive the description. On failure `why` (if given) holds a sentence that names the
    // unit: bad_format, too_large, not_found (a need that no unit has), already_exists (a name twice), bad_argument (a
    // cycle).
    static Result<> decode(Bytes bytes, SystemDescription& out, std::span<char> why, std::string_view& sentence);
};

// Names a unit on a cycle of needs, or nothing.
[[nodiscard]] const Unit* find_cycle(const SystemDescription& description);

enum class UnitState : std::uint8_t { waiting, starting, ready, restarting, stopped, failed };

// The life of the units, as a pure state machine: the owner starts what next_to_start() names and reports what happens.
class UnitStates {
public:
    explicit UnitStates(const SystemDescription& description) : description_(description) {}

    // A unit that may start now (all it needs is ready), or kMaxUnits. The owner starts it and calls started(), and
    // ready() when it is: on its message, or, where it sends none, when it runs.
    [[nodiscard]] std::size_t next_to_start() const;
    void started(std::size_t unit) { states_[unit] = UnitState::starting; }
    void ready(std::size_t unit);
    void not_started(std::size_t unit); // the start did not work out; it is tried again

    // A unit ended. Answers what is to be done about it.
    struct Decision {
        UnitMask restart = 0; // these run and are to be ended; then the owner calls gone(), and they start again
        bool give_up = false; // too many restarts, or an essential unit is gone: the whole has failed
    };
    Decision ended(std::size_t unit, bool failed, std::uint64_t now_ns);
    void gone(std::size_t unit); // one that was to be ended for a restart has ended

    [[nodiscard]] UnitState state(std::size_t unit) const { return states_[unit]; }
    [[nodiscard]] bool all_ready() const;
    // The running unit to stop next when everything ends: one that no running unit needs; kMaxUnits when none runs.
    [[nodiscard]] std::size_t next_to_stop() const;
    void stopped(std::size_t unit) { states_[unit] = UnitState::stopped; }

private:
    [[nodiscard]] UnitMask affected_by(std::size_t unit) const;
    bool allow_restart(std::uint64_t now_ns);
    static constexpr std::size_t kMaxIntensity = 64;
    const SystemDescription& description_;
    UnitState states_[kMaxUnits]{};
    std::uint64_t restarts_[kMaxIntensity]{}; // times of the last restarts, a ring
    std::size_t restart_count_ = 0;
};

} // namespace aios::orchestration
