// Random bytes for the kernel and for programs: one HMAC-DRBG a CPU (crypto/hmac_drbg.hpp), seeded from RDRAND, the
// hand-off seed and timing jitter, reseeded as it is used. With seed= on the command line the sequence is fixed
// (development boots only).
#pragma once

#include "base/result.hpp"
#include "base/types.hpp"

namespace aios::dev {

// Fills `out`, at most 64 KiB a call. not_ready before the pool is seeded: nothing random is handed out before that.
// Lock: Rank::entropy; any context but NMI; interrupts are off for 64 bytes at a time.
Result<> random_bytes(MutableBytes out);

} // namespace aios::dev
