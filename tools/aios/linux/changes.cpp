#include "tools/aios/linux/changes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <format>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/call_types.hpp"
#include "base/bytes.hpp"
#include "base/path.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/linux/needs.hpp"

namespace aios::host {

namespace {

constexpr mode_t kModeBits = 0777;
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::string_view kWhiteout = ".wh.";

std::string_view text_of(Bytes bytes) { return as_text(bytes); }

void set_times(int file, std::uint64_t modified_ns) {
    const timespec time{static_cast<time_t>(modified_ns / kSecond), static_cast<long>(modified_ns % kSecond)};
    const timespec times[2] = {time, time};
    (void)::futimens(file, times); // of no importance where it cannot be had
}

std::unexpected<Failure> nonsense() {
    return failure(kLinuxFailed, "the runner said something of the program's folders that cannot be.");
}

} // namespace

std::unexpected<Failure> Changes::cannot(std::string_view path) const {
    return failure(kLinuxFailed, std::format("'{}{}' could not be written: {}.", folder_.native(), printable(path),
                                             std::strerror(errno)));
}

Outcome<Changes> Changes::create(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
        return failure(kLinuxFailed,
                       std::format("--out {} could not be made: {}.", printable(folder.native()), error.message()));
    Descriptor root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root)
        return failure(kLinuxFailed,
                       std::format("--out {} cannot be opened: {}.", printable(folder.native()), std::strerror(errno)));
    const bool is_empty = std::filesystem::is_empty(folder, error);
    if (error || !is_empty)
        return failure(Exit::wrong_use, std::format("--out {} is not empty; give a folder that is, or a new one.",
                                                    printable(folder.native())));
    if (::access(folder.c_str(), W_OK) != 0)
        return failure(kLinuxFailed, std::format("--out {} cannot be written to: {}.", printable(folder.native()),
                                                 std::strerror(errno)));
    return Changes(folder, std::move(root));
}

// Directories above it that did not change are made too.
Outcome<Changes::Place> Changes::place_of(std::string_view path) const {
    if (!path.starts_with('/')) return nonsense();
    Descriptor directory(::openat(root_.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    PathWalker walker(path.substr(1));
    for (;;) {
        std::string name(walker.next());
        if (!is_component(name)) return nonsense();
        if (!directory) return cannot(path);
        if (walker.at_end()) return Place{std::move(directory), std::move(name)};
        if (::mkdirat(directory.number(), name.c_str(), 0755) != 0 && errno != EEXIST) return cannot(path);
        directory =
            Descriptor(::openat(directory.number(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }
}

Outcome<> Changes::put(const messages::view::ProgramChange& change, const Place& place) {
    const std::string_view path = text_of(change.path);
    const int directory = place.directory.number();
    const char* const name = place.name.c_str();
    switch (static_cast<ChangeKind>(change.kind)) {
    case ChangeKind::directory:
        if (::mkdirat(directory, name, 0755) != 0 && errno != EEXIST) return cannot(path);
        directories_.push_back({std::string(path), static_cast<std::uint32_t>(change.mode), change.modified_ns});
        return {};
    case ChangeKind::link: {
        const std::string target(text_of(change.target));
        if (::symlinkat(target.c_str(), directory, name) != 0) return cannot(path);
        return {};
    }
    case ChangeKind::file:
        file_ = Descriptor(::openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!file_) return cannot(path);
        file_path_ = path;
        file_left_ = file_bytes_ = change.size;
        file_mode_ = static_cast<std::uint32_t>(change.mode);
        file_modified_ns_ = change.modified_ns;
        return {};
    case ChangeKind::removed: {
        const std::string mark = std::string(kWhiteout) + place.name;
        if (mark.size() > kMaxComponent) return pass_over(path, "the name of its mark would be too long");
        const Descriptor made(::openat(directory, mark.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
        return made ? Outcome<>() : cannot(path);
    }
    }
    return nonsense();
}

Outcome<> Changes::take(const messages::view::ProgramChange& change) {
    HOST_TRY(finish_file());
    const std::string_view path = text_of(change.path);
    const Place place = HOST_TRY(place_of(path));
    // It would say that something is gone.
    const bool is_mark = place.name.starts_with(kWhiteout) && change.kind != static_cast<unsigned>(ChangeKind::removed);
    if (is_mark) file_left_ = change.size;
    if (is_mark) return pass_over(path, "a name that begins with .wh. says that something is gone");
    return put(change, place);
}

Outcome<> Changes::take(const messages::view::ProgramData& data) {
    if (data.data.size() > file_left_) return nonsense();
    file_left_ -= data.data.size();
    if (!file_) return {}; // it is passed over
    const bool is_hole = std::ranges::all_of(data.data, [](std::byte byte) { return byte == std::byte{0}; });
    if (is_hole) { // files of holes alone cost nothing there, nor here
        if (::lseek(file_.number(), static_cast<off_t>(data.data.size()), SEEK_CUR) < 0) return cannot(file_path_);
        return {};
    }
    for (Bytes rest = data.data; !rest.empty();) {
        const ssize_t count = ::write(file_.number(), rest.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return cannot(file_path_);
        rest = rest.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

// What cannot be said in a folder is told to the user, and the rest goes on.
Outcome<> Changes::pass_over(std::string_view path, std::string_view why) {
    std::fputs(
        std::format("aios: --out cannot hold what became of {}: {}.\n", printable(std::string(path)), why).c_str(),
        stderr);
    return {};
}

Outcome<> Changes::finish_file() {
    if (std::exchange(file_left_, 0) != 0 && !is_cut_) return nonsense();
    if (!file_) return {};
    if (::ftruncate(file_.number(), static_cast<off_t>(file_bytes_)) != 0) return cannot(file_path_);
    if (::fchmod(file_.number(), file_mode_ & kModeBits) != 0) return cannot(file_path_);
    set_times(file_.number(), file_modified_ns_);
    file_ = Descriptor();
    return {};
}

// From the deepest: a directory that may not be written to gets that mode when nothing is to come into it.
Outcome<> Changes::finish(bool is_cut) {
    is_cut_ = is_cut;
    HOST_TRY(finish_file());
    for (auto at = directories_.rbegin(); at != directories_.rend(); ++at) {
        const Place place = HOST_TRY(place_of(at->path));
        const Descriptor directory(
            ::openat(place.directory.number(), place.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory || ::fchmod(directory.number(), at->mode & kModeBits) != 0) return cannot(at->path);
        set_times(directory.number(), at->modified_ns);
    }
    return {};
}

} // namespace aios::host
