// An image: a container (boot/container.hpp) whose first section is a tree and whose second is empty. Reading one checks
// all of it that the kernel would, and that nothing in it is without meaning: two images of one tree are the same bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "boot/container.hpp"
#include "boot/manifest_table.hpp"
#include "tools/aios/host/outcome.hpp"
#include "tools/aios/input/bundle.hpp"

namespace aios::host {

// Whether the file begins as an image does, whatever follows.
[[nodiscard]] bool begins_as_image(const std::filesystem::path& path);

// A file that is there already is replaced when all is written; the tree may have contents in it.
[[nodiscard]] Outcome<std::uint64_t> write_image(const std::filesystem::path& path, Bundle& tree);

class Image {
public:
    // Checks header and manifest. bad_input, with a sentence.
    [[nodiscard]] static Outcome<Image> open(const std::filesystem::path& path);
    // Checks every page, every leaf and every byte between. bad_input, with a sentence that names the file that is wrong.
    [[nodiscard]] Outcome<> verify() const;
    [[nodiscard]] const boot::ManifestTable& table() const { return table_; }
    [[nodiscard]] std::string root() const; // hexadecimal; says all that is in it
    [[nodiscard]] std::uint64_t bytes() const { return file_.bytes; }
    // What is in it, whose contents stay in the file and are checked as they are read.
    [[nodiscard]] Bundle tree() const;

private:
    [[nodiscard]] Outcome<> check_layout() const;
    explicit Image(Stored file, StoredReader reader) : file_(std::move(file)), reader_(std::move(reader)) {}
    [[nodiscard]] Outcome<std::string> part(std::uint64_t offset, std::uint64_t bytes) const;
    [[nodiscard]] Outcome<> check_file(std::uint32_t index, std::span<const crypto::MerkleHash> leaves) const;
    [[nodiscard]] std::unexpected<Failure> refuse(std::string_view what) const;

    std::string name_;
    Stored file_;
    StoredReader reader_;
    boot::ContainerSection section_{}, empty_{};
    std::vector<std::uint64_t> manifest_; // aligned
    std::vector<std::uint32_t> room_;
    boot::ManifestTable table_;
};

} // namespace aios::host
