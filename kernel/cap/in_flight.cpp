// Capabilities into the places where they travel, and out of them. The steps are numbered in in_flight.hpp.
#include "kernel/cap/in_flight.hpp"

namespace aios::cap {

void InFlight::put(Capability capability) {
    capability.count();
    if (!capability.node) return;
    DerivationLock::Guard guard(DerivationTree::lock(*capability.node)); // (1)
    if (!capability.is_live()) return;
    capability.node->place_ = this;
    node_.store(capability.node.leak(), std::memory_order_release);
}

Capability InFlight::take() {
    Capability taken(strip()); // (3)
    if (!taken.node) return taken;
    DerivationLock::Guard guard(DerivationTree::lock(*taken.node));
    taken.node->place_ = nullptr;
    return taken;
}

} // namespace aios::cap
