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
    for (std::uint32_t cpu = 0; cpu < 70; ++cpu) {
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

// Device (VRnn) { Name (_HID, "LNRO0005"), ..., Name (_CRS, Buffer { Memory32Fixed, Interrupt }) }, as QEMU's microvm
// describes its places.
Data virtio_device(std::uint32_t base, std::uint32_t bytes) {
    Data resources = {0x86, 9, 0, 1};
    put(resources, base);
    put(resources, bytes);
    for (const int byte : {0x89, 6, 0, 3, 1, 5, 0, 0, 0, 0x79, 0})
        resources.push_back(static_cast<std::uint8_t>(byte));
    Data body = {'V', 'R', '0', '0', 8,   '_', 'H', 'I', 'D', 0x0d, 'L', 'N', 'R', 'O', '0', '0',
                 '0', '5', 0,   8,   '_', 'C', 'C', 'A', 1,   8,    '_', 'C', 'R', 'S', 0x11};
    body.push_back(static_cast<std::uint8_t>(resources.size() + 3));
    body.push_back(0x0a);
    body.push_back(static_cast<std::uint8_t>(resources.size()));
    body.insert(body.end(), resources.begin(), resources.end());
    Data device = {0x5b, 0x82};
    device.push_back(static_cast<std::uint8_t>(0x40 | ((body.size() + 2) & 0xf)));
    device.push_back(static_cast<std::uint8_t>((body.size() + 2) >> 4));
    device.insert(device.end(), body.begin(), body.end());
    return device;
}

VirtioPlaces places_in(const Data& aml) {
    const Data table = make_table("DSDT", aml);
    AcpiFacts facts;
    acpi_find_virtio(Bytes(reinterpret_cast<const std::byte*>(table.data()), table.size()), facts);
    return facts.virtio;
}

TEST(Acpi, FindsVirtioDevices) {
    Data aml;
    for (std::uint32_t i = 0; i < 40; ++i) {
        const Data device = virtio_device(0xfeb0'0000 + 512 * i, 512);
        aml.insert(aml.end(), device.begin(), device.end());
    }
    const VirtioPlaces places = places_in(aml);
    ASSERT_EQ(places.size(), 32u); // as many as there is room for
    EXPECT_EQ(places[0].base, 0xfeb0'0000u);
    EXPECT_EQ(places[31].base, 0xfeb0'0000u + 512 * 31);
    EXPECT_EQ(places[31].bytes, 512u);
}

TEST(Acpi, PassesOverWhatIsNoVirtioDevice) {
    const Data good = virtio_device(0xfeb0'0000, 512);
    EXPECT_EQ(places_in(good).size(), 1u);
    EXPECT_EQ(places_in(virtio_device(0xfeb0'0000, 16)).size(), 0u); // too short for the registers
    EXPECT_EQ(places_in(virtio_device(0xfeb0'0001, 512)).size(), 0u);
    for (std::size_t at = 0; at < good.size(); ++at) { // any byte wrong, or the end missing: never a read outside
        Data bad = good;
        bad[at] ^= 0xff;
        (void)places_in(bad);
        EXPECT_EQ(places_in(Data(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(at))).size(), 0u) << at;
    }
    Data other = good;
    other[18] = '4'; // LNRO0004...
    other[21] = '6';
    EXPECT_EQ(places_in(other).size(), 0u);
}

TEST(Acpi, ReducedHardwareHasARegisterToSleep) {
    Data table = make_fadt(0x5000);
    const auto read = [&] {
        fix_sum(table, 9, table.size());
        AcpiFacts facts;
        std::uint64_t dsdt = 0;
        EXPECT_TRUE(acpi_read_fadt(Bytes(reinterpret_cast<const std::byte*>(table.data()), table.size()), facts, dsdt));
        return facts;
    };
    set(table, 76, std::uint32_t{0x608});
    EXPECT_EQ(read().acpi_timer, 0x608);
    EXPECT_FALSE(read().sleep_control);
    set(table, 112, std::uint32_t{1 << 20 | 1 << 10});
    set(table, 248, std::uint64_t{0xfea0'0200});
    const AcpiFacts facts = read();
    ASSERT_TRUE(facts.sleep_control);
    EXPECT_EQ(facts.sleep_control->address, 0xfea0'0200u);
    EXPECT_EQ(facts.power_port_a, 0);
    EXPECT_EQ(facts.acpi_timer, 0);
    EXPECT_TRUE(facts.reset);
}

TEST(VirtioPlaces, WordsOfTheCommandLine) {
    VirtioPlaces places;
    read_virtio_words("seed=1 virtio_mmio.device=512@0xfeb00000:5 virtio_mmio.device=0x200@4273996288:6 "
                      "virtio_mmio.device=4K@0xd0000000:12:3 virtio_mmio.device=512@0xfeb00000:5",
                      places);
    ASSERT_EQ(places.size(), 3u); // the last is there already
    EXPECT_EQ(places[0].base, 0xfeb0'0000u);
    EXPECT_EQ(places[1].base, 4273996288u);
    EXPECT_EQ(places[1].bytes, 512u);
    EXPECT_EQ(places[2].bytes, 4096u);
    VirtioPlaces none;
    for (const char* wrong :
         {"virtio_mmio.device=", "virtio_mmio.device=512", "virtio_mmio.device=512@", "virtio_mmio.device=512@0x:1",
          "virtio_mmio.device=512@0xfeb00000", "virtio_mmio.device=@0xfeb00000:1",
          "virtio_mmio.device=512@0xfeb00001:1", "virtio_mmio.device=16@0xfeb00000:1",
          "virtio_mmio.device=512@0xffffffffffffffffff:1", "virtio_mmio.device=99999999999999999999@0xfeb00000:1",
          "virtio_mmio.device=17179869184G@0xfeb00000:1", "xvirtio_mmio.device=512@0xfeb00000:5"})
        read_virtio_words(wrong, none);
    EXPECT_TRUE(none.is_empty());
}

} // namespace
} // namespace aios::dev
