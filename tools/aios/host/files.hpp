// Files of the host: descriptors that close themselves, whole reads with a limit, writes that either finish or leave
// nothing, and a scratch folder that goes away with its object (signals become ordinary ends: see stop.hpp).
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "tools/aios/host/outcome.hpp"

namespace aios::host {

class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) {
            reset();
            number_ = std::exchange(other.number_, -1);
        }
        return *this;
    }
    ~Descriptor() { reset(); }
    explicit operator bool() const { return number_ >= 0; }
    [[nodiscard]] int number() const { return number_; }
    void reset();

private:
    int number_ = -1;
};

// Everything from an open file. The error is an errno; EFBIG if there is more than `limit`.
[[nodiscard]] std::expected<std::string, int> read_descriptor(int file, std::uint64_t limit);

// The contents of a regular file of at most `limit` bytes; refuses with bad_input.
[[nodiscard]] Outcome<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit);

// Writes pieces to a new file. Unless finish() succeeded, the file is removed again.
class FileWriter {
public:
    [[nodiscard]] static Outcome<FileWriter> create(std::filesystem::path path);
    FileWriter(FileWriter&&) noexcept = default;
    FileWriter& operator=(FileWriter&&) noexcept = default;
    ~FileWriter();
    [[nodiscard]] Outcome<> write(std::string_view bytes);
    [[nodiscard]] Outcome<> write_zeros(std::uint64_t count);
    [[nodiscard]] Outcome<> finish();
    [[nodiscard]] std::uint64_t written() const { return written_; }

private:
    FileWriter(std::filesystem::path path, Descriptor file) : path_(std::move(path)), file_(std::move(file)) {}
    std::filesystem::path path_;
    Descriptor file_;
    std::uint64_t written_ = 0;
};

// Puts `bytes` at `path` by way of a temporary file beside it, so that `path` is never half-written. What is not a
// regular file
// (/dev/stdout, a pipe) is written directly.
[[nodiscard]] Outcome<> replace_file(const std::filesystem::path& path, std::string_view bytes);

// Refuses now what replace_file would refuse later: a missing folder or one that cannot be written.
[[nodiscard]] Outcome<> check_writable(const std::filesystem::path& path);

// A private folder for the files of one run, removed with the object. A program that was killed cannot remove it: the
// next one that makes a scratch folder beside it does. The folder is locked as long as its owner lives, and bears a
// marker, so that nothing else is ever taken for one.
class Scratch {
public:
    // In TMPDIR, or /tmp.
    [[nodiscard]] static Outcome<Scratch> create();
    Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
    Scratch& operator=(Scratch&&) = delete;
    ~Scratch();
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    Scratch(std::filesystem::path path, Descriptor lock) : path_(std::move(path)), lock_(std::move(lock)) {}
    std::filesystem::path path_;
    Descriptor lock_; // the folder itself, open and locked
};

// Removes the scratch folders in `folder` whose owner is gone; answers how many. Called by Scratch::create.
std::size_t sweep_scratch(const std::filesystem::path& folder);

} // namespace aios::host
