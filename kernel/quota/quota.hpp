// Quotas: the implementation of Payer. A child's quota is transferred out of its parent's at spawn (the parent's limit shrinks)
// and returned exactly when the child has ended and all it paid for is gone. Counters are atomic; no lock.
#pragma once

#include <atomic>

#include "abi/call_types.hpp"
#include "kernel/mm/mm.hpp"

namespace aios {

class Quota final : public Payer {
public:
    // The first quota: all there is. Others come from split().
    static Result<Ref<Quota>> create_root(const QuotaGrant& limits);
    Result<Ref<Quota>> split(const QuotaGrant& grant); // quota_exceeded; the parent stays referenced until the child is gone

    Result<> reserve(Resource resource, std::uint64_t amount) override;
    void give_back(Resource resource, std::uint64_t amount) override;
    void retain() override { references_.retain(); }
    void release() override;

    [[nodiscard]] std::uint64_t limit(Resource resource) const;
    [[nodiscard]] std::uint64_t used(Resource resource) const;
    [[nodiscard]] std::uint64_t peak(Resource resource) const;
    // No new reservations: the payer is ending.
    void close();

    Quota(Ref<Quota> parent, const QuotaGrant& limits);

private:
    struct Counter {
        std::atomic<std::uint64_t> limit{0}, used{0}, peak{0};
    };
    ~Quota();
    template <typename T>
    friend void mm::destroy(T*);
    RefCount references_;
    Ref<Quota> parent_;
    Counter counters_[kResourceCount];
    std::atomic<bool> closed_{false};
};

} // namespace aios
