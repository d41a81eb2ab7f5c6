#include "tools/aios/machine/uefi_boot.hpp"

#include "tools/aios/input/disk.hpp"

namespace aios::host {

Outcome<> prepare_uefi_boot(const std::filesystem::path& loader, const std::filesystem::path& scratch,
                            MachineSpec& spec) {
    spec.disk = scratch / "disk.img";
    spec.firmware_variables = scratch / "variables.fd";
    HOST_TRY(make_disk(spec.disk, {loader, spec.kernel, spec.container, spec.command_line}));
    std::error_code error;
    std::filesystem::copy_file("/usr/share/OVMF/OVMF_VARS_4M.fd", spec.firmware_variables, error);
    if (error) return failure(Exit::host_missing, "the UEFI firmware OVMF was not found; run ./aios setup.");
    return {};
}

} // namespace aios::host
