// How a program is started from an image, unless the user says otherwise. An image of ours has it as a file in its root, which
// `./aios run-linux` reads and takes away; the archives of containers as their configuration (oci.hpp).
#pragma once

#include <string>
#include <vector>

#include "tools/aios/image/tree.hpp"

namespace aios::host {

inline constexpr std::string_view kConfigFile = ".aios-config.json";

struct ImageConfig {
    std::vector<std::string> environment; // NAME=VALUE
    std::string directory;                // absolute; empty: not said
    std::vector<std::string> program;     // and its arguments; empty: not said

    [[nodiscard]] bool is_empty() const { return environment.empty() && directory.empty() && program.empty(); }
};

// Takes the file out of the tree, if it has one. bad_input: it has one that is no configuration; `name` is that of the tree.
[[nodiscard]] Outcome<ImageConfig> take_config(Tree& tree, std::string_view name);
// Puts the file into the tree, unless there is nothing to be said. The same configuration is the same bytes.
[[nodiscard]] Outcome<> put_config(Tree& tree, const ImageConfig& config);

} // namespace aios::host
