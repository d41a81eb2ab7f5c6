// copy_from_user and copy_to_user on the test's own memory, checked as arch does it, with low addresses that fault.
#include <cstring>

#include "tests/unit/ipc/support.hpp"

std::function<void()> aios::test::during_copy;
std::atomic<long> aios::test::live_frames{0};

// Frames are numbers here: what counts is that each reference is given back.
void aios::mm::release_frames(arch::PhysAddr, unsigned) { --test::live_frames; }

namespace aios::arch {

Result<> copy_from_user(void* to, std::uint64_t from, std::size_t bytes) {
    if (!is_user_range(from, bytes) || (bytes != 0 && from < test::kBadBelow)) return fail(Error::bad_address);
    if (bytes != 0) std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
    return {};
}
Result<> copy_to_user(std::uint64_t to, const void* from, std::size_t bytes) {
    if (to == test::kSlowAddress && test::during_copy) test::during_copy();
    if (!is_user_range(to, bytes) || (bytes != 0 && to < test::kBadBelow)) return fail(Error::bad_address);
    if (bytes != 0) std::memcpy(reinterpret_cast<void*>(to), from, bytes);
    return {};
}

} // namespace aios::arch
