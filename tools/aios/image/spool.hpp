// Where contents that come out of archives lie until an image is written: one file in a scratch folder, which goes with the
// object. What it takes is bounded, so that a small archive cannot fill the disk.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "tools/aios/host/files.hpp"
#include "tools/aios/host/progress.hpp"
#include "tools/aios/input/stored.hpp"

namespace aios::host {

inline constexpr std::uint64_t kUsualUnpackMib = 16384, kMostUnpackMib = 1 << 24;

class Spool {
public:
    // `most_mib`: what all contents together may have.
    [[nodiscard]] static Outcome<Spool> create(std::uint64_t most_mib = kUsualUnpackMib);

    // Contents are put in one after the other: begin, any number of appends, and end, which tells where they are. bad_input if
    // there would be more than is allowed; host_missing if there is no room.
    void begin() { begin_ = end_; }
    [[nodiscard]] Outcome<> append(std::string_view bytes);
    [[nodiscard]] Outcome<> append_zeros(std::uint64_t count); // takes no room on the disk
    [[nodiscard]] Stored end() const { return {.file = path_, .offset = begin_, .bytes = end_ - begin_}; }

    // For what is read of archives beside contents, such as headers. As much of it is allowed as of contents.
    [[nodiscard]] Outcome<> charge(std::uint64_t bytes);

    // Says what is under way, if it has taken a second or more since the spool was made; may be called often.
    void show_on(Progress& progress) { progress_ = &progress; }
    void tell(std::string_view what);
    // The same of what always takes that long.
    void announce(std::string_view what);

    // A folder for files of their own.
    [[nodiscard]] const std::filesystem::path& folder() const { return scratch_.path(); }

private:
    Spool(Scratch scratch, std::filesystem::path path, Descriptor file, std::uint64_t most_mib)
        : scratch_(std::move(scratch)), path_(std::move(path)), file_(std::move(file)), most_mib_(most_mib) {}
    [[nodiscard]] std::unexpected<Failure> unwritable() const;
    [[nodiscard]] std::unexpected<Failure> too_much() const;
    [[nodiscard]] std::uint64_t most() const { return most_mib_ << 20; }

    Scratch scratch_;
    std::filesystem::path path_;
    Descriptor file_;
    std::uint64_t most_mib_;
    Progress* progress_ = nullptr;
    std::chrono::steady_clock::time_point next_tell_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    std::uint64_t begin_ = 0, end_ = 0, charged_ = 0;
};

} // namespace aios::host
