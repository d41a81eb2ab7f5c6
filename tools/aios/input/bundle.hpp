// The container of a run (boot/container.hpp): the boot bundle from a list that the build made, the job bundle from
// documents and questions. Everything is hashed and laid out first and then written in one pass.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.hpp"
#include "tools/aios/host/outcome.hpp"
#include "tools/aios/input/documents.hpp"
#include "tools/aios/input/stored.hpp"

namespace aios::host {

enum class EntryKind : std::uint8_t { file, directory, link, name }; // name: a further name of a file, a hard link

struct BundleEntry {
    std::string path;  // in the bundle
    std::string bytes; // of a file, unless they are stored
    bool executable = false;
    std::filesystem::path source = {}; // the file on this machine that it comes from
    EntryKind kind = EntryKind::file;
    std::optional<std::uint16_t> mode = {}; // unless given: 0555 or 0444
    std::uint64_t modified_ns = 0;          // since 1970
    std::string target = {};                // of a link; the path of the file that a name belongs to
    std::optional<Stored> stored = {};      // the contents of a file that are not in memory

    [[nodiscard]] std::uint64_t size() const { return stored ? stored->bytes : bytes.size(); }
};

struct Bundle {
    std::vector<BundleEntry> entries; // in any order; paths differ; directories need not be named
    std::string first;                // the first program; empty for a job bundle
};

// Reads a bundle list: lines "path TAB mark TAB file" and one "first TAB - TAB path" (cmake/AiosBundle.cmake has the marks).
[[nodiscard]] Outcome<Bundle> read_boot_list(const std::filesystem::path& list);

// The job bundle, and which document stands behind a name that had to be replaced.
struct Job {
    Bundle bundle;
    std::map<std::string, std::string> true_names; // name below docs/ -> name on the host
};
inline constexpr std::string_view kJobDocuments = "docs/"; // where documents lie in the job bundle
// Takes the contents of the documents; their names stay.
[[nodiscard]] Outcome<Job> make_job(std::vector<Document>& documents, const std::vector<std::string>& questions);

// True if a bundle may hold an entry of this path: valid UTF-8, at most kMaxPathBytes, components of 1 to 255 bytes
// that are neither "." nor "..", no NUL.
[[nodiscard]] bool is_bundle_path(std::string_view path);

// The contents of a file, one part after the other (stored.hpp): whole pages, but for the last part.
[[nodiscard]] Outcome<> read_contents(const BundleEntry& entry, const TakeContents& take);

// Bytes of the container that it has made. Sorts the entries by path, and adds directories. bad_input also if what is stored
// changes meanwhile.
[[nodiscard]] Outcome<std::uint64_t> write_container(const std::filesystem::path& path, Bundle& boot, Bundle& job);

} // namespace aios::host
