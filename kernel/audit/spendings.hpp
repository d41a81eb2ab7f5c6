// What an agent's uncertain holds and overruns become: of each of the two at most one record a second, however many holds
// end. The first is recorded at once; those that follow are counted and their amounts added up, and when a second has
// passed since the last record the sum becomes a record. Nothing is lost, and nothing that an agent does elsewhere takes the
// place of these counts. No lock of its own.
#pragma once

#include <algorithm>

#include "kernel/audit/refusals.hpp"
#include "kernel/quota/grant.hpp"

namespace aios::audit {

class Spendings {
public:
    static constexpr Kind kKinds[] = {Kind::hold_uncertain, Kind::overrun};
    using Verdict = Refusals::Verdict;

    using HasSlot = Refusals::HasSlot;
    using Which = Refusals::Which;

    Verdict happened(Kind kind, const SpentAmounts& amounts, std::uint64_t now, HasSlot has_slot) {
        Sum& sum = sums_[kind == Kind::overrun ? 1 : 0];
        const bool is_due = !sum.used || is_over(sum.since, now);
        if (!sum.used) sum.since = now - Refusals::kWindowNs; // without a slot: due as soon as somebody looks
        sum.used = true;
        if (has_slot == HasSlot::yes && sum.waiting == 0 && is_due) {
            sum.since = now;
            return Verdict::record;
        }
        for (unsigned i = 0; i < kSpentCount; ++i)
            if (__builtin_add_overflow(sum.amounts.of[i], amounts.of[i], &sum.amounts.of[i])) sum.amounts.of[i] = ~0ull;
        return sum.waiting++ == 0 ? Verdict::opened : Verdict::counted;
    }
    // The next sum that is due at `now` or any, if there is one: kind, details and count.
    [[nodiscard]] bool take_due(std::uint64_t now, Which which, Record& out) {
        for (unsigned i = 0; i < std::size(sums_); ++i) {
            Sum& sum = sums_[i];
            if (sum.waiting == 0 || (which == Which::due && !is_over(sum.since, now))) continue;
            out = record_of(kKinds[i], sum.amounts);
            out.count = std::exchange(sum.waiting, 0);
            sum.amounts = {};
            sum.since = now;
            return true;
        }
        return false;
    }
    // When the next sum will be due; Refusals::kNone if nothing is counted.
    [[nodiscard]] std::uint64_t next_due() const {
        std::uint64_t due = Refusals::kNone;
        for (const Sum& sum : sums_)
            if (sum.waiting != 0) due = std::min(due, sum.since + Refusals::kWindowNs);
        return due;
    }
    static Record record_of(Kind kind, const SpentAmounts& amounts) {
        Record record{.kind = kind};
        static_assert(kSpentCount == std::size(decltype(record.detail){}));
        std::ranges::copy(amounts.of, record.detail);
        return record;
    }

private:
    struct Sum {
        bool used = false;
        std::uint64_t since = 0;   // of its last record
        std::uint64_t waiting = 0; // counted since then
        SpentAmounts amounts;
    };
    static bool is_over(std::uint64_t since, std::uint64_t now) {
        return static_cast<std::int64_t>(now - since) >= static_cast<std::int64_t>(Refusals::kWindowNs);
    }
    Sum sums_[std::size(kKinds)];
};

} // namespace aios::audit
