#include "crypto/constant_time.hpp"

namespace aios::crypto::detail {

const volatile std::uint64_t kOpaqueZero = 0;

} // namespace aios::crypto::detail
