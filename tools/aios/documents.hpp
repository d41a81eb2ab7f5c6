// The documents of a run: every plain-text file below a folder, read into memory in an order that does not depend on
// the file system. What cannot be used is counted, never half taken. Nothing outside the folder is read: symbolic links
// are not followed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/outcome.hpp"

namespace aios::host {

inline constexpr std::uint64_t kMaxDocumentBytes = 16ull << 20;
inline constexpr std::uint64_t kMaxDocumentsBytes = 256ull << 20;
inline constexpr std::size_t kMaxDocuments = 50'000;

struct Document {
    std::string name;  // relative to the folder, with '/', in the file system's own bytes
    std::string bytes; // as in the file
};

struct Documents {
    std::vector<Document> list; // sorted by name, bytewise
    std::uint64_t total_bytes = 0;
    std::size_t binaries = 0;   // skipped: not plain text
    std::size_t too_large = 0;  // skipped: over kMaxDocumentBytes
    std::size_t links = 0;      // skipped: symbolic links
    std::size_t unreadable = 0; // skipped: files and folders that could not be opened
    std::size_t special = 0;    // skipped: pipes, sockets, devices
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
