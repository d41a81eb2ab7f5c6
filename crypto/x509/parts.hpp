// The parts of a certificate that are read in files of their own. See x509.hpp.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "crypto/der.hpp"
#include "crypto/x509.hpp"

namespace aios::crypto::detail::x509 {

// One Time (RFC 5280 section 4.1.2.5), as seconds since 1970.
[[nodiscard]] Result<std::int64_t> read_time(der::Reader& in);

// A Name (section 4.1.2.4): its whole encoding. `is_empty`: it has no parts.
struct Name {
    Bytes whole;
    bool is_empty;
};
[[nodiscard]] Result<Name> read_name(der::Reader& in);

// What the extensions say besides what is in Certificate.
struct ExtensionFacts {
    bool subject_alt_name_is_critical = false;
};

// The contents of Extensions (section 4.2).
[[nodiscard]] Result<ExtensionFacts> read_extensions(der::Reader extensions, Certificate& certificate);

} // namespace aios::crypto::detail::x509
