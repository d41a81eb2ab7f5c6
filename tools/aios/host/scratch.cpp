// Scratch folders: see files.hpp. The protocol, with R for a run that makes one and S for a later run that sweeps:
//  1. R makes the folder, opens it and locks it (flock). S may be faster and hold the lock: then R waits, finds the
//     folder removed (no link leads to it any more), and makes another.
//  2. R puts the marker in. A folder without one is never touched by S, whoever made it.
//  3. S tries the lock without waiting. Only a folder whose owner is gone, by whatever end, gives it.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <format>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr std::string_view kPrefix = "aios.";
constexpr const char* kMarker = ".aios-scratch";

std::filesystem::path temporary_folder() {
    const char* base = std::getenv("TMPDIR");
    return base != nullptr && *base != '\0' ? base : "/tmp";
}

Descriptor open_folder(const std::filesystem::path& path) {
    return Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool is_removed(const Descriptor& folder) {
    struct stat status{};
    return ::fstat(folder.number(), &status) != 0 || status.st_nlink == 0;
}

// True if the folder is a scratch folder of this user whose owner is gone. `folder` then holds its lock.
bool is_left_behind(const Descriptor& folder) {
    struct stat status{};
    if (!folder || ::fstat(folder.number(), &status) != 0 || status.st_uid != ::geteuid()) return false;
    if (::faccessat(folder.number(), kMarker, F_OK, AT_SYMLINK_NOFOLLOW) != 0) return false;
    return ::flock(folder.number(), LOCK_EX | LOCK_NB) == 0;
}

} // namespace

std::size_t sweep_scratch(const std::filesystem::path& folder) {
    std::size_t swept = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (!entry.path().filename().native().starts_with(kPrefix)) continue;
        const Descriptor opened = open_folder(entry.path());
        if (!is_left_behind(opened)) continue;
        std::error_code ignored;
        std::filesystem::remove_all(entry.path(), ignored);
        ++swept;
    }
    return swept;
}

Outcome<Scratch> Scratch::create() {
    static_cast<void>(sweep_scratch(temporary_folder()));
    const auto failed = [](const std::string& name) {
        return failure(Exit::host_missing,
                       std::format("no scratch folder can be made as '{}': {}; set TMPDIR to a folder "
                                   "with some room.",
                                   printable(name), lower_first(std::strerror(errno))));
    };
    while (true) {
        std::string name = (temporary_folder() / std::format("{}XXXXXX", kPrefix)).native();
        if (::mkdtemp(name.data()) == nullptr) return failed(name);
        Descriptor lock = open_folder(name);
        if (!lock || ::flock(lock.number(), LOCK_EX) != 0) {
            ::rmdir(name.c_str());
            return failed(name);
        }
        if (is_removed(lock)) continue; // swept between mkdtemp and flock
        Scratch made(name, std::move(lock));
        const Descriptor marker(::openat(made.lock_.number(), kMarker, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!marker) return failed(name);
        return made;
    }
}

Scratch::~Scratch() {
    if (path_.empty()) return;
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

} // namespace aios::host
