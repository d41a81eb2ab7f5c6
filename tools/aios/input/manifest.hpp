// The manifest of a section (boot/manifest.hpp), made of a bundle's entries: the one encoding that there is for them.
#pragma once

#include <string>
#include <vector>

#include "crypto/merkle.hpp"
#include "tools/aios/host/outcome.hpp"
#include "tools/aios/input/bundle.hpp"

namespace aios::host {

struct SectionLayout {
    std::vector<crypto::MerkleHash> leaves; // one a data page, files in the order of the bundle's entries
    std::string manifest;
};

// The leaf of each page of these bytes, of which the last need not be whole.
void append_leaves(std::string_view bytes, std::vector<crypto::MerkleHash>& leaves);

// Brings the entries into their order, with a directory for each path that needs one and a root (mode 0555, time 0), and
// the first name of each file before its others. bad_input, with a sentence: a path twice, a file where a directory is
// needed, a name of nothing, too many entries, stored contents that cannot be read or are not those of their root.
[[nodiscard]] Outcome<SectionLayout> lay_out_section(Bundle& bundle);

} // namespace aios::host
