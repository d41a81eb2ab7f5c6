#include <sys/auxv.h>

#include "runtime/kernel/startup.hpp"

namespace aios {

const StartupBlock* startup_block() {
    const auto* block =
        reinterpret_cast<const StartupBlock*>(getauxval(kAuxStartup)); // SAFETY: put there by the kernel
    return block != nullptr && block->version == 1 ? block : nullptr;
}

} // namespace aios
