// Random numbers for address-space layout: from the entropy pool once it has said so, else always the same.
#include <atomic>

#include "kernel/mm/mm.hpp"

namespace aios::mm {

namespace {
constinit std::atomic<std::uint64_t (*)()> random_source{nullptr};
}

void set_random_source(std::uint64_t (*source)()) { random_source.store(source, std::memory_order_release); }

std::uint64_t random_number() {
    auto* source = random_source.load(std::memory_order_acquire);
    return source == nullptr ? 0 : source();
}

} // namespace aios::mm
