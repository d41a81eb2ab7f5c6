// Files that a virtual machine monitor gives to the guest (QEMU's fw_cfg, docs/specs/fw_cfg): here the entropy seed
// "opt/aios/seed". The protocol part is pure: bytes come from a source that host tests replace.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "base/types.hpp"

namespace aios::dev {

class FwCfgSource {
public:
    virtual void select(std::uint16_t key) = 0; // the next byte is the item's first
    virtual std::uint8_t next() = 0;            // zeros past the item's end

protected:
    ~FwCfgSource() = default;
};

inline constexpr std::uint32_t kFwCfgMaxFiles = 1024;

// Reads the start of a file into `out`; answers the bytes that are there, at most out.size(). not_found: no such
// interface or file.
Result<std::size_t> fw_cfg_read(FwCfgSource& source, std::string_view name, MutableBytes out);
// The same from this machine's ports.
Result<std::size_t> fw_cfg_read(std::string_view name, MutableBytes out);

} // namespace aios::dev
