// Quota arithmetic: reserve, give back, split and the way home. See quota.hpp; what is spent is in spending.hpp.
#include "kernel/quota/quota.hpp"
#include "kernel/mm/size_classes.hpp"

namespace aios {

namespace {

constexpr bool is_spent(Resource resource) { return kind_of(resource) == ResourceKind::spent; }

} // namespace

bool Quota::Counter::take(std::uint64_t amount) {
    std::uint64_t have = available.load(std::memory_order_relaxed);
    while (have >= amount) {
        if (available.compare_exchange_weak(have, have - amount, std::memory_order_relaxed)) return true;
    }
    return false;
}

// The limit shrinks before the counter, and grows after it: a reader in between sees too little in use, and no false peak.
bool Quota::Counter::move_out(std::uint64_t amount) {
    if (available.load(std::memory_order_relaxed) < amount) return false;
    limit.fetch_sub(amount, std::memory_order_relaxed);
    if (take(amount)) return true;
    limit.fetch_add(amount, std::memory_order_relaxed);
    return false;
}

void Quota::Counter::move_in(std::uint64_t amount) {
    available.fetch_add(amount, std::memory_order_relaxed);
    limit.fetch_add(amount, std::memory_order_relaxed);
}

Quota::Quota(mm::OnHeap, Ref<Quota> parent, const QuotaGrant& limits)
    : parent_(std::move(parent)), spending_(spent_part(limits)) {
    for (const ResourceRow& row : kResources) {
        if (row.kind == ResourceKind::spent) continue;
        counter(row.resource).available.store(limits.value(row.resource), std::memory_order_relaxed);
        counter(row.resource).limit.store(limits.value(row.resource), std::memory_order_relaxed);
    }
}

Quota::~Quota() {
    // Every reservation and every open hold has a reference, so nothing is taken when the last reference goes.
    for (auto& c : counters_)
        AIOS_ASSERT(c.available.load(std::memory_order_relaxed) == c.limit.load(std::memory_order_relaxed));
    const Spending spending = this->spending();
    for (unsigned i = 0; i < kSpentCount; ++i)
        AIOS_ASSERT(spending.line(i).held == 0 && spending.line(i).adds_up());
}

// The parent has its limits back, and what was spent of them is its spending. Nobody else has a reference.
void Quota::go_home() {
    for (unsigned i = 0; i < kResourceCount; ++i)
        parent_->counters_[i].move_in(counters_[i].limit.load(std::memory_order_relaxed));
    const Spending mine = spending(); // the locks of two quotas are never held at once
    parent_->spending_.with([&](Spending& home) { home.take_home(mine); });
    parent_->give_back(Resource::memory, mm::cost_of<Quota>);
}

Result<Ref<Quota>> Quota::create_root(const QuotaGrant& limits) {
    return Ref<Quota>::adopt(TRY(mm::make<Quota>(Ref<Quota>(), limits)));
}

// All or nothing.
bool Quota::move_out(const QuotaGrant& grant) {
    unsigned moved = 0;
    while (moved < kResourceCount) {
        const Resource resource = kResources[moved].resource;
        if (!is_spent(resource) && !counter(resource).move_out(grant.value(resource))) break;
        ++moved;
    }
    if (moved == kResourceCount &&
        spending_.with([&](Spending& spending) { return spending.move_out(spent_part(grant)); }))
        return true;
    while (moved-- > 0) {
        const Resource resource = kResources[moved].resource;
        if (!is_spent(resource)) counter(resource).move_in(grant.value(resource));
    }
    return false;
}

void Quota::move_in(const QuotaGrant& grant) {
    for (const ResourceRow& row : kResources)
        if (row.kind == ResourceKind::held) counter(row.resource).move_in(grant.value(row.resource));
    spending_.with([&](Spending& spending) { spending.move_in(spent_part(grant)); });
}

Result<Ref<Quota>> Quota::split(const QuotaGrant& grant) {
    TRY(reserve(Resource::memory, mm::cost_of<Quota>));
    Error error = Error::quota_exceeded;
    if (move_out(grant)) {
        auto made = mm::make<Quota>(Ref<Quota>::share(*this), grant);
        if (made) return Ref<Quota>::adopt(*made);
        error = made.error();
        move_in(grant);
    }
    give_back(Resource::memory, mm::cost_of<Quota>);
    return fail(error);
}

// The child may be closed right after we have looked. That is harmless: it takes what it was granted home with it, as the
// caller has a reference and it is not home yet.
Result<> Quota::grant_to(Quota& child, const QuotaGrant& grant) {
    if (child.parent_.get() != this) return fail(Error::bad_argument);
    if (is_closed()) return fail(Error::killed);
    if (child.is_closed()) return fail(Error::bad_state);
    if (!move_out(grant)) return fail(Error::quota_exceeded);
    child.move_in(grant);
    return {};
}

Result<> Quota::reserve(Resource resource, std::uint64_t amount) {
    if (is_closed()) [[unlikely]]
        return fail(Error::killed);
    Counter& c = counter(resource);
    if (!c.take(amount)) [[unlikely]] // the counter of a spent resource is empty
        return fail(Error::quota_exceeded);
    const std::uint64_t limit = c.limit.load(std::memory_order_relaxed);
    const std::uint64_t available = c.available.load(std::memory_order_relaxed);
    const std::uint64_t in_use = limit > available ? limit - available : 0;
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

Result<> Quota::hold(const SpentAmounts& amounts) {
    if (is_closed()) return fail(Error::bad_state);
    const bool taken = spending_.with([&](Spending& spending) { return spending.hold(amounts); });
    return taken ? Result<>() : fail(Error::quota_exceeded);
}

void Quota::settle(const SpentAmounts& held, const SpentAmounts& settled, const SpentAmounts& uncertain) {
    spending_.with([&](Spending& spending) { spending.settle(held, settled, uncertain); });
}

SpentAmounts Quota::charge(const SpentAmounts& amounts) {
    return spending_.with([&](Spending& spending) { return spending.charge(amounts); });
}

Spending Quota::spending() const {
    return spending_.with([](const Spending& spending) { return spending; });
}

Spending::Line Quota::spending_line(Resource resource) const {
    for (unsigned i = 0; i < kSpentCount; ++i)
        if (kSpentResources[i] == resource) return spending().line(i);
    AIOS_UNREACHABLE();
}

std::uint64_t Quota::limit(Resource resource) const {
    if (is_spent(resource)) return spending_line(resource).limit;
    return counter(resource).limit.load(std::memory_order_relaxed);
}

std::uint64_t Quota::used(Resource resource) const {
    if (is_spent(resource)) return spending_line(resource).used();
    const Counter& c = counter(resource);
    const std::uint64_t limit = c.limit.load(std::memory_order_relaxed);
    const std::uint64_t available = c.available.load(std::memory_order_relaxed);
    return limit > available ? limit - available : 0; // the two may be read in the middle of a move
}

void Quota::account(QuotaGrant& limits, QuotaGrant& in_use) const {
    for (const ResourceRow& row : kResources) {
        if (row.kind != ResourceKind::held) continue;
        limits.set(row.resource, limit(row.resource));
        in_use.set(row.resource, used(row.resource));
    }
    const Spending now = spending();
    for (unsigned i = 0; i < kSpentCount; ++i) {
        limits.set(kSpentResources[i], now.line(i).limit);
        in_use.set(kSpentResources[i], now.line(i).used());
    }
}

std::uint64_t Quota::peak(Resource resource) const { return counter(resource).peak.load(std::memory_order_relaxed); }

} // namespace aios
