// fw_cfg on a PC: a selector and a data port. See fw_cfg.hpp.
#include "kernel/arch/machine.hpp"
#include "kernel/dev/fw_cfg.hpp"

namespace aios::dev {
namespace {

class Ports final : public FwCfgSource {
public:
    void select(std::uint16_t key) override { arch::port_write16(0x510, key); }
    std::uint8_t next() override { return arch::port_read8(0x511); }
};

} // namespace

Result<std::size_t> fw_cfg_read(std::string_view name, MutableBytes out) {
    Ports ports;
    return fw_cfg_read(ports, name, out);
}

} // namespace aios::dev
