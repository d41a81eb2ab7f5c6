// A machine for host tests: RAM is a host buffer, page tables are maps, TLBs are remembered so that a frame that is
// freed while some CPU could still use an old entry is found.
#pragma once

#include <cstdint>

#include "boot/handoff.hpp"
#include <functional>

#include "kernel/mm/authority.hpp"
#include "kernel/mm/mm.hpp"

namespace aios::fake {

inline constexpr std::uint64_t kRamBytes = 96ull << 20; // from physical address 0
inline constexpr std::uint64_t kUsableBase = 1ull << 20;

// Gives the RAM to the frame allocator, once for the whole test program.
void start_machine();
[[nodiscard]] mm::FrameCounts counts_at_start();
[[nodiscard]] boot::HandOff make_handoff();
// RAM that the allocator does not own (what a bundle lies in): page aligned, up to 1 MiB.
[[nodiscard]] arch::PhysAddr unmanaged_ram();

void set_cpu(unsigned cpu); // what cpu_index() answers
[[nodiscard]] bool interrupts_are_on();

// A payer with exact accounts.
class CountingPayer final : public Payer {
public:
    explicit CountingPayer(std::uint64_t limit = ~0ull) : limit_(limit) {}
    Result<> reserve(Resource resource, std::uint64_t amount) override;
    void give_back(Resource resource, std::uint64_t amount) override;
    void retain() override { ++references_; }
    void release() override { --references_; }
    [[nodiscard]] std::uint64_t used() const { return used_; }
    [[nodiscard]] int references() const { return references_; }
    void set_limit(std::uint64_t limit) { limit_ = limit; }
    // Called once, at the next reservation: in the middle of whatever operation makes it.
    void at_next_reservation(std::function<void()> action) { action_ = std::move(action); }

private:
    std::function<void()> action_;
    std::uint64_t limit_;
    std::uint64_t used_ = 0;
    int references_ = 0;
};

// What a derivation node is to mm.
class Authority final : public mm::Authority {
public:
    static Ref<Authority> create() { return Ref<Authority>::adopt(new Authority); }
    void retain() override { references_.retain(); }
    void release() override {
        if (references_.release()) delete this;
    }
    using mm::Authority::end;

private:
    RefCount references_;
};

// A memory access by user code in the address space whose table was activated last: through the fake TLB and page
// table. Answers whether it was allowed; faults are the caller's business.
[[nodiscard]] std::uint8_t* user_access(std::uint64_t address, arch::Protection need);

// Called at each flush of user entries, before it is done; an empty function ends that.
void at_flush(std::function<void()> action);

// From now on the kernel's own space takes so many pages more, and then has no room for a table.
void limit_kernel_maps(std::uint64_t pages);

// Where the kernel's own space gets its page tables from.
[[nodiscard]] arch::TableFrames& kernel_tables();

// How often the other CPUs were asked to forget kernel mappings.
[[nodiscard]] std::uint64_t kernel_unmaps();

// Page tables that the active address space has.
[[nodiscard]] std::uint64_t table_count();

} // namespace aios::fake
