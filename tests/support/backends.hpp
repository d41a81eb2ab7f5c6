// Runs a test once with every backend that this machine has, and says which one failed; `plain`: also without VAES and
// ADX, for what has a path of its own there.
#pragma once

#include <gtest/gtest.h>

#include "crypto/backend.hpp"

namespace aios::test {

enum class Plain { left_out, too };

template <typename Body>
void for_each_backend(const Body& body, Plain plain = Plain::left_out) {
    using crypto::Backend;
    const Backend usual = crypto::use_avx2() ? Backend::avx2 : Backend::portable;
    for (const Backend backend : {Backend::portable, Backend::avx2_plain, Backend::avx2}) {
        if (!crypto::is_supported(backend)) continue;
        if (backend == Backend::avx2_plain && plain == Plain::left_out) continue;
        SCOPED_TRACE(backend == Backend::portable ? "portable" : backend == Backend::avx2 ? "avx2" : "avx2_plain");
        ASSERT_TRUE(crypto::use_backend(backend));
        body();
    }
    ASSERT_TRUE(crypto::use_backend(usual));
}

} // namespace aios::test
