// Who hears of spending that somebody should look into. Audit stands above quota and implements it, one for each agent
// that pays.
#pragma once

#include "kernel/quota/grant.hpp"

namespace aios {

class SpendingWitness {
public:
    // Thread context, no locks held. Neither waits nor fails; whoever causes it pays the time.
    virtual void ended_uncertain(const SpentAmounts& amounts) = 0; // a hold, with these amounts uncertain
    virtual void passed_limit(const SpentAmounts& by) = 0;         // a charge, by these amounts
    virtual void retain() = 0;
    virtual void release() = 0;

protected:
    ~SpendingWitness() = default;
};

} // namespace aios
