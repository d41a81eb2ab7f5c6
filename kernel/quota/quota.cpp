// Quota arithmetic: reserve, give back, split and the way home. See quota.hpp.
#include "kernel/quota/quota.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios {

namespace {

std::uint64_t amount_of(const QuotaGrant& grant, unsigned resource) {
    switch (static_cast<Resource>(resource)) {
    case Resource::memory:
        return grant.memory_bytes;
    case Resource::handles:
        return grant.handles;
    case Resource::threads:
        return grant.threads;
    case Resource::agents:
        return grant.agents;
    }
    AIOS_UNREACHABLE();
}

} // namespace

bool Quota::Counter::take(std::uint64_t amount) {
    std::uint64_t have = available.load(std::memory_order_relaxed);
    while (have >= amount) {
        if (available.compare_exchange_weak(have, have - amount, std::memory_order_relaxed)) return true;
    }
    return false;
}

Quota::Quota(Ref<Quota> parent, const QuotaGrant& limits) : parent_(std::move(parent)) {
    for (unsigned i = 0; i < kResourceCount; ++i) {
        counters_[i].available.store(amount_of(limits, i), std::memory_order_relaxed);
        counters_[i].limit.store(amount_of(limits, i), std::memory_order_relaxed);
    }
}

Quota::~Quota() {
    for (auto& c : counters_) {
        // Every reservation holds a reference, so nothing is reserved when the last reference goes.
        AIOS_ASSERT(c.available.load(std::memory_order_relaxed) == c.limit.load(std::memory_order_relaxed));
    }
}

// The parent has its limits back.
void Quota::go_home() {
    for (unsigned i = 0; i < kResourceCount; ++i) {
        Counter& home = parent_->counters_[i];
        const std::uint64_t amount = counters_[i].limit.load(std::memory_order_relaxed);
        home.limit.fetch_add(amount, std::memory_order_relaxed);
        home.available.fetch_add(amount, std::memory_order_relaxed);
    }
    parent_->give_back(Resource::memory, mm::cost_of<Quota>);
}

Result<Ref<Quota>> Quota::create_root(const QuotaGrant& limits) {
    return Ref<Quota>::adopt(TRY(mm::make<Quota>(Ref<Quota>(), limits)));
}

Result<Ref<Quota>> Quota::split(const QuotaGrant& grant) {
    TRY(reserve(Resource::memory, mm::cost_of<Quota>));
    unsigned taken = 0;
    for (; taken < kResourceCount; ++taken) {
        // The limit shrinks before the counter: a reader in between sees too little in use, and no false peak.
        Counter& c = counters_[taken];
        const std::uint64_t amount = amount_of(grant, taken);
        if (c.available.load(std::memory_order_relaxed) < amount) break;
        c.limit.fetch_sub(amount, std::memory_order_relaxed);
        if (!c.take(amount)) {
            c.limit.fetch_add(amount, std::memory_order_relaxed);
            break;
        }
    }
    Error error = Error::quota_exceeded;
    if (taken == kResourceCount) {
        auto made = mm::make<Quota>(Ref<Quota>::share(*this), grant);
        if (made) return Ref<Quota>::adopt(*made);
        error = made.error();
    }
    while (taken-- > 0) {
        const std::uint64_t amount = amount_of(grant, taken);
        counters_[taken].limit.fetch_add(amount, std::memory_order_relaxed);
        counters_[taken].available.fetch_add(amount, std::memory_order_relaxed);
    }
    give_back(Resource::memory, mm::cost_of<Quota>);
    return fail(error);
}

Result<> Quota::reserve(Resource resource, std::uint64_t amount) {
    if (is_closed()) [[unlikely]]
        return fail(Error::killed);
    Counter& c = counter(resource);
    if (!c.take(amount)) [[unlikely]]
        return fail(Error::quota_exceeded);
    const std::uint64_t in_use = used(resource);
    std::uint64_t peak = c.peak.load(std::memory_order_relaxed);
    while (in_use > peak && !c.peak.compare_exchange_weak(peak, in_use, std::memory_order_relaxed)) {
    }
    return {};
}

void Quota::give_back(Resource resource, std::uint64_t amount) {
    Counter& c = counter(resource);
    c.available.fetch_add(amount, std::memory_order_relaxed);
}

// A child keeps its parent, so the last reference to a child may be the last but one to its parent, and so on up: the
// loop takes what would be a recursion as deep as agents are nested.
void Quota::release() {
    for (Quota* quota = this; quota != nullptr && quota->references_.release();) {
        if (quota->parent_) quota->go_home();
        Quota* const parent = quota->parent_.leak();
        QuotaListener* const listener = quota->listener_.load(std::memory_order_relaxed);
        mm::destroy(quota);
        if (listener != nullptr) listener->quota_is_home();
        quota = parent;
    }
}

std::uint64_t Quota::limit(Resource resource) const { return counter(resource).limit.load(std::memory_order_relaxed); }

std::uint64_t Quota::used(Resource resource) const {
    const Counter& c = counter(resource);
    const std::uint64_t limit = c.limit.load(std::memory_order_relaxed);
    const std::uint64_t available = c.available.load(std::memory_order_relaxed);
    return limit > available ? limit - available : 0; // the two may be read in the middle of a split
}

std::uint64_t Quota::peak(Resource resource) const { return counter(resource).peak.load(std::memory_order_relaxed); }

} // namespace aios
