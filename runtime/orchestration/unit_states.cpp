// Order of starts, restart decisions, order of stops. See unit_states.hpp.
#include "runtime/orchestration/unit_states.hpp"

#include <algorithm>

namespace aios::orchestration {
namespace {

bool is_running(UnitState state) {
    return state == UnitState::starting || state == UnitState::ready || state == UnitState::stopping;
}

} // namespace

bool RestartBudget::allow(std::uint64_t now_ns, std::uint64_t period_ns) {
    if (times_.empty()) return false;
    std::uint64_t& oldest = times_[count_ % times_.size()];
    if (count_ >= times_.size() && now_ns - oldest < period_ns) return false;
    oldest = now_ns;
    ++count_;
    return true;
}

std::size_t UnitStates::room_for(std::size_t units) {
    return Arena::room<Life>(units) + Arena::room<bool>(units) +
           (units + 1) * Arena::room<std::uint64_t>(kMaxIntensity);
}

Result<> UnitStates::init(const SystemDescription& description, Arena& arena) {
    description_ = &description;
    lives_ = TRY(arena.make<Life>(description.units.size()));
    affected_ = TRY(arena.make<bool>(description.units.size()));
    shared_budget_ = RestartBudget(TRY(arena.make<std::uint64_t>(description.intensity)));
    for (std::size_t i = 0; i < lives_.size(); ++i) {
        const Unit& unit = description.units[i];
        if (unit.essential || unit.restart == Restart::never) continue;
        lives_[i].budget = RestartBudget(TRY(arena.make<std::uint64_t>(description.intensity)));
    }
    return {};
}

bool UnitStates::needs_are_met(const Unit& unit) const {
    return std::ranges::all_of(unit.needs, [&](std::uint32_t need) {
        return lives_[need].state == UnitState::ready || lives_[need].state == UnitState::done;
    });
}

bool UnitStates::any_stopping() const {
    return std::ranges::any_of(lives_, [](const Life& life) { return life.state == UnitState::stopping; });
}

std::optional<std::size_t> UnitStates::next_to_start(std::uint64_t now_ns) const {
    if (any_stopping()) return {};
    for (std::size_t i = 0; i < lives_.size(); ++i) {
        if (lives_[i].state == UnitState::waiting && lives_[i].not_before_ns <= now_ns &&
            needs_are_met(description_->units[i]))
            return i;
    }
    return {};
}

std::uint64_t UnitStates::next_try_ns() const {
    std::uint64_t next = kNoDeadline;
    if (any_stopping()) return next;
    for (std::size_t i = 0; i < lives_.size(); ++i) {
        if (lives_[i].state == UnitState::waiting && needs_are_met(description_->units[i]))
            next = std::min(next, lives_[i].not_before_ns);
    }
    return next;
}

void UnitStates::ready(std::size_t unit) {
    if (lives_[unit].state == UnitState::starting) lives_[unit].state = UnitState::ready;
}

RestartBudget& UnitStates::budget_of(std::size_t unit) {
    return description_->units[unit].essential ? shared_budget_ : lives_[unit].budget;
}

// Units that run and that a restart of `unit` takes along are to stop. Who has not started, or is over, has nothing to
// restart.
void UnitStates::take_along(std::size_t unit) {
    std::ranges::fill(affected_, description_->strategy == Strategy::one_for_all);
    affected_[unit] = true;
    // rest_for_one: whoever needs an affected unit is affected. Each round but the last adds one, so this ends.
    bool grew = description_->strategy == Strategy::rest_for_one;
    while (grew) {
        grew = false;
        for (std::size_t i = 0; i < lives_.size(); ++i) {
            if (affected_[i]) continue;
            affected_[i] =
                std::ranges::any_of(description_->units[i].needs, [&](std::uint32_t need) { return affected_[need]; });
            grew = grew || affected_[i];
        }
    }
    for (std::size_t i = 0; i < lives_.size(); ++i) {
        if (i != unit && affected_[i] && is_running(lives_[i].state)) lives_[i].state = UnitState::stopping;
    }
}

Verdict UnitStates::over(std::size_t unit, Ending ending, std::uint64_t now_ns) {
    Life& life = lives_[unit];
    const Unit& description = description_->units[unit];
    // Nobody has relied yet on a unit that was not ready: its restart takes nobody along.
    const bool has_served = ending == Ending::well || ending == Ending::failed;
    const bool has_run = has_served || ending == Ending::unready;
    life.last_ending = ending;
    if (ending == Ending::lacking && last_end_ns_) {
        if (life.excused_until_ns == 0) life.excused_until_ns = *last_end_ns_ + kSettleTime;
        if (now_ns < life.excused_until_ns) {
            life.state = UnitState::waiting;
            life.not_before_ns = now_ns + kStartPause;
            return Verdict::carry_on;
        }
    }
    if (has_run) {
        life.excused_until_ns = 0;
        last_end_ns_ = now_ns;
    }
    const bool failed = ending != Ending::well;
    const bool wants_restart =
        description.restart == Restart::always || (description.restart == Restart::on_failure && failed);
    if (!wants_restart) {
        life.state = failed ? UnitState::failed : UnitState::done;
        return failed && description.essential ? Verdict::give_up : Verdict::carry_on;
    }
    std::uint64_t period = description_->period_ns;
    if (ending == Ending::unready) period += (description_->intensity + 1) * description.ready_timeout_ns;
    if (!budget_of(unit).allow(now_ns, period)) {
        life.state = UnitState::failed;
        return description.essential ? Verdict::give_up : Verdict::carry_on;
    }
    life.state = UnitState::waiting;
    life.not_before_ns = has_served ? now_ns : now_ns + kStartPause;
    if (has_served) take_along(unit);
    return Verdict::carry_on;
}

void UnitStates::gone(std::size_t unit, std::uint64_t now_ns) {
    last_end_ns_ = now_ns;
    lives_[unit].excused_until_ns = 0;
    if (lives_[unit].state == UnitState::stopping) lives_[unit].state = UnitState::waiting;
}

std::optional<UnitStates::Doomed> UnitStates::fail_next_doomed() {
    for (std::size_t i = 0; i < lives_.size(); ++i) {
        if (lives_[i].state != UnitState::waiting) continue;
        for (const std::uint32_t need : description_->units[i].needs) {
            if (lives_[need].state != UnitState::failed) continue;
            lives_[i].state = UnitState::failed;
            return Doomed{i, need};
        }
    }
    return {};
}

bool UnitStates::is_over() const {
    return std::ranges::all_of(
        lives_, [](const Life& life) { return life.state == UnitState::done || life.state == UnitState::failed; });
}

bool UnitStates::any_done() const {
    return std::ranges::any_of(lives_, [](const Life& life) { return life.state == UnitState::done; });
}

std::optional<std::size_t> UnitStates::next_to_stop() const {
    for (std::size_t i = lives_.size(); i-- > 0;) {
        if (!is_running(lives_[i].state)) continue;
        bool is_needed = false;
        for (std::size_t other = 0; other < lives_.size() && !is_needed; ++other) {
            is_needed =
                is_running(lives_[other].state) &&
                std::ranges::any_of(description_->units[other].needs, [&](std::uint32_t need) { return need == i; });
        }
        if (!is_needed) return i;
    }
    return {};
}

} // namespace aios::orchestration
