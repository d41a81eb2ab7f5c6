// ACPI tables from any bytes: each parser by itself (no checksum in the way), and the whole chain with the checksums
// put right.
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/bytes.hpp"
#include "kernel/dev/acpi.hpp"

namespace {

constexpr std::uint64_t kBase = 0x1000;

class Memory final : public aios::dev::AcpiMemory {
public:
    explicit Memory(std::vector<std::uint8_t>& data) : data_(data) {}
    aios::Result<aios::Bytes> view(std::uint64_t address, std::uint64_t bytes) override {
        if (address < kBase || address - kBase > data_.size() || bytes > data_.size() - (address - kBase))
            return aios::fail(aios::Error::not_found);
        fix_sum(address - kBase, bytes);
        // A copy of exactly that size, so that the sanitizer sees a read past its end.
        views_.emplace_back(data_.begin() + static_cast<std::ptrdiff_t>(address - kBase),
                            data_.begin() + static_cast<std::ptrdiff_t>(address - kBase + bytes));
        return aios::Bytes(reinterpret_cast<const std::byte*>(views_.back().data()), bytes);
    }

private:
    // The last byte of what is looked at makes the sum zero, where that is not a length or pointer of a header.
    void fix_sum(std::size_t from, std::size_t bytes) {
        if (bytes <= 36) return;
        std::uint8_t sum = 0;
        for (std::size_t i = 0; i + 1 < bytes; ++i)
            sum = static_cast<std::uint8_t>(sum + data_[from + i]);
        data_[from + bytes - 1] = static_cast<std::uint8_t>(-sum);
    }
    std::vector<std::uint8_t>& data_;
    std::vector<std::vector<std::uint8_t>> views_;
};

void set_rsdp(std::vector<std::uint8_t>& data) {
    if (data.size() < 20) return;
    std::memcpy(data.data(), "RSD PTR ", 8);
    data[15] = 0;
    data[8] = 0;
    std::uint8_t sum = 0;
    for (int i = 0; i < 20; ++i)
        sum = static_cast<std::uint8_t>(sum + data[static_cast<std::size_t>(i)]);
    data[8] = static_cast<std::uint8_t>(-sum);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace aios::dev;
    const std::vector<std::uint8_t> exact(data, data + size);
    const aios::Bytes table(reinterpret_cast<const std::byte*>(exact.data()), exact.size());
    AcpiFacts facts;
    std::uint64_t dsdt = 0;
    (void)acpi_read_madt(table, facts);
    (void)acpi_read_fadt(table, facts, dsdt);
    (void)acpi_read_hpet(table, facts);
    (void)acpi_find_s5(table, facts);
    acpi_find_virtio(table, facts);

    std::vector<std::uint8_t> memory_bytes(data, data + size);
    set_rsdp(memory_bytes);
    Memory memory(memory_bytes);
    (void)acpi_read(memory, kBase);
    return 0;
}
