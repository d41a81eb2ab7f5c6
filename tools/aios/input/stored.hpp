// Contents that stay where they are on this machine until they are needed: a piece of a file. Trees of files are put together of
// such pieces, so that no more than some of the contents is ever in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/merkle.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/outcome.hpp"

namespace aios::host {

struct Stored {
    std::filesystem::path file;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::optional<crypto::MerkleHash> root = {}; // what the tree over its pages has to be, of a file in an image
};

// Reads at any place. Its refusals are bad_input and name the file; that it has become shorter is one.
class StoredReader {
public:
    [[nodiscard]] static Outcome<StoredReader> open(const Stored& from);
    // All that `to` has room for, from `at` on, which the piece has to have.
    [[nodiscard]] Outcome<> read(std::uint64_t at, std::span<char> to) const;

private:
    StoredReader(Stored from, Descriptor file) : from_(std::move(from)), file_(std::move(file)) {}
    [[nodiscard]] std::unexpected<Failure> refuse(std::string_view what) const;

    Stored from_;
    Descriptor file_;
};

// The whole piece, one part after the other: each has whole pages, but for the last. Nothing if the piece is empty.
using TakeContents = std::function<Outcome<>(std::string_view part)>;
[[nodiscard]] Outcome<> read_parts(const Stored& from, const TakeContents& take);

// All at once, checked against its root where it has one. bad_input also if there are more than `limit` bytes.
[[nodiscard]] Outcome<std::string> read_stored(const Stored& from, std::uint64_t limit);

} // namespace aios::host
