#include "tools/aios/documents.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/aios/files.hpp"
#include "tools/aios/text.hpp"

namespace aios::host {

namespace {

constexpr int kMaxDepth = 200; // folders inside folders; each holds one descriptor open

class Gatherer {
public:
    [[nodiscard]] Outcome<> take_source(const DocumentSource& source);
    [[nodiscard]] Outcome<Documents> finish();

private:
    [[nodiscard]] Outcome<> take_folder(int folder, const std::string& prefix, int depth);
    [[nodiscard]] Outcome<> take_entry(int folder, const std::string& entry, const std::string& prefix, int depth);
    [[nodiscard]] Outcome<> take_file(int file, std::string name);

    Documents found_;
};

// The names in an open folder, sorted. False if it could not be read to the end.
bool list_folder(int folder, std::vector<std::string>& names) {
    const int copy = ::dup(folder);
    DIR* stream = copy < 0 ? nullptr : ::fdopendir(copy);
    if (stream == nullptr) {
        if (copy >= 0) ::close(copy);
        return false;
    }
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
        errno = 0;
    }
    const bool whole = errno == 0;
    ::closedir(stream);
    std::ranges::sort(names);
    return whole;
}

Outcome<> Gatherer::take_file(int file, std::string name) {
    struct stat status{};
    if (::fstat(file, &status) != 0) {
        found_.unreadable++;
        return {};
    }
    if (!S_ISREG(status.st_mode)) {
        found_.special++;
        return {};
    }
    if (static_cast<std::uint64_t>(status.st_size) > kMaxDocumentBytes) {
        found_.too_large++;
        return {};
    }
    // The file may grow while it is read: the limit is checked on what arrives.
    auto bytes = read_descriptor(file, kMaxDocumentBytes);
    if (!bytes) {
        if (bytes.error() == EFBIG)
            found_.too_large++;
        else
            found_.unreadable++;
        return {};
    }
    if (!is_plain_text(*bytes)) {
        found_.binaries++;
        return {};
    }
    found_.total_bytes += bytes->size();
    found_.list.push_back({std::move(name), std::move(*bytes)});
    if (found_.list.size() > kMaxDocuments)
        return failure(Exit::bad_input, std::format("there are more than {} text files; give a smaller folder.",
                                                    with_thousands(kMaxDocuments)));
    if (found_.total_bytes > kMaxDocumentsBytes)
        return failure(Exit::bad_input,
                       std::format("the documents hold more than {} MiB of text; give a smaller folder.",
                                   kMaxDocumentsBytes >> 20));
    return {};
}

Outcome<> Gatherer::take_entry(int folder, const std::string& entry, const std::string& prefix, int depth) {
    // O_NONBLOCK: opening a pipe must not wait for its other end.
    const Descriptor opened(::openat(folder, entry.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!opened) {
        switch (errno) {
        case ELOOP:
            found_.links++;
            return {};
        case ENXIO:
        case ENODEV:
            found_.special++;
            return {};
        case ENOENT:
            return {}; // removed since the folder was listed
        default:
            found_.unreadable++;
            return {};
        }
    }
    struct stat status{};
    if (::fstat(opened.number(), &status) == 0 && S_ISDIR(status.st_mode)) {
        if (depth == kMaxDepth) {
            found_.unreadable++;
            return {};
        }
        return take_folder(opened.number(), prefix + entry + "/", depth + 1);
    }
    return take_file(opened.number(), prefix + entry);
}

Outcome<> Gatherer::take_folder(int folder, const std::string& prefix, int depth) {
    std::vector<std::string> names;
    if (!list_folder(folder, names)) found_.unreadable++;
    for (const std::string& name : names)
        HOST_TRY(take_entry(folder, name, prefix, depth));
    return {};
}

Outcome<> Gatherer::take_source(const DocumentSource& source) {
    // The source itself may be a symbolic link: the user named it.
    const Descriptor opened(::open(source.path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!opened)
        return failure(Exit::bad_input, std::format("'{}' cannot be read: {}.", printable(source.path.native()),
                                                    lower_first(std::strerror(errno))));
    struct stat status{};
    if (::fstat(opened.number(), &status) != 0 || !S_ISDIR(status.st_mode))
        return take_file(opened.number(), source.prefix);
    return take_folder(opened.number(), source.prefix, 0);
}

Outcome<Documents> Gatherer::finish() {
    const auto has_text = [](const Document& document) {
        return document.bytes.find_first_not_of(" \t\r\n\v\f") != std::string::npos;
    };
    if (std::ranges::none_of(found_.list, has_text))
        return failure(Exit::bad_input,
                       std::format("no text was found ({}); give --docs a folder that holds plain-text "
                                   "files.",
                                   describe(found_)));
    std::ranges::sort(found_.list, {}, &Document::name);
    return std::move(found_);
}

} // namespace

bool is_plain_text(std::string_view bytes) {
    std::size_t controls = 0;
    for (const char c : bytes) {
        if (c == '\0') return false;
        const auto byte = static_cast<unsigned char>(c);
        const bool usual = byte == '\t' || byte == '\n' || byte == '\v' || byte == '\f' || byte == '\r' || byte == 0x1b;
        if ((byte < 0x20 && !usual) || byte == 0x7f) controls++;
    }
    return controls * 50 <= bytes.size();
}

std::string describe(const Documents& documents) {
    std::string text =
        std::format("{} ({})", counted(documents.list.size(), "document"), human_bytes(documents.total_bytes));
    std::string skipped;
    const auto add = [&](std::size_t count, std::string_view what) {
        if (count == 0) return;
        skipped += skipped.empty() ? "; skipped: " : ", ";
        skipped += counted(count, what);
    };
    add(documents.binaries, "binary file");
    add(documents.too_large, "file over 16 MiB|files over 16 MiB");
    add(documents.links, "symbolic link");
    add(documents.unreadable, "unreadable entry|unreadable entries");
    add(documents.special, "special file");
    return text + skipped;
}

Outcome<Documents> gather_documents(std::span<const DocumentSource> sources) {
    Gatherer gatherer;
    for (const DocumentSource& source : sources)
        HOST_TRY(gatherer.take_source(source));
    return gatherer.finish();
}

} // namespace aios::host
