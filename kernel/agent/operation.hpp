// Operation: an asynchronous call under way, and its outcome. AgentSpawn and PQCOperation answer one at once;
// completion is the event kSignalDone; GetAsyncResult fetches the outcome, once. Charged to the caller with its output.
// Invariant: it completes exactly once, also when whoever works on it ends. Lock: Rank::operation.
#pragma once

#include "abi/call_types.hpp"
#include "kernel/object/object.hpp"
#include "kernel/object/source.hpp"
#include "kernel/sync/lock.hpp"

namespace aios {

class Operation final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::operation;
    static constexpr std::size_t kMaxOutput = 64;

    static Result<Ref<Operation>> create(Payer& payer);

    // The outcome; the first one counts, later ones are ignored.
    void fail_with(Error error);
    void complete_with(Ref<Object> object, Rights rights); // becomes a handle of whoever fetches it
    void complete_with(Bytes output);                      // at most kMaxOutput bytes

    struct Outcome {
        std::uint64_t error = 0;
        Ref<Object> object;
        Rights rights;
        std::size_t output_bytes = 0;
        std::byte output[kMaxOutput];
    };
    // not_ready while it runs; bad_state once it was fetched (finish_fetch).
    Result<> peek(Outcome& out);
    // The outcome has been handed over: drops it. False if another thread was faster.
    bool finish_fetch();

    event::Source* event_source() override { return &source_; }
    void handle_removed(Rights) override { source_.drop_ended(); }
    void revoked_for(std::uint64_t) override { source_.drop_ended(); }

    Operation(mm::OnHeap, Reservation charge) : Object(kType, std::move(charge)) {}
    ~Operation() override = default;

private:
    enum class State : std::uint8_t { running, done, fetched };
    template <typename F>
    void complete(F&& fill);

    sync::SpinLock<sync::Rank::operation> lock_;
    State state_ AIOS_GUARDED_BY(lock_) = State::running;
    Outcome outcome_ AIOS_GUARDED_BY(lock_);
    event::Source source_;
};

} // namespace aios
