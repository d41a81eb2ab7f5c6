#include "tools/aios/input/disk.hpp"

#include <cstdlib>
#include <format>
#include <string>
#include <vector>

#include "tools/aios/host/files.hpp"
#include "tools/aios/host/process.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kSlack = 16ull << 20;    // FATs, folders, rounding to clusters
constexpr std::uint64_t kSmallest = 64ull << 20; // enough clusters for FAT32

Outcome<> mtools(const std::vector<std::string>& arguments) {
    std::string output;
    const auto keep = [&](std::string_view text) { output += text; };
    const int status = run_process(arguments, std::chrono::minutes(5), keep).status;
    if (status == 0) return {};
    if (status == 127)
        return failure(Exit::host_missing, std::format("{} was not found; run ./aios setup.", arguments[0]));
    return failure(Exit::host_missing, std::format("the disk image cannot be made, {} says: {}", arguments[0],
                                                   printable(output.substr(0, output.find('\n')))));
}

} // namespace

Outcome<> make_disk(const std::filesystem::path& disk, const DiskContents& contents) {
    std::uint64_t bytes = kSlack;
    for (const auto* file : {&contents.loader, &contents.kernel, &contents.container}) {
        std::error_code error;
        bytes += std::filesystem::file_size(*file, error);
        if (error)
            return failure(Exit::host_missing,
                           std::format("'{}' is missing; run ./aios build.", printable(file->native())));
    }
    bytes = std::max(bytes, kSmallest);
    const std::filesystem::path command_line = disk.parent_path() / "cmdline.txt";
    FileWriter text = HOST_TRY(FileWriter::create(command_line));
    HOST_TRY(text.write(contents.command_line));
    HOST_TRY(text.finish());

    FileWriter image = HOST_TRY(FileWriter::create(disk));
    HOST_TRY(image.write(std::string_view("\0", 1)));
    HOST_TRY(image.finish());
    std::error_code error;
    std::filesystem::resize_file(disk, bytes / kSector * kSector, error);
    if (error) return failure(Exit::host_missing, "there is no room for the disk image; free some space.");

    ::setenv("MTOOLS_SKIP_CHECK", "1", 1);
    const std::string image_name = disk.native();
    HOST_TRY(mtools({"mformat", "-i", image_name, "-F", "-v", "AIOS", "-T", std::to_string(bytes / kSector), "::"}));
    HOST_TRY(mtools({"mmd", "-i", image_name, "::/EFI", "::/EFI/BOOT", "::/AIOS"}));
    const auto copy = [&](const std::filesystem::path& from, const std::string& to) {
        return mtools({"mcopy", "-i", image_name, from.native(), "::" + to});
    };
    HOST_TRY(copy(contents.loader, "/EFI/BOOT/BOOTX64.EFI"));
    HOST_TRY(copy(contents.kernel, "/AIOS/KERNEL.ELF"));
    HOST_TRY(copy(contents.container, "/AIOS/AIOS.BND"));
    return copy(command_line, "/AIOS/CMDLINE.TXT");
}

} // namespace aios::host
