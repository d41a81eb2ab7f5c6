// Lays an archive over a tree: contents go to the spool, names to the tree.
#pragma once

#include "tools/aios/image/archive.hpp"
#include "tools/aios/image/spool.hpp"
#include "tools/aios/image/tree.hpp"

namespace aios::host {

// Whether a name that begins with `.wh.` takes away what layers before have under the rest of it (OCI image-spec 1.1, "Image Layer
// Filesystem Changeset"): `.wh.NAME` one name, `.wh..wh..opq` all in its directory. Others that begin with `.wh..wh.` mean nothing.
enum class Whiteouts : std::uint8_t { are_names, take_away };

// The contents of the archive's entry, in the spool.
[[nodiscard]] Outcome<Stored> unpack_file(Archive& archive, Spool& spool);

// How many devices, pipes and sockets were passed over. A name that comes twice is what it was last. bad_input: what Archive,
// Tree and Spool refuse.
[[nodiscard]] Outcome<std::uint64_t> apply_archive(Archive& archive, Tree& tree, Spool& spool, Whiteouts whiteouts,
                                                   Tree::DirectoryOnLink rule = Tree::DirectoryOnLink::replaces);

} // namespace aios::host
