// What one quota has of the resources that never come back: the arithmetic of budgets. No lock of its own (Quota has one).
//
// Of each resource a line keeps `limit`, `held` (in open holds), `spent`, `uncertain`, and `balance`: what can still be
// held, or below zero how far spending has passed the limit. Always holds, for each line:
//
//     balance + held + spent + uncertain = limit
//
//   hold      balance -= amount, held += amount: only if every line has as much, and none is below zero
//   settle    held -= amount, spent += settled, uncertain += uncertain, balance += what is left of the amount
//   charge    balance -= amount, spent += amount, whatever the balance: this is how it falls below zero
//   move      a limit goes to a child or to a parent: limit and balance change alike
//   take_home the lines of a child that has ended are added to its parent's. So what it left over is the parent's to hold,
//             what it spent is the parent's spending, and what it spent beyond its limit comes out of the parent's balance.
//
// No number wraps. Limits come from the first quota by moves, so that all of them together are never above kMost = 2^62.
// A balance never falls below -kMost: what would push it further is left out of `spent` as well, which nobody can tell
// from the rest: it is 2^62 beyond the limit. So held + spent + uncertain = limit - balance <= 2^63.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/assert.hpp"
#include "kernel/quota/grant.hpp"

namespace aios {

class Spending {
public:
    static constexpr std::uint64_t kMost = std::uint64_t{1} << 62;

    struct Line {
        std::uint64_t limit = 0, held = 0, spent = 0, uncertain = 0;
        std::int64_t balance = 0;
        [[nodiscard]] std::uint64_t overrun() const { return balance < 0 ? static_cast<std::uint64_t>(-balance) : 0; }
        [[nodiscard]] bool has(std::uint64_t amount) const {
            return balance >= 0 && amount <= static_cast<std::uint64_t>(balance);
        }
        [[nodiscard]] bool adds_up() const { return used() == limit - static_cast<std::uint64_t>(balance); }
        [[nodiscard]] std::uint64_t used() const { return held + spent + uncertain; }
    };

    Spending() = default;
    explicit Spending(const SpentAmounts& limits) {
        for (unsigned i = 0; i < kSpentCount; ++i) {
            lines_[i].limit = std::min(limits.of[i], kMost);
            lines_[i].balance = static_cast<std::int64_t>(lines_[i].limit);
        }
    }
    [[nodiscard]] const Line& line(unsigned place) const { return lines_[place]; } // in the order of kSpentResources

    // All or nothing. False: a line has not as much, or has passed its limit.
    [[nodiscard]] bool hold(const SpentAmounts& amounts) {
        if (!has(amounts) || std::ranges::any_of(lines_, [](const Line& line) { return line.balance < 0; }))
            return false;
        for (unsigned i = 0; i < kSpentCount; ++i) {
            lines_[i].balance -= static_cast<std::int64_t>(amounts.of[i]);
            lines_[i].held += amounts.of[i];
        }
        return true;
    }
    // `held` was held; settled and uncertain are together not more.
    void settle(const SpentAmounts& held, const SpentAmounts& settled, const SpentAmounts& uncertain) {
        for (unsigned i = 0; i < kSpentCount; ++i) {
            Line& line = lines_[i];
            const std::uint64_t gone = settled.of[i] + uncertain.of[i];
            AIOS_ASSERT(line.held >= held.of[i] && held.of[i] >= gone);
            line.held -= held.of[i];
            line.spent += settled.of[i];
            line.uncertain += uncertain.of[i];
            line.balance += static_cast<std::int64_t>(held.of[i] - gone);
        }
    }
    // Answers how far this passed the limits.
    SpentAmounts charge(const SpentAmounts& amounts) {
        SpentAmounts passed;
        for (unsigned i = 0; i < kSpentCount; ++i) {
            Line& line = lines_[i];
            const std::uint64_t before = line.overrun();
            const std::uint64_t amount = std::min(amounts.of[i], room_of(line.balance));
            line.spent += amount;
            // Through unsigned words: the amount may be 2^63, from 2^62 down to -2^62.
            line.balance = static_cast<std::int64_t>(static_cast<std::uint64_t>(line.balance) - amount);
            passed.of[i] = line.overrun() - before;
        }
        return passed;
    }
    // Part of the limits goes elsewhere, all or nothing; false: there is not as much left.
    [[nodiscard]] bool move_out(const SpentAmounts& amounts) {
        if (!has(amounts)) return false;
        for (unsigned i = 0; i < kSpentCount; ++i) {
            lines_[i].limit -= amounts.of[i];
            lines_[i].balance -= static_cast<std::int64_t>(amounts.of[i]);
        }
        return true;
    }
    // What was moved out elsewhere.
    void move_in(const SpentAmounts& amounts) {
        for (unsigned i = 0; i < kSpentCount; ++i) {
            lines_[i].limit += amounts.of[i];
            lines_[i].balance += static_cast<std::int64_t>(amounts.of[i]);
        }
    }
    // A child has ended; nothing is held from it any more.
    void take_home(const Spending& child) {
        for (unsigned i = 0; i < kSpentCount; ++i) {
            Line& line = lines_[i];
            const Line& from = child.lines_[i];
            AIOS_ASSERT(from.held == 0);
            const std::uint64_t left_out = from.overrun() - std::min(from.overrun(), room_of(line.balance));
            line.limit += from.limit;
            line.spent += from.spent - left_out;
            line.uncertain += from.uncertain;
            line.balance += from.balance + static_cast<std::int64_t>(left_out);
        }
    }

private:
    // How much the balance may still fall: at most 2^63, which the difference of two bounded words holds.
    static constexpr std::uint64_t room_of(std::int64_t balance) { return static_cast<std::uint64_t>(balance) + kMost; }
    [[nodiscard]] bool has(const SpentAmounts& amounts) const {
        for (unsigned i = 0; i < kSpentCount; ++i)
            if (amounts.of[i] != 0 && !lines_[i].has(amounts.of[i])) return false;
        return true;
    }
    Line lines_[kSpentCount];
};

} // namespace aios
