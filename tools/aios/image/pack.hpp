// A folder of the host, or an archive, as the entries of an image: files, folders, symbolic and hard links, with their modes and
// times.
#pragma once

#include <filesystem>

#include "tools/aios/input/bundle.hpp"

namespace aios::host {

// bad_input, with a sentence that names the file: something else than these (a device, a socket, a pipe), a path that an
// image cannot hold, a time before 1970, what cannot be read, or what changes meanwhile. Links are not followed, but for
// `folder` itself.
[[nodiscard]] Outcome<Bundle> pack_folder(const std::filesystem::path& folder);
// A folder, or a tar archive (tar.hpp).
[[nodiscard]] Outcome<Bundle> pack_source(const std::filesystem::path& source);

} // namespace aios::host
