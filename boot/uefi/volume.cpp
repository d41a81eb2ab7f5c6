// Reading files through the firmware's FAT driver; see volume.hpp.
#include "boot/uefi/volume.hpp"

#include <algorithm>

namespace aios::efi {
namespace {

// The driver turns a read into one transfer for each contiguous run of clusters, so large pieces cost few round trips
// to the device; the limit is for the progress dots.
constexpr std::size_t kPiece = 8u << 20;

} // namespace

Result<File> File::open(Firmware& firmware, FileProtocol& root, std::string_view name, const char16_t* path) {
    FileProtocol* protocol = nullptr;
    Status status = root.open(&root, &protocol, path, kFileModeRead, 0);
    if (status == Status::not_found) return fail(Error::not_found);
    if (status != Status::success) return firmware.refuse(name, "the boot volume cannot be read", Error::device);
    File file(firmware, *protocol, name, 0);

    // Information ends with the file's name, which is at most 255 characters on FAT.
    alignas(FileInfo) std::uint8_t room[sizeof(FileInfo) + 256 * sizeof(char16_t)];
    std::size_t bytes = sizeof(room);
    if (protocol->get_info(protocol, &kFileInfoGuid, &bytes, room) != Status::success || bytes < sizeof(FileInfo))
        return firmware.refuse(name, "the firmware does not tell its size", Error::device);
    // SAFETY: `room` is aligned for a FileInfo, and the firmware has written one.
    const FileInfo& info = *reinterpret_cast<const FileInfo*>(room);
    if ((info.attribute & kFileAttributeDirectory) != 0)
        return firmware.refuse(name, "is a folder, not a file", Error::wrong_type);
    file.size_ = info.file_size;
    return file;
}

File::~File() {
    if (protocol_ != nullptr) protocol_->close(protocol_);
}

Result<> File::read(std::uint64_t offset, std::span<std::uint8_t> out) {
    if (protocol_->set_position(protocol_, offset) != Status::success)
        return firmware_.refuse(name_, "the boot volume cannot be read", Error::device);
    std::uint8_t second = firmware_.second();
    bool slow = false; // a whole second may have passed
    bool dots = false;
    while (!out.empty()) {
        std::size_t wanted = std::min(out.size(), kPiece);
        std::size_t bytes = wanted;
        Status status = protocol_->read(protocol_, &bytes, out.data());
        if (status != Status::success || bytes > wanted || bytes == 0) {
            if (dots) firmware_.print({});
            if (status == Status::success && bytes == 0)
                return firmware_.refuse(name_, "the file ends before its recorded size", Error::truncated);
            return firmware_.refuse(name_, "the boot volume cannot be read", Error::device);
        }
        out = out.subspan(bytes);
        if (std::uint8_t now = firmware_.second(); now != second && !out.empty()) {
            second = now;
            if (slow) firmware_.print({dots ? "." : "aios-loader: reading ."}, Firmware::Ending::none);
            dots = slow;
            slow = true;
        }
    }
    if (dots) firmware_.print({});
    return {};
}

} // namespace aios::efi
