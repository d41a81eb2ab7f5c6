// Archives, read by libarchive: tar (ustar, pax, GNU) and ar, as they are or compressed by gzip, bzip2, xz or zstd. An archive
// lies in a file of this machine or is a piece of one, so that archives within archives are read without more copies.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tools/aios/input/bundle.hpp"

struct archive;

namespace aios::host {

// What the headers of an entry say. Contents follow, if it is a file.
struct ArchiveMember {
    std::string path;                // as it stands there
    std::optional<EntryKind> kind{}; // none: a device, a pipe, a socket
    std::string target;              // of a link, and the file of a further name
    std::uint16_t mode = 0;
    std::uint64_t modified_ns = 0; // 0 also for times before 1970
};

class Archive {
public:
    enum class Form : std::uint8_t { tar, ar };
    // Sentences begin with `name`. bad_input: not such an archive.
    [[nodiscard]] static Outcome<Archive> open(const Stored& from, std::string name, Form form = Form::tar);
    // The same of bytes in memory, which outlive the object.
    [[nodiscard]] static Outcome<Archive> open(std::string_view from, std::string name, Form form = Form::tar);
    Archive(Archive&&) noexcept;
    ~Archive();

    // The next entry; nothing at the end. What is left of the contents of the one before is passed over. bad_input: damaged.
    [[nodiscard]] Outcome<std::optional<ArchiveMember>> next();
    // The contents of the entry. `zeros` takes the holes of a sparse file, and may be called with 0.
    using TakeZeros = std::function<Outcome<>(std::uint64_t count)>;
    [[nodiscard]] Outcome<> contents(const TakeContents& take, const TakeZeros& zeros);

    // How much was read so far, of what was compressed after unpacking: headers, contents and what was passed over.
    [[nodiscard]] std::uint64_t unpacked() const;
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::unexpected<Failure> refuse(std::string_view what) const;

private:
    struct Source;
    struct Free {
        void operator()(archive* reader) const;
    };
    explicit Archive(std::string name);
    [[nodiscard]] Outcome<> begin(Form form);
    [[nodiscard]] std::unexpected<Failure> damaged() const;

    std::string name_;
    std::unique_ptr<Source> source_; // is read until the reader goes
    std::unique_ptr<archive, Free> reader_;
    bool is_begun_ = false; // an entry was read
};

} // namespace aios::host
