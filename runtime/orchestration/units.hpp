// Units: the programs that initd and agentsupervisor start, watch, restart and stop. This file decodes their
// description (CBOR, see system-description in abi/messages.cddl) and checks it: names are unique, needs exist and lead
// to no cycle. No allocation, no system calls: the same code runs in initd (which has no C library), in agentsupervisor
// and in host tests. Tables lie in the caller's arena, so their number follows from the description alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "abi/call_types.hpp"
#include "base/result.hpp"
#include "base/static_vector.hpp"
#include "base/types.hpp"
#include "runtime/orchestration/arena.hpp"

namespace aios::orchestration {

inline constexpr std::size_t kMaxUnits = 4096; // against nonsense: memory and the parent's quota come first
inline constexpr std::size_t kMaxArguments = 16;
inline constexpr std::size_t kMaxGrants = 16;
inline constexpr std::size_t kMaxOfferGrants = 16;
inline constexpr std::size_t kMaxIntensity = 64;
inline constexpr std::uint64_t kUsualReadyTimeout = 30; // seconds
inline constexpr std::uint64_t kMaxReadyTimeout = 86'400;

enum class Strategy : std::uint8_t { one_for_one = 0, one_for_all = 1, rest_for_one = 2 };
enum class Restart : std::uint8_t { never = 0, on_failure = 1, always = 2 };

struct Grant { // of the parent's handle with this role, reduced to these rights
    std::uint32_t role;
    std::uint32_t rights;
};

struct Unit { // texts lie in the description's bytes
    std::string_view name;
    std::string_view program;
    StaticVector<std::string_view, kMaxArguments> arguments;
    std::span<std::uint32_t> needs; // indices of units
    StaticVector<Grant, kMaxGrants> grants;
    StaticVector<std::string_view, kMaxOfferGrants> offers; // intents that it may offer: runtime/security/offers.hpp
    QuotaGrant quota{};
    std::uint32_t cpu_weight = 100;
    std::optional<AgentHint> hint; // that it is given, and may not change; none: it says itself
    PersonalityKind personality = PersonalityKind::linux_abi;
    Restart restart = Restart::never;
    bool sends_ready = false; // false: counts as ready once it is started
    bool essential = false;   // when it has failed for good, so has the whole
    std::uint64_t ready_timeout_ns = kUsualReadyTimeout * 1'000'000'000; // for "ready", from when it may run
};

struct SystemDescription {
    Strategy strategy = Strategy::one_for_one;
    std::uint32_t intensity = 0;    // restarts allowed ...
    std::uint64_t period_ns = 0;    // ... within this time
    std::uint64_t region_bytes = 0; // size of the memory region that initd makes; 0 = none
    std::span<Unit> units;

    // How many units `bytes` announces; bad_format, too_large.
    static Result<std::size_t> count_units(Bytes bytes);
    // The room that decode() takes from its arena at most.
    static std::size_t room_for(std::size_t units, Bytes bytes);
    // Decodes `bytes`, which must outlive the description. On failure `sentence` (in `why`) names the unit: bad_format,
    // too_large, no_space, not_found (a need that no unit has), already_exists (a name twice), bad_argument (a cycle).
    static Result<> decode(Bytes bytes, Arena& arena, SystemDescription& out, std::span<char> why,
                           std::string_view& sentence);
};

} // namespace aios::orchestration
