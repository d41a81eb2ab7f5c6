// What the user has - a folder, an archive, an archive of a container, an image - as a tree of files, folders, symbolic and hard
// links, with their modes and times. Contents stay where they are, or go to the spool.
#pragma once

#include <filesystem>

#include "tools/aios/image/config.hpp"
#include "tools/aios/image/spool.hpp"
#include "tools/aios/image/tree.hpp"

namespace aios::host {

// bad_input, with a sentence that names the file: something else than these (a device, a socket, a pipe), a path that an
// image cannot hold, a time before 1970, what cannot be read, or what changes meanwhile. Links are not followed, but for
// `folder` itself.
[[nodiscard]] Outcome<Bundle> pack_folder(const std::filesystem::path& folder);

struct Packed {
    Tree tree;
    ImageConfig config;
    std::uint64_t passed_over = 0; // devices, pipes and sockets of archives
};
// Told apart by what they are: a folder, an image (image.hpp), an archive (archive.hpp); and a folder or archive that holds the
// image of a container (container_archive.hpp) is that image.
[[nodiscard]] Outcome<Packed> pack_source(const std::filesystem::path& source, Spool& spool);

} // namespace aios::host
