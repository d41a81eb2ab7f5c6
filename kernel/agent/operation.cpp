// Asynchronous operations. See operation.hpp.
#include "kernel/agent/operation.hpp"
#include "kernel/mm/size_classes.hpp"

#include <algorithm>

namespace aios {

Result<Ref<Operation>> Operation::create(Payer& payer) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<Operation>));
    return Ref<Operation>::adopt(TRY(mm::make<Operation>(std::move(charge))));
}

template <typename F>
void Operation::complete(F&& fill) {
    {
        decltype(lock_)::Guard guard(lock_);
        if (state_ != State::running) return;
        fill(outcome_);
        state_ = State::done;
    }
    source_.set(kSignalDone);
}

void Operation::fail_with(Error error) {
    complete([&](Outcome& outcome) { outcome.error = static_cast<std::uint64_t>(error); });
}

void Operation::complete_with(Ref<Object> object, Rights rights) {
    complete([&](Outcome& outcome) {
        outcome.object = std::move(object);
        outcome.rights = rights;
    });
}

void Operation::complete_with(Bytes output) {
    AIOS_ASSERT(output.size() <= kMaxOutput);
    complete([&](Outcome& outcome) {
        outcome.output_bytes = output.size();
        std::copy(output.begin(), output.end(), outcome.output);
    });
}

Result<> Operation::peek(Outcome& out) {
    decltype(lock_)::Guard guard(lock_);
    switch (state_) {
    case State::running:
        return fail(Error::not_ready);
    case State::done:
        out = outcome_;
        return {};
    case State::fetched:
        return fail(Error::bad_state);
    }
    AIOS_UNREACHABLE();
}

bool Operation::finish_fetch() {
    Ref<Object> dropped; // its last reference may go: not under the lock
    decltype(lock_)::Guard guard(lock_);
    if (state_ != State::done) return false;
    state_ = State::fetched;
    dropped = std::move(outcome_.object);
    return true;
}

} // namespace aios
