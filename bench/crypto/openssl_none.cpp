// The benchmark without OpenSSL: a program by itself.
#include "bench/crypto/operation.hpp"

namespace aios::bench {

Body openssl_body(const Operation&) { return {}; }
std::string openssl_version() { return {}; }

} // namespace aios::bench
