// The life of units: start order, restart decisions (one_for_one, one_for_all, rest_for_one; intensity and period),
// stop order.
#include "runtime/orchestration/units.hpp"

namespace aios::orchestration {
namespace {

constexpr UnitMask bit(std::size_t unit) { return UnitMask{1} << unit; }
bool is_running(UnitState state) { return state == UnitState::starting || state == UnitState::ready; }

} // namespace

std::size_t UnitStates::next_to_start() const {
    for (std::size_t i = 0; i < description_.units.size(); ++i) {
        if (states_[i] != UnitState::waiting) continue;
        bool needs_are_ready = true;
        for (std::size_t need = 0; need < description_.units.size(); ++need) {
            if ((description_.units[i].needs & bit(need)) != 0 && states_[need] != UnitState::ready)
                needs_are_ready = false;
        }
        if (needs_are_ready) return i;
    }
    return kMaxUnits;
}

void UnitStates::ready(std::size_t unit) {
    if (states_[unit] == UnitState::starting) states_[unit] = UnitState::ready;
}

void UnitStates::not_started(std::size_t unit) {
    if (states_[unit] == UnitState::starting) states_[unit] = UnitState::waiting;
}

bool UnitStates::all_ready() const {
    for (std::size_t i = 0; i < description_.units.size(); ++i) {
        if (states_[i] != UnitState::ready) return false;
    }
    return true;
}

// Units that a restart of `unit` takes along.
UnitMask UnitStates::affected_by(std::size_t unit) const {
    const std::size_t count = description_.units.size();
    switch (description_.strategy) {
    case Strategy::one_for_one:
        return bit(unit);
    case Strategy::one_for_all:
        return count == kMaxUnits ? ~UnitMask{0} : bit(count) - 1;
    case Strategy::rest_for_one: { // the unit and all that need it, directly or through others
        UnitMask affected = bit(unit);
        for (std::size_t round = 0; round < count; ++round) {
            for (std::size_t i = 0; i < count; ++i) {
                if ((description_.units[i].needs & affected) != 0) affected |= bit(i);
            }
        }
        return affected;
    }
    }
    return bit(unit);
}

// At most `intensity` restarts within the last `period`.
bool UnitStates::allow_restart(std::uint64_t now_ns) {
    const std::size_t intensity = description_.intensity < kMaxIntensity ? description_.intensity : kMaxIntensity;
    if (intensity == 0) return false;
    if (restart_count_ >= intensity) {
        const std::uint64_t oldest = restarts_[(restart_count_ - intensity) % kMaxIntensity];
        if (now_ns - oldest < description_.period_ns) return false;
    }
    restarts_[restart_count_ % kMaxIntensity] = now_ns;
    ++restart_count_;
    return true;
}

UnitStates::Decision UnitStates::ended(std::size_t unit, bool failed, std::uint64_t now_ns) {
    Decision decision;
    const Unit& description = description_.units[unit];
    const bool wants_restart =
        description.restart == Restart::always || (description.restart == Restart::on_failure && failed);
    if (!wants_restart) {
        states_[unit] = failed ? UnitState::failed : UnitState::stopped;
        decision.give_up = failed && description.essential;
        return decision;
    }
    if (!allow_restart(now_ns)) {
        states_[unit] = UnitState::failed;
        decision.give_up = true;
        return decision;
    }
    states_[unit] = UnitState::waiting;
    const UnitMask affected = affected_by(unit) & ~bit(unit);
    for (std::size_t i = 0; i < description_.units.size(); ++i) {
        if ((affected & bit(i)) == 0 || !is_running(states_[i])) continue; // not started, or over: nothing to restart
        states_[i] = UnitState::restarting;
        decision.restart |= bit(i);
    }
    return decision;
}

void UnitStates::gone(std::size_t unit) {
    if (states_[unit] == UnitState::restarting) states_[unit] = UnitState::waiting;
}

std::size_t UnitStates::next_to_stop() const {
    for (std::size_t i = description_.units.size(); i-- > 0;) {
        if (!is_running(states_[i])) continue;
        bool is_needed = false;
        for (std::size_t other = 0; other < description_.units.size(); ++other) {
            if (is_running(states_[other]) && (description_.units[other].needs & bit(i)) != 0) is_needed = true;
        }
        if (!is_needed) return i;
    }
    return kMaxUnits;
}

} // namespace aios::orchestration
