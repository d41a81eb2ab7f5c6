// A mutex for host tests that need no threads of the kernel: it spins.
#include <thread>

#include "kernel/sync/lock.hpp"

namespace aios::sync {
void MutexCore::lock() {
    static thread_local char self;
    void* nobody = nullptr;
    while (!owner_.compare_exchange_weak(nobody, &self)) {
        nobody = nullptr;
        std::this_thread::yield();
    }
}
void MutexCore::unlock() { owner_.store(nullptr); }
} // namespace aios::sync
