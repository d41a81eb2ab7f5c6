#include "tools/aios/image/archive.hpp"

#include <algorithm>
#include <clocale>
#include <format>

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/stat.h>

#include "boot/manifest.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr std::size_t kPiece = 256 << 10;
constexpr std::uint64_t kNanoseconds = 1'000'000'000;
constexpr int kMostFilters = 2; // one that unpacks, and the one that reads

// libarchive gives names in the thread's character set: here that is UTF-8, whatever the user's is, so that none is refused or
// changed.
class Utf8Names {
public:
    Utf8Names() : before_(::uselocale(locale())) {}
    ~Utf8Names() { ::uselocale(before_); }
    Utf8Names(const Utf8Names&) = delete;
    Utf8Names& operator=(const Utf8Names&) = delete;

private:
    static locale_t locale() {
        static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
        return utf8; // nullptr, where a machine has none, changes nothing
    }
    locale_t before_;
};

std::string text_or_nothing(const char* text) { return text == nullptr ? std::string() : std::string(text); }

std::uint64_t time_of(archive_entry* entry) {
    if (archive_entry_mtime_is_set(entry) == 0 || archive_entry_mtime(entry) < 0) return 0;
    const auto seconds = static_cast<std::uint64_t>(archive_entry_mtime(entry));
    const auto rest = std::clamp<std::int64_t>(archive_entry_mtime_nsec(entry), 0, kNanoseconds - 1);
    return std::min(seconds, ~std::uint64_t{0} / kNanoseconds - 1) * kNanoseconds + static_cast<std::uint64_t>(rest);
}

std::optional<EntryKind> kind_of(archive_entry* entry) {
    if (archive_entry_hardlink(entry) != nullptr) return EntryKind::name;
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
        return EntryKind::file;
    case AE_IFDIR:
        return EntryKind::directory;
    case AE_IFLNK:
        return EntryKind::link;
    default:
        return std::nullopt;
    }
}

} // namespace

// What the bytes of the archive come from: a piece of a file, through a buffer.
struct Archive::Source {
    Source(StoredReader file, std::uint64_t size) : reader(std::move(file)), bytes(size) {}

    StoredReader reader;
    std::uint64_t bytes, at = 0;
    std::string buffer = std::string(kPiece, '\0');
    std::string failed; // why it could not be read

    static la_ssize_t read(archive*, void* self, const void** into) {
        auto& source = *static_cast<Source*>(self);
        const std::size_t count = std::min<std::uint64_t>(source.bytes - source.at, source.buffer.size());
        if (count > 0) {
            const auto done = source.reader.read(source.at, std::span(source.buffer).first(count));
            if (!done) {
                source.failed = done.error().sentence;
                return -1;
            }
        }
        *into = source.buffer.data();
        source.at += count;
        return static_cast<la_ssize_t>(count);
    }
    static la_int64_t skip(archive*, void* self, la_int64_t count) {
        auto& source = *static_cast<Source*>(self);
        const std::uint64_t skipped =
            std::min(source.bytes - source.at, static_cast<std::uint64_t>(std::max<la_int64_t>(count, 0)));
        source.at += skipped;
        return static_cast<la_int64_t>(skipped);
    }
};

void Archive::Free::operator()(archive* reader) const { archive_read_free(reader); }
Archive::Archive(std::string name) : name_(std::move(name)), reader_(archive_read_new()) {}
Archive::Archive(Archive&&) noexcept = default;
Archive::~Archive() = default;

std::unexpected<Failure> Archive::refuse(std::string_view what) const {
    return failure(Exit::bad_input, std::format("'{}' {}.", printable(name_), what));
}

std::unexpected<Failure> Archive::damaged() const {
    if (source_ && !source_->failed.empty()) return failure(Exit::bad_input, source_->failed);
    return refuse(std::format("{}: {}", is_begun_ ? "is damaged" : "is no archive that can be read",
                              lower_first(shortened(text_or_nothing(archive_error_string(reader_.get()))))));
}

Outcome<> Archive::begin(Form form) {
    archive* const reader = reader_.get();
    if (reader == nullptr) return failure(Exit::host_missing, "there is no memory for reading archives.");
    // Of those that libarchive would leave to other programs none is meant.
    for (const auto support : {archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
                               archive_read_support_filter_xz, archive_read_support_filter_zstd})
        support(reader);
    if (form == Form::tar)
        archive_read_support_format_tar(reader);
    else
        archive_read_support_format_ar(reader);
    return {};
}

Outcome<Archive> Archive::open(const Stored& from, std::string name, Form form) {
    Archive opened(std::move(name));
    HOST_TRY(opened.begin(form));
    opened.source_ = std::make_unique<Source>(HOST_TRY(StoredReader::open(from)), from.bytes);
    const Utf8Names utf8;
    if (archive_read_open2(opened.reader_.get(), opened.source_.get(), nullptr, Source::read, Source::skip, nullptr) !=
        ARCHIVE_OK)
        return opened.damaged();
    return opened;
}

Outcome<Archive> Archive::open(std::string_view from, std::string name, Form form) {
    Archive opened(std::move(name));
    HOST_TRY(opened.begin(form));
    const Utf8Names utf8;
    if (archive_read_open_memory(opened.reader_.get(), from.data(), from.size()) != ARCHIVE_OK) return opened.damaged();
    return opened;
}

Outcome<std::optional<ArchiveMember>> Archive::next() {
    const Utf8Names utf8;
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(reader_.get(), &entry);
    if (archive_filter_count(reader_.get()) > kMostFilters) return refuse("is compressed more than once");
    if (status == ARCHIVE_EOF) return std::nullopt;
    // A warning is of what an image has no place for, or of a name that is not UTF-8 and comes as it is.
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return damaged();
    is_begun_ = true;
    ArchiveMember read{.path = text_or_nothing(archive_entry_pathname(entry)), .target = {}};
    read.kind = kind_of(entry);
    if (read.kind == EntryKind::name) read.target = text_or_nothing(archive_entry_hardlink(entry));
    if (read.kind == EntryKind::link) read.target = text_or_nothing(archive_entry_symlink(entry));
    read.mode = static_cast<std::uint16_t>(archive_entry_perm(entry) & boot::kManifestModeBits);
    read.modified_ns = time_of(entry);
    return read;
}

Outcome<> Archive::contents(const TakeContents& take, const TakeZeros& zeros) {
    la_int64_t end = 0; // of what was taken
    for (;;) {
        const void* piece = nullptr;
        std::size_t bytes = 0;
        la_int64_t offset = 0;
        const int status = archive_read_data_block(reader_.get(), &piece, &bytes, &offset);
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN && status != ARCHIVE_EOF) return damaged();
        if (offset < end) {
            if (status == ARCHIVE_EOF) return {};
            return refuse("is damaged: parts of a sparse file overlap");
        }
        HOST_TRY(zeros(static_cast<std::uint64_t>(offset - end)));
        if (status == ARCHIVE_EOF) return {};
        HOST_TRY(take(std::string_view(static_cast<const char*>(piece), bytes)));
        end = offset + static_cast<la_int64_t>(bytes);
    }
}

std::uint64_t Archive::unpacked() const {
    return static_cast<std::uint64_t>(std::max<la_int64_t>(archive_filter_bytes(reader_.get(), 0), 0));
}

} // namespace aios::host
