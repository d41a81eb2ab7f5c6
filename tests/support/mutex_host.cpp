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
bool MutexCore::try_lock() {
    static thread_local char self;
    void* nobody = nullptr;
    return owner_.compare_exchange_strong(nobody, &self);
}
void MutexCore::unlock() { owner_.store(nullptr); }
} // namespace aios::sync
