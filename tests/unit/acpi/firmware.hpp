// Builds ACPI tables in a make-believe physical memory.
#pragma once

#include <cstring>
#include <map>
#include <string_view>
#include <vector>

#include "kernel/dev/acpi.hpp"

namespace aios::dev {

using Data = std::vector<std::uint8_t>;

template <typename T>
void put(Data& data, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
        data.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}
template <typename T>
void set(Data& data, std::size_t offset, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
        data.at(offset + i) = static_cast<std::uint8_t>(value >> (8 * i));
}

inline void fix_sum(Data& data, std::size_t where, std::size_t length) {
    data[where] = 0;
    std::uint8_t sum = 0;
    for (std::size_t i = 0; i < length; ++i)
        sum = static_cast<std::uint8_t>(sum + data[i]);
    data[where] = static_cast<std::uint8_t>(-sum);
}

// A table with its header; body is what follows.
inline Data make_table(std::string_view name, const Data& body) {
    Data data(36, 0);
    std::memcpy(data.data(), name.data(), 4);
    data.insert(data.end(), body.begin(), body.end());
    set(data, 4, static_cast<std::uint32_t>(data.size()));
    fix_sum(data, 9, data.size());
    return data;
}

class Firmware final : public AcpiMemory {
public:
    std::map<std::uint64_t, Data> places;
    Result<Bytes> view(std::uint64_t address, std::uint64_t bytes) override {
        for (const auto& [base, data] : places) {
            if (address < base || address - base > data.size() || bytes > data.size() - (address - base)) continue;
            return Bytes(reinterpret_cast<const std::byte*>(data.data() + (address - base)), bytes);
        }
        return fail(Error::not_found);
    }
};

inline Data make_madt() {
    Data body;
    put<std::uint32_t>(body, 0xfee0'0000);
    put<std::uint32_t>(body, 1);
    for (std::uint8_t cpu = 0; cpu < 3; ++cpu) {
        put<std::uint8_t>(body, 0);
        put<std::uint8_t>(body, 8);
        put<std::uint8_t>(body, cpu);
        put<std::uint8_t>(body, static_cast<std::uint8_t>(cpu * 2));
        put<std::uint32_t>(body, cpu == 2 ? 0 : 1); // the third is not there
    }
    put<std::uint8_t>(body, 1);
    put<std::uint8_t>(body, 12);
    put<std::uint16_t>(body, 7);
    put<std::uint32_t>(body, 0xfec0'0000);
    put<std::uint32_t>(body, 0);
    put<std::uint8_t>(body, 2);
    put<std::uint8_t>(body, 10);
    put<std::uint16_t>(body, 0);
    put<std::uint32_t>(body, 2);
    put<std::uint16_t>(body, 0xf);
    return make_table("APIC", body);
}

inline Data make_fadt(std::uint64_t dsdt) {
    Data table(276, 0);
    std::memcpy(table.data(), "FACP", 4);
    set(table, 4, static_cast<std::uint32_t>(table.size()));
    set(table, 40, static_cast<std::uint32_t>(dsdt));
    set(table, 48, std::uint32_t{0xb2});
    set(table, 52, std::uint8_t{2});
    set(table, 64, std::uint32_t{0x604});
    set(table, 112, std::uint32_t{1 << 10});
    set(table, 116, std::uint8_t{1});
    set(table, 120, std::uint64_t{0xcf9});
    set(table, 128, std::uint8_t{0xf});
    fix_sum(table, 9, table.size());
    return table;
}

// Everything, as on a PC: RSDP at 0xe0000.
inline Firmware make_firmware() {
    Firmware firmware;
    firmware.places[0x1000] = make_madt();
    firmware.places[0x2000] = make_fadt(0x5000);
    Data hpet;
    put<std::uint32_t>(hpet, 0x8086'a201);
    put<std::uint32_t>(hpet, 0);
    put<std::uint64_t>(hpet, 0xfed0'0000);
    firmware.places[0x3000] = make_table("HPET", hpet);
    firmware.places[0x5000] =
        make_table("DSDT", {0x10, 0x20, 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 0x05, 0x01, 0x00, 0x00});
    Data pointers;
    for (const std::uint64_t address : {0x1000, 0x2000, 0x3000})
        put<std::uint64_t>(pointers, address);
    firmware.places[0x4000] = make_table("XSDT", pointers);
    Data rsdp(36, 0);
    std::memcpy(rsdp.data(), "RSD PTR ", 8);
    rsdp[15] = 2;
    set(rsdp, 20, std::uint32_t{36});
    set(rsdp, 24, std::uint64_t{0x4000});
    fix_sum(rsdp, 8, 20);
    fix_sum(rsdp, 32, 36);
    firmware.places[0xe0000] = rsdp;
    return firmware;
}

} // namespace aios::dev
