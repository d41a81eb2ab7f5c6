// Rows of single calls.
#include "bench/kernel/aios/measure.hpp"

namespace bench {

void null_call() {
    constexpr std::uint64_t kCalls = 100'000;
    figure("null", repeat<kRow_null>(kCalls, [] { (void)sys::null(); }), kCalls);
}

// The audit thread gets to the records while the calls go on and in log_info, which waits for the rest: one window over
// both.
void derive_close() {
    constexpr std::uint64_t kPairs = 5'000;
    const OwnedHandle channel(MUST(sys::channel_create(self, 1, 64)));
    const auto pair = [&] { (void)sys::handle_close(MUST(sys::handle_derive(channel.get(), rights::send.bits()))); };
    for (unsigned i = 0; i < 500; ++i)
        pair();
    const AgentInfo before = info_of(self);
    settle(before);
    OPEN_WINDOW(kRow_derive_close);
    const std::uint64_t begin = ticks();
    for (std::uint64_t i = 0; i < kPairs; ++i)
        pair();
    settle(before);
    const std::uint64_t took = ticks() - begin;
    CLOSE_WINDOW(kRow_derive_close);
    figure("derive_close", took, kPairs);
}

} // namespace bench
