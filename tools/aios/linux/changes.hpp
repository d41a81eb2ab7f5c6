// What a program has changed in its folders, put into a folder of this machine: files, links and directories under the paths
// that the program sees; of what is gone an empty file ".wh.NAME", as layers of OCI images have it.
//
// The paths are the program's choice. They are walked from the folder component by component, through directories alone, so
// nothing is written beside it. Bits for other users' rights (setuid) do not come out.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "messages/view.hpp"
#include "tools/aios/host/files.hpp"

namespace aios::host {

class Changes {
public:
    // The folder: made, if it is not there. Refuses one that has anything in it.
    [[nodiscard]] static Outcome<Changes> create(const std::filesystem::path& folder);
    // Refuses what makes no sense, and what cannot be written.
    [[nodiscard]] Outcome<> take(const messages::view::ProgramChange& change);
    [[nodiscard]] Outcome<> take(const messages::view::ProgramData& data);
    // All were told, or the last file is cut off. Directories get their modes and times.
    [[nodiscard]] Outcome<> finish(bool is_cut);

private:
    struct Place {
        Descriptor directory;
        std::string name;
    };
    struct Directory {
        std::string path;
        std::uint32_t mode;
        std::uint64_t modified_ns;
    };
    explicit Changes(std::filesystem::path folder, Descriptor root)
        : folder_(std::move(folder)), root_(std::move(root)) {}
    [[nodiscard]] Outcome<Place> place_of(std::string_view path) const;
    [[nodiscard]] Outcome<> put(const messages::view::ProgramChange& change, const Place& place);
    [[nodiscard]] Outcome<> finish_file();
    [[nodiscard]] static Outcome<> pass_over(std::string_view path, std::string_view why);
    [[nodiscard]] std::unexpected<Failure> cannot(std::string_view path) const;

    std::filesystem::path folder_;
    Descriptor root_;
    std::vector<Directory> directories_;
    bool is_cut_ = false;
    // The file that comes now.
    Descriptor file_;
    std::string file_path_;
    std::uint64_t file_left_ = 0, file_bytes_ = 0; // to come; in all
    std::uint32_t file_mode_ = 0;
    std::uint64_t file_modified_ns_ = 0;
};

} // namespace aios::host
