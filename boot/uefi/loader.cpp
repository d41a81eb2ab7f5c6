// BOOTX64.EFI: loads the kernel, the container and the command line from the volume it was started from, and hands the
// machine to the kernel. Promises and refusals: docs/design/boot.md. One thread, no interrupt of its own; what fails is
// said in one sentence on the console, and nothing of a start that was refused stays behind.
#include "boot/uefi/cpu.hpp"
#include "boot/uefi/depart.hpp"
#include "boot/uefi/efi.hpp"
#include "boot/uefi/files.hpp"
#include "boot/uefi/firmware.hpp"

namespace aios::efi {
namespace {

// Too large for a stack frame: the compiler would call a stack probe that a loader does not have.
CommandLine command_line;

struct Volume {
    explicit Volume(FileProtocol* opened) : root(opened) {}
    Volume(const Volume&) = delete;
    Volume& operator=(const Volume&) = delete;
    ~Volume() { root->close(root); }
    FileProtocol* root;
};

Result<> load_and_start(Firmware& firmware, std::uint64_t entry_tsc) {
    auto root = firmware.boot_volume();
    if (!root) return firmware.refuse("boot volume", "it cannot be opened", root.error());
    Volume volume(*root);
    TRY(command_line_load(firmware, *volume.root, command_line));
    LoadedKernel kernel = TRY(kernel_load(firmware, *volume.root));
    LoadedContainer container = TRY(container_load(firmware, *volume.root));
    return depart(firmware, kernel, container, command_line, entry_tsc);
}

} // namespace
} // namespace aios::efi

extern "C" [[gnu::ms_abi]] aios::efi::Status efi_main(aios::efi::Handle image, aios::efi::SystemTable* system) {
    std::uint64_t entry_tsc = aios::efi::cpu_tsc();
    aios::efi::Firmware firmware(image, *system);
    auto result = aios::efi::load_and_start(firmware, entry_tsc);
    return firmware.end(result ? aios::Error::device : result.error());
}
