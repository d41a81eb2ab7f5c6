#include "tools/aios/input/documents.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/input/encoding.hpp"

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
    [[nodiscard]] Outcome<> keep(std::string name, std::string bytes);
    void skip(std::string name, Skip why) {
        ++found_.skips[static_cast<std::size_t>(why)];
        if (found_.skipped.size() < kMaxNamed) found_.skipped.push_back({std::move(name), why});
    }

    Documents found_;
};

bool same_contents(const struct stat& one, const struct stat& two) {
    return one.st_size == two.st_size && one.st_mtim.tv_sec == two.st_mtim.tv_sec &&
           one.st_mtim.tv_nsec == two.st_mtim.tv_nsec;
}

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
    struct stat before{};
    struct stat after{};
    if (::fstat(file, &before) != 0) return skip(std::move(name), Skip::unreadable), Outcome<>();
    if (!S_ISREG(before.st_mode)) return skip(std::move(name), Skip::special), Outcome<>();
    if (static_cast<std::uint64_t>(before.st_size) > kMaxDocumentBytes)
        return skip(std::move(name), Skip::too_large), Outcome<>();
    // The file may grow while it is read: the limit is checked on what arrives.
    auto bytes = read_descriptor(file, kMaxDocumentBytes);
    if (!bytes) {
        skip(std::move(name), bytes.error() == EFBIG ? Skip::too_large : Skip::unreadable);
        return {};
    }
    // What was written to in the meantime is taken as it was read, and said.
    if (::fstat(file, &after) != 0 || !same_contents(before, after)) skip(name, Skip::changed);
    const Encoding encoding = guess_encoding(*bytes);
    if (encoding != Encoding::as_it_is) *bytes = convert_to_utf8(*bytes, encoding);
    if (bytes->size() > kMaxDocumentBytes) return skip(std::move(name), Skip::too_large), Outcome<>();
    if (!is_plain_text(*bytes)) return skip(std::move(name), Skip::binary), Outcome<>();
    if (encoding != Encoding::as_it_is) {
        ++found_.conversions;
        if (found_.converted.size() < kMaxNamed) found_.converted.push_back({name, encoding_name(encoding)});
    }
    return keep(std::move(name), std::move(*bytes));
}

Outcome<> Gatherer::keep(std::string name, std::string bytes) {
    found_.total_bytes += bytes.size();
    found_.list.push_back({std::move(name), std::move(bytes)});
    if (found_.list.size() > kMaxDocuments)
        return failure(Exit::bad_input, std::format("there are more than {} text files; give a smaller folder.",
                                                    with_thousands(kMaxDocuments)));
    if (found_.total_bytes > kMaxDocumentsBytes)
        return failure(Exit::bad_input,
                       std::format("the documents hold more than {} MiB of text; give a smaller folder.",
                                   kMaxDocumentsBytes >> 20));
    return {};
}

// Why an entry that was listed cannot be opened.
Skip why_closed(int error) {
    switch (error) {
    case ELOOP:
        return Skip::link;
    case ENXIO:
    case ENODEV:
        return Skip::special;
    case ENOENT:
        return Skip::removed;
    default:
        return Skip::unreadable;
    }
}

Outcome<> Gatherer::take_entry(int folder, const std::string& entry, const std::string& prefix, int depth) {
    // O_NONBLOCK: opening a pipe must not wait for its other end.
    const Descriptor opened(::openat(folder, entry.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!opened) return skip(prefix + entry, why_closed(errno)), Outcome<>();
    struct stat status{};
    if (::fstat(opened.number(), &status) != 0 || !S_ISDIR(status.st_mode))
        return take_file(opened.number(), prefix + entry);
    const std::string name = prefix + entry + "/";
    if (depth == kMaxDepth) return skip(name, Skip::unreadable), Outcome<>();
    return take_folder(opened.number(), name, depth + 1);
}

Outcome<> Gatherer::take_folder(int folder, const std::string& prefix, int depth) {
    struct stat before{};
    struct stat after{};
    const bool known = ::fstat(folder, &before) == 0;
    std::vector<std::string> names;
    if (!list_folder(folder, names)) skip(prefix.empty() ? "./" : prefix, Skip::unreadable);
    for (const std::string& name : names)
        HOST_TRY(take_entry(folder, name, prefix, depth));
    // An entry that came, went or was renamed since the listing shows as a change of the folder.
    if (known && (::fstat(folder, &after) != 0 || !same_contents(before, after)))
        skip(prefix.empty() ? "./" : prefix, Skip::changed);
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
        if ((byte < 0x20 && !usual) || byte == 0x7f) ++controls;
    }
    return controls * 50 <= bytes.size();
}

std::string describe(const Documents& documents) {
    std::string text =
        std::format("{} ({})", counted(documents.list.size(), "document"), human_bytes(documents.total_bytes));
    std::string_view sign = "; ";
    const auto add = [&](std::size_t count, std::string_view before, std::string_view what) {
        if (count == 0) return;
        text += std::format("{}{}{}", sign, before, counted(count, what));
        sign = ", ";
    };
    const auto skips = [&](Skip why, std::string_view what) {
        add(documents.count(why), sign == "; " ? "skipped: " : "", what);
    };
    skips(Skip::binary, "binary file");
    skips(Skip::too_large, "file over 16 MiB|files over 16 MiB");
    skips(Skip::link, "symbolic link");
    skips(Skip::unreadable, "unreadable entry|unreadable entries");
    skips(Skip::special, "special file");
    sign = "; ";
    add(documents.conversions, "converted to UTF-8: ", "file");
    const std::size_t changes = documents.count(Skip::removed) + documents.count(Skip::changed);
    sign = "; ";
    add(changes, "the folder changed while it was read: ", "entry|entries");
    return text;
}

std::string_view skip_reason(Skip why) {
    switch (why) {
    case Skip::binary:
        return "binary";
    case Skip::too_large:
        return "too large";
    case Skip::link:
        return "symbolic link";
    case Skip::unreadable:
        return "unreadable";
    case Skip::special:
        return "special file";
    case Skip::removed:
        return "removed while the folder was read";
    case Skip::changed:
        return "changed while it was read";
    }
    return "";
}

Outcome<Documents> gather_documents(std::span<const DocumentSource> sources) {
    Gatherer gatherer;
    for (const DocumentSource& source : sources)
        HOST_TRY(gatherer.take_source(source));
    return gatherer.finish();
}

} // namespace aios::host
