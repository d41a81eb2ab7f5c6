// The life of units, as a pure state machine: the owner does what it says and reports what happened. It decides the
// order of starts and stops, restarts (one_for_one, one_for_all, rest_for_one) and when the whole has failed.
//
// What always holds:
//  - A unit starts only when all that it needs is ready or has ended well, and while no unit is being stopped for a
//    restart: so the members of one restart start afresh together.
//  - Every start that follows an end counts against a budget: at most `intensity` within `period`. Essential units
//    share one budget, and when it is used up the whole has failed. Every other unit has a budget of its own, and
//    never ends the whole.
//  - The time for which a unit was waited for in vain does not count towards the period: so one that never becomes
//    ready fails for good after `intensity` restarts, however long each of them was waited for.
//  - A unit that can never start, because one that it needs has failed for good, has failed too.
#pragma once

#include <optional>

#include "runtime/orchestration/units.hpp"

namespace aios::orchestration {

enum class UnitState : std::uint8_t {
    waiting,  // for what it needs, or for the time of its next try
    starting, // not ready yet
    ready,
    stopping, // is to be ended, for a restart that another unit's end has caused; then it waits again
    done,     // ended well and is not restarted: who needs it has what it needs
    failed,   // for good
};

enum class Ending : std::uint8_t {
    well,    // it ran and said so
    failed,  // it ran
    refused, // it could not be started
    lacking, // it could not be started for want of memory or quota
    unready, // it ran, did not say in time that it is ready, and was ended
};
enum class Verdict : std::uint8_t { carry_on, give_up };

// What a unit paid is back a moment after its end. A start that is refused for want of resources within this time after
// an end is not counted as a failure.
inline constexpr std::uint64_t kSettleTime = 4'000'000'000;
inline constexpr std::uint64_t kStartPause = 100'000'000; // ns between a refused start and the next try

// At most `intensity` restarts within a period.
class RestartBudget {
public:
    RestartBudget() = default;
    explicit RestartBudget(std::span<std::uint64_t> times) : times_(times) {}
    bool allow(std::uint64_t now_ns, std::uint64_t period_ns);

private:
    std::span<std::uint64_t> times_; // of the last restarts, a ring of `intensity`
    std::uint64_t count_ = 0;
};

class UnitStates {
public:
    // The room that init() takes from its arena at most.
    static std::size_t room_for(std::size_t units);
    // `description` must outlive this. no_space.
    Result<> init(const SystemDescription& description, Arena& arena);

    // A unit that may start now. The owner starts it and calls started(), and ready() when it is: on its message, or,
    // where it sends none, when it runs.
    [[nodiscard]] std::optional<std::size_t> next_to_start(std::uint64_t now_ns) const;
    // When next_to_start() has to be asked again though nothing happened; kNoDeadline.
    [[nodiscard]] std::uint64_t next_try_ns() const;
    void started(std::size_t unit) { lives_[unit].state = UnitState::starting; }
    void ready(std::size_t unit);

    // A unit that was starting or ready is no more. Units that this restarts along with it are in state `stopping`
    // afterwards: the owner ends them, and calls gone() for each when it has ended.
    Verdict over(std::size_t unit, Ending ending, std::uint64_t now_ns);
    void gone(std::size_t unit, std::uint64_t now_ns);

    // Marks one unit failed that can never start, and names it and the need that has failed.
    struct Doomed {
        std::size_t unit, need;
    };
    std::optional<Doomed> fail_next_doomed();

    [[nodiscard]] UnitState state(std::size_t unit) const { return lives_[unit].state; }
    // How it ended last; `well` if it has not ended yet.
    [[nodiscard]] Ending last_ending(std::size_t unit) const { return lives_[unit].last_ending; }
    // No unit runs or will run.
    [[nodiscard]] bool is_over() const;
    [[nodiscard]] bool any_done() const;
    // The running unit to stop next when everything ends: one that no running unit needs.
    [[nodiscard]] std::optional<std::size_t> next_to_stop() const;
    void stopped(std::size_t unit) { lives_[unit].state = UnitState::done; }

private:
    struct Life {
        UnitState state = UnitState::waiting;
        Ending last_ending = Ending::well;
        std::uint64_t not_before_ns = 0;
        std::uint64_t excused_until_ns = 0; // set by the first start in a row that was refused for want of resources
        RestartBudget budget;               // of a unit that is not essential
    };
    [[nodiscard]] bool needs_are_met(const Unit& unit) const;
    [[nodiscard]] bool any_stopping() const;
    void take_along(std::size_t unit);
    RestartBudget& budget_of(std::size_t unit);

    const SystemDescription* description_ = nullptr;
    std::span<Life> lives_;
    std::span<bool> affected_; // scratch of take_along()
    RestartBudget shared_budget_;
    std::optional<std::uint64_t> last_end_ns_;
};

} // namespace aios::orchestration
