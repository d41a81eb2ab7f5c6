// What the kernel measures of an agent: its program and its lineage. See MeasuredIdentity, and AgentInfo for the format.
// No locks.
#include <algorithm>
#include <cstring>

#include "crypto/merkle.hpp"
#include "kernel/agent/agent.hpp"
#include "kernel/mm/owned.hpp"
#include "messages/view.hpp"

namespace aios {

void measure_identity(std::string_view name, MeasuredIdentity& identity) {
    std::byte record[kMaxNameBytes + 2 * 32 + 16];
    messages::view::IdentityMeasure measured{.name = name, .program = {}, .parent = {}};
    std::ranges::copy(std::as_bytes(std::span(identity.program)), measured.program.begin());
    std::ranges::copy(std::as_bytes(std::span(identity.parent)), measured.parent.begin());
    const Result<Bytes> encoded = messages::encode(record, measured);
    AIOS_ASSERT(encoded.has_value()); // names are printable ASCII of at most kMaxNameBytes
    const crypto::Digest256 digest = crypto::Sha256::hash(*encoded);
    std::memcpy(identity.identity, digest.data(), sizeof(identity.identity));
}

Result<> copy_image(Payer& payer, AgentPlan& plan) {
    const std::uint64_t bytes = plan.image->bytes();
    Ref<mm::Pages> copy = TRY(mm::Pages::create(payer, bytes, mm::ChargeWhen::at_once));
    // The frontier is large for a kernel stack.
    struct Frontier {
        Reservation charge;
        crypto::MerkleFrontier of;
    };
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Frontier>));
    const auto frontier = TRY(mm::own<Frontier>(std::move(charge)));
    for (std::uint64_t offset = 0; offset < bytes; offset += mm::kPageSize) {
        if (Thread::has_current() && Thread::current().is_killed()) return fail(Error::killed);
        const arch::PhysAddr frame = TRY(copy->page(offset / mm::kPageSize));
        const std::uint64_t piece = bytes - offset < mm::kPageSize ? bytes - offset : mm::kPageSize;
        TRY(plan.image->read(offset, arch::physmap(frame), piece));
        frontier->of.append(crypto::page_tree_leaf(Bytes(static_cast<const std::byte*>(arch::physmap(frame)), piece)));
    }
    const crypto::MerkleHash root = frontier->of.root();
    std::memcpy(plan.program, root.data(), sizeof(plan.program));
    plan.image = std::move(copy);
    plan.is_measured = true;
    return {};
}

} // namespace aios
