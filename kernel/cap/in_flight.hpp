// The place of a capability that travels: in a queued message, or in an answer that its caller has not taken. As a slot
// in a table it holds the node's one reference, and a revocation takes it out: a place keeps nothing of what is dead,
// so a message that nobody takes holds no memory that nobody is charged with.
//
// Who takes out what lies here, its owner or a revocation, is decided by one exchange; no lock lies in the place.
//   1. put() fills the place under the lock of the node's tree, while the node is live, and tells the node where it is.
//   2. A revocation, under the same lock, takes the reference out with an exchange, and forgets the place. It touches the
//      place only while the node knows it.
//   3. take() exchanges first. If it got the node, it takes the lock of the node's tree and makes the node forget the
//      place; only then may the place go. If it got nothing, a revocation was faster and is done with the place.
// The exchanges are acquire and release: what put() wrote to the node is seen by whoever gets it.
#pragma once

#include <atomic>

#include "kernel/cap/derivation.hpp"

namespace aios::cap {

class InFlight : Pinned {
public:
    InFlight() = default;
    ~InFlight() { (void)take(); } // what is still here ends

    // Into the empty place; counted as a handle of what it names. One that is dead is dropped. Under no lock.
    void put(Capability capability);
    // Out again, still counted; empty if it was revoked. Under no lock.
    Capability take();

private:
    friend struct DerivationTree;
    Ref<DerivationNode> strip() {
        return Ref<DerivationNode>::adopt(node_.exchange(nullptr, std::memory_order_acq_rel));
    }
    std::atomic<DerivationNode*> node_{nullptr}; // owns a reference
};

} // namespace aios::cap
