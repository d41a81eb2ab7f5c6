// Files of its own temporary trees, made and dropped.
#include "tests/hostile/attack.hpp"

int aios_main(const aios::StartupBlock& block) {
    using namespace hostile;
    const Attack attack(block, "temporary_files");
    for (;;) {
        OwnedHandle trees[16];
        for (OwnedHandle& tree : trees) {
            auto made = owned(sys::tree_create_temporary(self));
            if (made) tree = std::move(*made);
        }
        attack.count();
    }
}
