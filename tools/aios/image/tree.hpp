// A tree of files while it is put together of layers, each laid over those before: archives, folders, packages. What a layer has
// replaces what was there under the same name; two directories of one name become one.
//
// Paths are relative, "" is the root. A name that lies below a symbolic link belongs where the link leads, within the tree: an
// absolute target begins at its root. What would lead above the root is refused, and never followed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/input/bundle.hpp"

namespace aios::host {

class Tree {
public:
    // What a directory does that comes where a link stands: archives and layers of containers have it replace the link, packages
    // mean the directory that the link leads to.
    enum class DirectoryOnLink : std::uint8_t { replaces, follows };

    // Sentences of what is refused begin with `name`, that of the layer.
    void begin_layer(std::string name, DirectoryOnLink rule = DirectoryOnLink::replaces);

    // Where a path of the layer belongs: without what says nothing ("./", "/" in front and behind), and with the links of its
    // directories followed. bad_input: "..", too long, leads out of the tree, lies below a file, too many links.
    [[nodiscard]] Outcome<std::string> place_of(std::string_view path);

    // Puts an entry at its path, which place_of() has given, with the directories above it. The target of a further name is a path
    // of the layer. bad_input: a root that is no directory, a further name of nothing, too many entries.
    [[nodiscard]] Outcome<> put(BundleEntry entry);
    // All of them. Further names may come in any order.
    [[nodiscard]] Outcome<> put_all(Bundle bundle);
    // Takes away what layers before this one have put at the place, and below it.
    void white_out(std::string_view place);
    // The same, but for the directory itself.
    void white_out_below(std::string_view directory);
    // Takes away whatever is at the path, of all layers.
    void remove(std::string_view path);

    // The file that the path names, through links of the tree; nullptr if there is none, or something else.
    [[nodiscard]] const BundleEntry* file(std::string_view path);
    // What has this very path; nullptr if nothing has. Of a further name it is the file.
    [[nodiscard]] const BundleEntry* entry(std::string_view path) const;
    // The paths of files in the directory, itself a place.
    [[nodiscard]] std::vector<std::string> names_in(std::string_view directory) const;
    [[nodiscard]] bool is_directory(std::string_view place) const;

    [[nodiscard]] Bundle bundle() &&;

private:
    struct Node {
        std::shared_ptr<BundleEntry> entry; // one for all names of a file; its path is of no meaning
        unsigned layer;                     // that has put it here
    };
    using Nodes = std::map<std::string, Node, std::less<>>;
    enum class Last : std::uint8_t { is_kept, is_followed };

    [[nodiscard]] Outcome<std::string> walk(std::string_view path, Last last);
    [[nodiscard]] const Node* find(std::string_view path) const;
    [[nodiscard]] Outcome<> insert(std::string path, std::shared_ptr<BundleEntry> entry);
    [[nodiscard]] bool is_empty(std::string_view directory) const;
    void remove_range(std::string_view directory, unsigned below_layer);
    [[nodiscard]] std::unexpected<Failure> refuse(std::string_view what) const;

    Nodes nodes_;
    std::string name_;
    unsigned layer_ = 0;
    std::set<std::string, std::less<>> whited_out_; // directories, by this layer
    DirectoryOnLink rule_ = DirectoryOnLink::replaces;
};

} // namespace aios::host
