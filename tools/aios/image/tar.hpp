// A tar archive as the entries of an image: the ustar and pax formats of POSIX.1-2017 (XCU, pax), and the long names and
// large numbers of GNU tar. Uncompressed; contents of other kinds are refused, as of folders.
#pragma once

#include <string>
#include <string_view>

#include "tools/aios/input/bundle.hpp"

namespace aios::host {

[[nodiscard]] bool is_tar(std::string_view bytes);

// Names are relative to the archive's root, whatever they begin with ("./", "/"). Of a directory that comes again the later mode and
// time hold. bad_input, with a sentence that begins with `name`, the archive's, and names what is wrong: a device, a sparse file, a
// path with "..", a time before 1970, numbers that are none, a cut.
[[nodiscard]] Outcome<Bundle> read_tar(std::string_view archive, std::string_view name);

} // namespace aios::host
