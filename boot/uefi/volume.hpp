// Files of the volume that the loader was started from, read only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "boot/uefi/firmware.hpp"

namespace aios::efi {

class File {
public:
    // `name` is for messages, `path` the same for the firmware. Errors: not_found, device, wrong_type (a directory).
    // Nothing is printed on not_found, so that a file may be optional; every other failure has been reported.
    [[nodiscard]] static Result<File> open(Firmware& firmware, FileProtocol& root, std::string_view name,
                                           const char16_t* path);
    File(File&& other) noexcept
        : firmware_(other.firmware_), protocol_(other.protocol_), name_(other.name_), size_(other.size_) {
        other.protocol_ = nullptr;
    }
    File& operator=(File&&) = delete;
    ~File();

    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] std::string_view name() const { return name_; }

    // Fills `out` from `offset`, in large pieces, with a dot a second if it takes longer than one. Errors, reported:
    // truncated, device.
    [[nodiscard]] Result<> read(std::uint64_t offset, std::span<std::uint8_t> out);

private:
    File(Firmware& firmware, FileProtocol& protocol, std::string_view name, std::uint64_t size)
        : firmware_(firmware), protocol_(&protocol), name_(name), size_(size) {}

    Firmware& firmware_;
    FileProtocol* protocol_;
    std::string_view name_;
    std::uint64_t size_;
};

} // namespace aios::efi
