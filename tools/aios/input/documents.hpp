// The documents of a run: every plain-text file below a folder, read into memory in an order that does not depend on
// the file system. What cannot be used is counted and named, never half taken. Nothing outside the folder is read:
// symbolic links are not followed. UTF-16 and Latin-1 become UTF-8 (encoding.hpp), everything else stays as it is.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/host/outcome.hpp"

namespace aios::host {

inline constexpr std::uint64_t kMaxDocumentBytes = 16ull << 20;
inline constexpr std::uint64_t kMaxDocumentsBytes = 256ull << 20;
inline constexpr std::size_t kMaxDocuments = 50'000;

struct Document {
    std::string name;  // relative to the folder, with '/', in the file system's own bytes
    std::string bytes; // as in the file
};

// Why something in the folder was not taken in; the last two tell of a folder that changed while it was read.
enum class Skip { binary, too_large, link, unreadable, special, removed, changed };
inline constexpr std::size_t kSkips = 7;
[[nodiscard]] std::string_view skip_reason(Skip why); // as the report has it: "symbolic link"

struct SkippedFile {
    std::string name; // as a document's; a folder ends in '/'
    Skip why;
};

struct ConvertedFile {
    std::string name;
    std::string_view from; // "UTF-16", "Latin-1"
};

inline constexpr std::size_t kMaxNamed = 10'000; // skipped and converted files that are named; all are counted

struct Documents {
    std::vector<Document> list; // sorted by name, bytewise
    std::uint64_t total_bytes = 0;
    std::array<std::size_t, kSkips> skips{}; // by Skip
    std::vector<SkippedFile> skipped;
    std::size_t conversions = 0;
    std::vector<ConvertedFile> converted;

    [[nodiscard]] std::size_t count(Skip why) const { return skips[static_cast<std::size_t>(why)]; }
};

// A file or folder to take in; names of what is found start with `prefix`.
struct DocumentSource {
    std::filesystem::path path;
    std::string prefix;
};

// Reads all sources. Refuses (bad_input) a source that is missing or cannot be read, what exceeds the limits above, and
// sources that hold no text at all.
[[nodiscard]] Outcome<Documents> gather_documents(std::span<const DocumentSource> sources);

// Plain text holds no NUL byte and at most one other control character in fifty bytes. Empty is text.
[[nodiscard]] bool is_plain_text(std::string_view bytes);

// "1,400 documents (1.7 MB); skipped: 2 binary files": what was taken and what was not.
[[nodiscard]] std::string describe(const Documents& documents);

} // namespace aios::host
