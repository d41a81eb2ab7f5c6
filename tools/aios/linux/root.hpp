// The root of a Linux program while it is put together: what `./aios run-linux` packs. Paths are absolute, as the program
// will see them. A file that is looked for and is not there is taken from this machine, if the root is one that follows it
// (no --rootfs): together with the symbolic links on the way, so that the program finds it under every name.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/input/bundle.hpp"

namespace aios::host {

class Root {
public:
    enum class Missing : bool { is_missing, comes_from_here };
    explicit Root(Missing missing) : missing_(missing) {}

    // Everything in the folder, as `at` ("/" or a path below it); what was there before under the same name goes.
    [[nodiscard]] Outcome<> add_folder(const std::filesystem::path& folder, std::string_view at);
    // The same of a tree that is there already.
    [[nodiscard]] Outcome<> add_tree(Bundle tree, std::string_view at);
    // A directory of that path, unless there is one.
    void add_directory(std::string_view path);
    // A file of that name, unless there is one.
    void add_text(std::string_view path, std::string text);

    // The file that the path names, through symbolic links; nullptr if there is none. Stays as long as the root, unless a
    // folder is added. Refuses what is there and cannot be read.
    [[nodiscard]] Outcome<const BundleEntry*> find(std::string_view path);
    // The same, but only whether there is a directory.
    [[nodiscard]] bool has_directory(std::string_view path);
    // Where the path leads: absolute, without links; as it is where nothing is there.
    [[nodiscard]] std::string place_of(std::string_view path);
    // The files in the directory and below it, absolute.
    [[nodiscard]] std::vector<std::string> files_below(std::string_view directory);
    [[nodiscard]] bool follows_this_machine() const { return missing_ == Missing::comes_from_here; }

    [[nodiscard]] Bundle bundle() &&;

private:
    struct Walk {
        std::string place;            // the path without links
        BundleEntry* entry = nullptr; // nullptr: a directory that no entry names, or nothing
    };
    [[nodiscard]] Outcome<Walk> walk(std::string_view path);
    [[nodiscard]] BundleEntry* entry_at(const std::string& place); // takes it from this machine, if need be
    [[nodiscard]] bool is_directory(const std::string& place);

    const Missing missing_;
    std::map<std::string, BundleEntry, std::less<>> entries_; // by path without the leading slash
};

} // namespace aios::host
