// What the tests of fs share: a machine, and reports of integrity kept for looking at.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/mm/fake_arch.hpp"

namespace aios::test {

struct IntegrityReport {
    std::string entry;
    std::uint64_t page;
};
extern std::vector<IntegrityReport> integrity_reports;
inline fake::CountingPayer payer; // of what is opened

// Puts bytes where the container would lie: RAM that the allocator does not own.
inline arch::PhysAddr place_container(const std::vector<std::byte>& bytes) {
    AIOS_ASSERT(bytes.size() <= 1 << 20);
    std::memcpy(arch::physmap(fake::unmanaged_ram()), bytes.data(), bytes.size());
    return fake::unmanaged_ram();
}

} // namespace aios::test
