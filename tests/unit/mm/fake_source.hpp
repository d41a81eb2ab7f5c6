// A page source for tests: pages lie in RAM that the allocator does not own; one of them never verifies.
#pragma once

#include <set>

#include "kernel/mm/pages.hpp"
#include "tests/unit/mm/fake_arch.hpp"

namespace aios::fake {

class Source final : public mm::PageSource {
public:
    static constexpr std::uint64_t kPages = 64;
    static constexpr std::uint64_t kBadPage = 13;
    static std::uint8_t first_byte(std::uint64_t index) { return static_cast<std::uint8_t>(index * 7 + 1); }

    Source() {
        for (std::uint64_t i = 0; i < kPages; ++i)
            *static_cast<std::uint8_t*>(arch::physmap(frame(i))) = first_byte(i);
    }
    Result<arch::PhysAddr> page(std::uint64_t index) override {
        AIOS_ASSERT(index < kPages);
        if (index == kBadPage) return fail(Error::integrity);
        ready_.insert(index);
        return frame(index);
    }
    Result<arch::PhysAddr> ready_page(std::uint64_t index) override {
        if (!ready_.contains(index)) return fail(Error::not_ready);
        return frame(index);
    }
    void retain() override { ++references_; }
    void release() override { --references_; }
    [[nodiscard]] int references() const { return references_; }

private:
    static arch::PhysAddr frame(std::uint64_t index) { return {unmanaged_ram().value + index * mm::kPageSize}; }
    int references_ = 0;
    std::set<std::uint64_t> ready_;
};

} // namespace aios::fake
