// Ranges are checked here, faults are taken in user_copy.S. A user range never reaches kernel addresses, whatever its
// length.
#include "kernel/arch/arch.hpp"
#include "kernel/arch/x86_64/features.hpp"

extern "C" {
std::uint64_t user_copy_bytes(void* to, const void* from, std::size_t bytes);
std::uint64_t user_copy_wide(void* to, const void* from, std::size_t bytes);
std::uint64_t user_load_word(std::uint64_t address, std::uint32_t* value);
std::uint64_t user_exchange_word(std::uint64_t address, std::uint32_t* expected, std::uint32_t desired);
}

namespace aios::arch {
namespace {

// A wide copy changes registers of the thread, so it must not copy the area that a switch saves them to: that is smaller
// than this where wide moves are used (features.cpp).
constexpr std::size_t kWideFrom = kPageSize;

bool is_user_word(std::uint64_t address) { return is_user_range(address, 4) && address % 4 == 0; }

// The rest of the kernel knows of the access: what it must wait for, and when it goes on after an interrupt.
class Access {
public:
    Access() : keeps_extended_state_(upcall::user_access_begins()) {}
    ~Access() { upcall::user_access_ends(); }
    Access(const Access&) = delete;
    [[nodiscard]] std::uint64_t copy(void* to, const void* from, std::size_t bytes) const {
        const bool is_wide = bytes >= kWideFrom && keeps_extended_state_ && x86::features().wide_moves;
        return is_wide ? user_copy_wide(to, from, bytes) : user_copy_bytes(to, from, bytes);
    }

private:
    const bool keeps_extended_state_;
};

} // namespace

Result<> copy_from_user(void* to, std::uint64_t from, std::size_t bytes) {
    if (!is_user_range(from, bytes)) return fail(Error::bad_address);
    const Access access;
    // SAFETY: a user address, dereferenced only in user_copy.S, where faults are caught.
    if (access.copy(to, reinterpret_cast<const void*>(from), bytes) != 0) return fail(Error::bad_address);
    return {};
}

Result<> copy_to_user(std::uint64_t to, const void* from, std::size_t bytes) {
    if (!is_user_range(to, bytes)) return fail(Error::bad_address);
    const Access access;
    // SAFETY: as above.
    if (access.copy(reinterpret_cast<void*>(to), from, bytes) != 0) return fail(Error::bad_address);
    return {};
}

Result<std::uint32_t> user_load_u32(std::uint64_t address) {
    std::uint32_t value = 0;
    if (!is_user_word(address)) return fail(Error::bad_address);
    const Access access;
    if (user_load_word(address, &value) != 0) return fail(Error::bad_address);
    return value;
}

Result<bool> user_compare_exchange_u32(std::uint64_t address, std::uint32_t& expected, std::uint32_t desired) {
    std::uint32_t found = expected;
    if (!is_user_word(address)) return fail(Error::bad_address);
    const Access access;
    if (user_exchange_word(address, &found, desired) != 0) return fail(Error::bad_address);
    const bool exchanged = found == expected;
    expected = found;
    return exchanged;
}

} // namespace aios::arch
