// ACPI tables: what a good set says, and that bad lengths, checksums and pointers are refused without harm.
#include "tests/unit/acpi/firmware.hpp"

#include <gtest/gtest.h>

namespace aios::dev {
namespace {

TEST(Acpi, ReadsAPc) {
    Firmware firmware = make_firmware();
    const auto facts = acpi_read(firmware, 0xe0000);
    ASSERT_TRUE(facts.has_value());
    EXPECT_EQ(facts->processors.size(), 2u);
    EXPECT_EQ(facts->processors[1], 2u);
    ASSERT_EQ(facts->io_apics.size(), 1u);
    EXPECT_EQ(facts->io_apics[0].address, 0xfec0'0000u);
    EXPECT_EQ(facts->io_apics[0].id, 7);
    ASSERT_EQ(facts->overrides.size(), 1u);
    EXPECT_EQ(facts->overrides[0].line, 2u);
    EXPECT_TRUE(facts->overrides[0].active_low);
    EXPECT_TRUE(facts->overrides[0].level);
    EXPECT_EQ(facts->local_apic, 0xfee0'0000u);
    EXPECT_EQ(facts->hpet, 0xfed0'0000u);
    ASSERT_TRUE(facts->reset.has_value());
    EXPECT_EQ(facts->reset->address, 0xcf9u);
    EXPECT_EQ(facts->reset_value, 0xf);
    EXPECT_EQ(facts->power_port_a, 0x604);
    EXPECT_EQ(facts->sleep_type_a, 5);
    EXPECT_EQ(facts->sleep_type_b, 1);
    EXPECT_EQ(facts->tables_refused, 0u);
}

TEST(Acpi, RefusesARootThatIsWrong) {
    for (const std::size_t at : {0u, 9u, 20u, 30u}) {
        Firmware firmware = make_firmware();
        firmware.places[0xe0000][at] ^= 1;
        EXPECT_EQ(acpi_read(firmware, 0xe0000).error(), Error::bad_format) << at;
    }
    Firmware firmware = make_firmware();
    EXPECT_FALSE(acpi_read(firmware, 0x7777'0000).has_value());
    firmware.places[0x4000][10] ^= 1;
    EXPECT_EQ(acpi_read(firmware, 0xe0000).error(), Error::bad_format);
}

TEST(Acpi, LeavesOutABadTableAndKeepsTheRest) {
    Firmware firmware = make_firmware();
    firmware.places[0x1000][50] ^= 1; // checksum of the MADT
    auto facts = acpi_read(firmware, 0xe0000);
    ASSERT_TRUE(facts.has_value());
    EXPECT_EQ(facts->tables_refused, 1u);
    EXPECT_EQ(facts->processors.size(), 0u);
    EXPECT_EQ(facts->hpet, 0xfed0'0000u);

    firmware = make_firmware();
    set(firmware.places[0x3000], 4, std::uint32_t{0xffff'ffff}); // length of the HPET table
    facts = acpi_read(firmware, 0xe0000);
    ASSERT_TRUE(facts.has_value());
    EXPECT_EQ(facts->tables_refused, 1u);
    EXPECT_EQ(facts->hpet, 0u);
}

TEST(Acpi, RefusesMadtEntriesThatDoNotFit) {
    for (const std::uint8_t length : {0, 1, 9, 255}) {
        Data table = make_madt();
        table[45] = length; // of the first entry
        AcpiFacts facts;
        EXPECT_FALSE(acpi_read_madt(Bytes(reinterpret_cast<const std::byte*>(table.data()), table.size()), facts))
            << +length;
    }
    const Data whole = make_madt();
    AcpiFacts facts;
    EXPECT_FALSE(acpi_read_madt(Bytes(reinterpret_cast<const std::byte*>(whole.data()), 38), facts).has_value());
}

TEST(Acpi, CountsProcessorsBeyondItsLimit) {
    Data body;
    put<std::uint64_t>(body, 0);
    for (std::uint32_t cpu = 0; cpu < 70; cpu++) {
        put<std::uint32_t>(body, 0x0000'1009);
        put<std::uint32_t>(body, 1000 + cpu);
        put<std::uint32_t>(body, 1);
        put<std::uint32_t>(body, cpu);
    }
    const Data table = make_table("APIC", body);
    AcpiFacts facts;
    ASSERT_TRUE(
        acpi_read_madt(Bytes(reinterpret_cast<const std::byte*>(table.data()), table.size()), facts).has_value());
    EXPECT_EQ(facts.processors.size(), 64u);
    EXPECT_EQ(facts.processors_left_out, 6u);
}

TEST(Acpi, FindsSleepTypesOnlyWhereTheyAre) {
    AcpiFacts facts;
    const auto find = [&](Data aml) {
        const Data table = make_table("DSDT", aml);
        return acpi_find_s5(Bytes(reinterpret_cast<const std::byte*>(table.data()), table.size()), facts);
    };
    EXPECT_EQ(find({}).error(), Error::not_found);
    EXPECT_EQ(find({'_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 5}).error(), Error::not_found);  // no NameOp
    EXPECT_EQ(find({0x08, '_', 'S', '5', '_', 0x12, 0xc6, 0x04, 0}).error(), Error::bad_format); // ends too early
    EXPECT_EQ(find({0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 9}).error(), Error::bad_format);
    EXPECT_TRUE(find({0x08, '\\', '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x00, 0x00, 0x00, 0x00}).has_value());
    EXPECT_EQ(facts.sleep_type_a, 0);
}

} // namespace
} // namespace aios::dev
