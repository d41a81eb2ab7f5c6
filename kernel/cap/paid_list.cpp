// See paid_list.hpp.
#include "kernel/cap/paid_list.hpp"

#include "kernel/mm/size_classes.hpp"

namespace aios::cap {

namespace {
using Guard = sync::SpinLock<sync::Rank::cap_paid>::Guard;
}

Result<Ref<PaidList>> PaidList::create(Payer& payer) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<PaidList>));
    return Ref<PaidList>::adopt(TRY(mm::make<PaidList>(std::move(charge))));
}

void PaidList::release() {
    if (references_.release()) mm::destroy(this);
}

bool PaidList::add_locked(DerivationNode& node) {
    DerivationTree::lock(node).assert_held();
    Guard guard(lock_);
    if (closed_) return false;
    node.payer_list_ = Ref<PaidList>::share(*this);
    nodes_.push_back(node);
    return true;
}

void PaidList::remove(DerivationNode& node) {
    Guard guard(lock_);
    if (node.paid_.is_linked()) nodes_.remove(node);
}

void PaidList::close() {
    Guard guard(lock_);
    closed_ = true;
}

bool PaidList::look(Front& front) {
    AIOS_ASSERT(front.count == 0);
    Guard guard(lock_);
    DerivationNode* node = nodes_.front();
    if (node == nullptr) return false;
    for (unsigned steps = 0; steps < kChunk && node != nullptr; ++steps) {
        DerivationNode* next = nodes_.next(*node);
        if (node->references_.try_retain())
            front.nodes[front.count++] = Ref<DerivationNode>::adopt(node);
        else
            nodes_.remove(*node);
        node = next;
    }
    return true;
}

} // namespace aios::cap
