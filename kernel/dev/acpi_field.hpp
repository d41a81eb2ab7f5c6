// A number in a table of ACPI, and what acpi.cpp and acpi_dsdt.cpp share beside it.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "kernel/dev/acpi.hpp"

namespace aios::dev {

inline constexpr std::size_t kAcpiHeaderBytes = 36;

template <typename T>
Result<T> acpi_field(Bytes table, std::size_t offset) {
    if (offset > table.size() || table.size() - offset < sizeof(T)) return fail(Error::truncated);
    return load_le<T>(table.data() + offset);
}

// What the DSDT says of interest; nothing if it says nothing.
void acpi_read_dsdt(Bytes dsdt, AcpiFacts& facts);

} // namespace aios::dev
