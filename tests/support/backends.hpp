// Runs a test once with every backend that this machine has, and says which one failed.
#pragma once

#include <gtest/gtest.h>

#include "crypto/backend.hpp"

namespace aios::test {

template <typename Body>
void for_each_backend(const Body& body) {
    using crypto::Backend;
    const Backend usual = crypto::use_avx2() ? Backend::avx2 : Backend::portable;
    for (const Backend backend : {Backend::portable, Backend::avx2}) {
        if (!crypto::is_supported(backend)) continue;
        SCOPED_TRACE(backend == Backend::avx2 ? "avx2" : "portable");
        ASSERT_TRUE(crypto::use_backend(backend));
        body();
    }
    ASSERT_TRUE(crypto::use_backend(usual));
}

} // namespace aios::test
