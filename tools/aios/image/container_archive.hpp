// Archives of containers: image layouts of OCI (image-spec 1.1: oci-layout, index.json, blobs) and what `docker save` writes
// (manifest.json). Their outer archive is unpacked into a tree already; this reads the image for linux/amd64 from it, checks each
// blob against its digest, and lays the layers over each other.
#pragma once

#include "tools/aios/image/config.hpp"
#include "tools/aios/image/spool.hpp"
#include "tools/aios/image/tree.hpp"

namespace aios::host {

// Whether the tree is such an archive, unpacked.
[[nodiscard]] bool is_container_archive(Tree& archive);

struct Container {
    Tree tree;
    ImageConfig config;
    std::uint64_t passed_over = 0; // devices, pipes and sockets
};

// bad_input, with sentences that begin with `name`: no image for linux/amd64 or more than one, a blob that is missing or is not what
// its digest says, documents that say something else than they should, and what apply_archive() refuses.
[[nodiscard]] Outcome<Container> unpack_container(Tree& archive, const std::string& name, Spool& spool);

} // namespace aios::host
