// Opens files for ever: what the kernel keeps for one has to be paid.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "open_files");
    const Handle bundle = handle(StartupRole::bundle);
    constexpr std::string_view kPath = "bin/open_files";
    for (;;)
        if (sys::tree_open(bundle, kPath.data(), kPath.size())) attack.count();
}
