// The manifest of a section (boot/manifest_table.hpp), with the memory for its numbers of files, four bytes each.
#pragma once

#include "boot/manifest_table.hpp"

namespace aios::fs {

class Manifest : public boot::ManifestTable {
public:
    Manifest() = default;
    ~Manifest();
    Manifest(const Manifest&) = delete;

    // Once. `data` must outlive the manifest and be aligned to 8 bytes. bad_format, truncated; unsupported (version);
    // too_large; out_of_memory.
    Result<> parse(Bytes data, std::uint64_t data_pages);

private:
    std::uint32_t* room_ = nullptr; // in the heap
};

} // namespace aios::fs
