#include "tools/aios/bench/linux.hpp"

#include <algorithm>
#include <cstring>
#include <format>

#include <elf.h>

#include "tools/aios/host/files.hpp"
#include "tools/aios/host/process.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr std::uint64_t kMaxKernel = 512ull << 20;
constexpr std::string_view kPackage = "linux-image-amd64"; // depends on the package of the newest kernel
constexpr std::chrono::minutes kFetchLimit{10};
constexpr std::size_t kPages = 1024, kPageSize = 4096;

// Same words for every boot. Mitigations, hardening and auditing are off: Linux is given its best.
constexpr std::string_view kCommandLine =
    "console=ttyS0 quiet nokaslr norandmaps tsc=reliable clocksource=tsc random.trust_cpu=on panic=-1 mitigations=off "
    "nopti init_on_alloc=0 init_on_free=0 apparmor=0 selinux=0 audit=0 randomize_kstack_offset=off "
    "page_alloc.shuffle=0";

std::uint32_t word_at(std::string_view bytes, std::size_t at) {
    std::uint32_t word = 0;
    if (at + sizeof(word) <= bytes.size()) std::memcpy(&word, bytes.data() + at, sizeof(word));
    return word;
}

bool is_elf(std::string_view bytes) { return bytes.starts_with(std::string_view(ELFMAG, SELFMAG)); }

std::string last_line(std::string text) {
    while (text.ends_with('\n'))
        text.pop_back();
    return shortened(text.substr(text.rfind('\n') + 1));
}

Outcome<std::string> capture(const std::vector<std::string>& command, std::string_view what) {
    const Captured done = capture_process(command, kFetchLimit);
    if (done.status == 127) return failure(Exit::host_missing, std::format("'{}' was not found", command.front()));
    if (done.status != 0) return failure(Exit::host_missing, std::format("{} failed: {}", what, last_line(done.err)));
    return done.out;
}

// A shell word list: "$1" and so on are the arguments, so that no name is ever read as a command.
std::vector<std::string> shell(std::string script, std::vector<std::string> arguments) {
    std::vector<std::string> command = {"sh", "-c", std::move(script), "sh"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
}

// The package of the newest kernel: what the package that always depends on it names.
Outcome<std::string> newest_package() {
    const std::string text =
        HOST_TRY(capture({"apt-cache", "depends", std::string(kPackage)}, "looking the kernel's package up"));
    constexpr std::string_view kDepends = "Depends: linux-image-";
    const std::size_t at = text.find(kDepends);
    if (at == text.npos)
        return failure(Exit::host_missing, std::format("apt knows no package {}; run apt-get update", kPackage));
    const std::size_t begin = at + kDepends.find("linux");
    return text.substr(begin, text.find('\n', begin) - begin);
}

// build/linux-kernel/vmlinuz-VERSION, fetched if it is not there.
Outcome<std::filesystem::path> cached_kernel(const Places& places, Progress& progress) {
    const std::filesystem::path folder = places.root / "build" / "linux-kernel";
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    const auto find = [&]() -> std::filesystem::path {
        std::vector<std::filesystem::path> found;
        for (const auto& entry : std::filesystem::directory_iterator(folder, error))
            if (entry.path().filename().native().starts_with("vmlinuz-")) found.push_back(entry.path());
        return found.empty() ? std::filesystem::path() : *std::ranges::max_element(found);
    };
    if (auto kernel = find(); !kernel.empty()) return kernel;
    progress.show("Linux: looking for Debian's kernel package");
    const std::string package = HOST_TRY(newest_package());
    const std::string version = package.substr(std::string_view("linux-image-").size());
    progress.show(std::format("Linux: fetching {} (about 70 MB, once)", printable(package)));
    constexpr std::string_view kFetch = R"(cd "$1" && rm -f "$2"_*.deb && apt-get download "$2")";
    static_cast<void>(HOST_TRY(capture(shell(std::string(kFetch), {folder.native(), package}), "fetching " + package)));
    progress.show("Linux: unpacking the kernel");
    // The kernel alone, and under its name only when it is whole.
    constexpr std::string_view kUnpack =
        R"(cd "$1" && dpkg-deb --fsys-tarfile "$2"_*.deb | tar -xO --wildcards './boot/vmlinuz-*' >part )"
        R"(&& mv part "vmlinuz-$3" && rm -f "$2"_*.deb)";
    static_cast<void>(
        HOST_TRY(capture(shell(std::string(kUnpack), {folder.native(), package, version}), "unpacking " + package)));
    auto kernel = find();
    if (kernel.empty()) return failure(Exit::host_missing, std::format("there is no kernel in {}", package));
    return kernel;
}

} // namespace

std::string_view bzimage_payload(std::string_view image) {
    constexpr std::size_t kSetupSectors = 0x1f1, kMagic = 0x202, kVersion = 0x206, kOffset = 0x248, kLength = 0x24c;
    constexpr std::uint32_t kLeastVersion = 0x208, kSectorBytes = 512;
    if (image.size() < kLength + 4 || image.substr(kMagic, 4) != "HdrS") return {};
    if ((word_at(image, kVersion) & 0xffff) < kLeastVersion) return {};
    const std::size_t sectors = std::max<std::size_t>(static_cast<unsigned char>(image[kSetupSectors]), 4);
    const std::uint64_t begin = (sectors + 1) * kSectorBytes + std::uint64_t{word_at(image, kOffset)};
    const std::uint64_t length = word_at(image, kLength);
    if (begin > image.size() || length > image.size() - begin) return {};
    return image.substr(begin, length);
}

std::string_view decompressor_of(std::string_view payload) {
    constexpr std::pair<std::string_view, std::string_view> kKnown[] = {
        {"\xfd"
         "7zXZ",
         "xz"},
        {"\x1f\x8b", "gzip"},
        {"\x28\xb5\x2f\xfd", "zstd"},
        {"\x02\x21\x4c\x18", "lz4"},
        {"BZh", "bzip2"},
    };
    for (const auto& [magic, program] : kKnown)
        if (payload.starts_with(magic)) return program;
    return {};
}

Outcome<BenchLinux> find_bench_linux(const Places& places, const std::filesystem::path& given,
                                     const std::filesystem::path& scratch, Progress& progress) {
    const std::filesystem::path file = given.empty() ? HOST_TRY(cached_kernel(places, progress)) : given;
    BenchLinux found;
    found.kernel = file;
    std::string version = printable(file.filename().native());
    if (version.starts_with("vmlinuz-")) version.erase(0, 8);
    found.name = "Linux " + version;
    const std::string image = HOST_TRY(read_file(file, kMaxKernel));
    if (is_elf(image)) return found;
    const std::string_view payload = bzimage_payload(image);
    const std::string_view program = decompressor_of(payload);
    if (program.empty())
        return failure(Exit::bad_input,
                       std::format("'{}' is neither a bzImage nor an ELF file (vmlinux)", printable(file.native())));
    progress.show("Linux: decompressing the kernel");
    // The compressed data ends in its size, which only gzip's own format has too.
    const std::filesystem::path packed = scratch / "vmlinux.packed";
    HOST_TRY(replace_file(packed, payload.substr(0, payload.size() - (program == "gzip" ? 0 : 4))));
    found.kernel = scratch / "vmlinux";
    static_cast<void>(HOST_TRY(
        capture(shell("\"$1\" -dc <\"$2\" >\"$3\"", {std::string(program), packed.native(), found.kernel.native()}),
                std::format("decompressing the kernel with {}", program))));
    if (!is_elf(HOST_TRY(read_file(found.kernel, kMaxKernel))))
        return failure(Exit::bad_input, std::format("there is no ELF file in '{}'", printable(file.native())));
    return found;
}

std::string linux_command_line(const std::vector<std::string>& rows) {
    std::string out(kCommandLine);
    out += " BENCH_ROWS=";
    for (const std::string& row : rows)
        out += (out.ends_with('=') ? "" : ",") + row;
    return out;
}

std::string cpio_archive(const std::vector<ArchiveEntry>& entries) {
    std::string out;
    const auto pad = [&] { out.append((4 - out.size() % 4) % 4, '\0'); };
    const auto add = [&](const ArchiveEntry& entry, unsigned inode) {
        out += std::format("070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}",
                           inode, entry.mode, 0, 0, 1, 0, entry.bytes.size(), 0, 0, entry.major, entry.minor,
                           entry.path.size() + 1, 0);
        out += entry.path;
        out += '\0';
        pad();
        out += entry.bytes;
        pad();
    };
    unsigned inode = 1;
    for (const ArchiveEntry& entry : entries)
        add(entry, inode++);
    add({"TRAILER!!!", 0}, 0);
    return out;
}

Outcome<> write_bench_initramfs(const Places& places, const std::filesystem::path& to) {
    constexpr unsigned kFolder = 040755, kProgram = 0100755, kFile = 0100644, kCharacterDevice = 020600;
    std::vector<ArchiveEntry> entries = {{"dev", kFolder}, {"bin", kFolder}, {"etc", kFolder}};
    entries.push_back({"dev/console", kCharacterDevice, "", 5, 1});
    const std::filesystem::path folder = places.build / "bench" / "kernel";
    for (const auto& [path, program] : {std::pair{"init", "rows"}, std::pair{"bin/least", "linux_least"},
                                        std::pair{"bin/first", "linux_first"}, std::pair{"bin/idle", "linux_idle"}})
        entries.push_back({path, kProgram, HOST_TRY(read_file(folder / program, kMaxKernel))});
    entries.push_back({"etc/pages", kFile, bench_pages()});
    return replace_file(to, cpio_archive(entries));
}

std::string bench_pages() {
    std::string pages(kPages * kPageSize, '\0');
    for (std::size_t i = 0; i < kPages; ++i)
        std::memcpy(pages.data() + i * kPageSize, &i, sizeof(i));
    return pages;
}

} // namespace aios::host
