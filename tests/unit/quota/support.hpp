// What the tests of budgets share: a witness that adds up, and amounts in one line.
#pragma once

#include <atomic>

#include "kernel/quota/hold.hpp"

namespace aios::test {

class AddingWitness final : public SpendingWitness {
public:
    void ended_uncertain(const SpentAmounts& amounts) override { add(uncertain, amounts); }
    void passed_limit(const SpentAmounts& by) override { add(passed, by); }
    void retain() override { ++references; }
    void release() override { --references; }

    struct Sum {
        std::atomic<std::uint64_t> of[kSpentCount] = {};
        std::atomic<std::uint64_t> count{0};
    };
    Sum uncertain, passed;
    std::atomic<int> references{0};

private:
    static void add(Sum& sum, const SpentAmounts& amounts) {
        for (unsigned i = 0; i < kSpentCount; ++i)
            sum.of[i] += amounts.of[i];
        ++sum.count;
    }
};

constexpr QuotaGrant grant_of(std::uint64_t tokens, std::uint64_t money, std::uint64_t calls = 0) {
    QuotaGrant grant{1 << 20, 1000, 10, 10};
    grant.tokens = tokens;
    grant.money = money;
    grant.model_calls = calls;
    return grant;
}

inline Spending::Line line_of(const Quota& quota, Resource resource) {
    for (unsigned i = 0; i < kSpentCount; ++i)
        if (kSpentResources[i] == resource) return quota.spending().line(i);
    return {};
}
inline std::int64_t tokens_left(const Quota& quota) { return line_of(quota, Resource::tokens).balance; }

} // namespace aios::test
