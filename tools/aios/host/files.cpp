#include "tools/aios/host/files.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <format>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

std::unexpected<Failure> write_failure(const std::filesystem::path& path, int error) {
    const std::string name = printable(path.native());
    if (error == ENOSPC || error == EDQUOT || error == EFBIG)
        return failure(Exit::host_missing,
                       std::format("there is no room for '{}'; free some space on its file system.", name));
    return failure(Exit::host_missing,
                   std::format("'{}' cannot be written: {}.", name, lower_first(std::strerror(error))));
}

// 0, or the errno.
int write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(file, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return 0;
}

} // namespace

void Descriptor::reset() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
}

std::expected<std::string, int> read_descriptor(int file, std::uint64_t limit) {
    std::string bytes;
    struct stat status{};
    std::size_t guess = 4096;
    if (::fstat(file, &status) == 0 && status.st_size > 0)
        guess =
            static_cast<std::size_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(status.st_size), limit)) + 1;
    while (true) {
        const std::size_t old = bytes.size();
        bytes.resize(old + guess);
        const ssize_t count = ::read(file, bytes.data() + old, guess);
        if (count < 0 && errno == EINTR) {
            bytes.resize(old);
            continue;
        }
        if (count < 0) return std::unexpected(errno);
        bytes.resize(old + static_cast<std::size_t>(count));
        if (count == 0) return bytes;
        if (bytes.size() > limit) return std::unexpected(EFBIG);
        guess = 65536;
    }
}

Outcome<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit) {
    const std::string name = printable(path.native());
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!file)
        return failure(Exit::bad_input,
                       std::format("'{}' cannot be read: {}.", name, lower_first(std::strerror(errno))));
    auto bytes = read_descriptor(file.number(), limit);
    if (bytes) return std::move(*bytes);
    if (bytes.error() == EFBIG)
        return failure(Exit::bad_input, std::format("'{}' is larger than {}.", name, human_bytes(limit)));
    return failure(Exit::bad_input,
                   std::format("'{}' cannot be read: {}.", name, lower_first(std::strerror(bytes.error()))));
}

Outcome<FileWriter> FileWriter::create(std::filesystem::path path) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644));
    if (!file) return write_failure(path, errno);
    return FileWriter(std::move(path), std::move(file));
}

FileWriter::~FileWriter() {
    struct stat status{};
    if (file_ && ::fstat(file_.number(), &status) == 0 && S_ISREG(status.st_mode)) ::unlink(path_.c_str());
}

Outcome<> FileWriter::write(std::string_view bytes) {
    if (const int error = write_all(file_.number(), bytes); error != 0) return write_failure(path_, error);
    written_ += bytes.size();
    return {};
}

Outcome<> FileWriter::write_zeros(std::uint64_t count) {
    static const std::string zeros(4096, '\0');
    while (count > 0) {
        const std::uint64_t piece = std::min<std::uint64_t>(count, zeros.size());
        HOST_TRY(write(std::string_view(zeros).substr(0, piece)));
        count -= piece;
    }
    return {};
}

Outcome<> FileWriter::finish() {
    // Network file systems report a full disk at close.
    const int number = file_.number();
    const int copy = ::dup(number);
    if (copy >= 0 && ::close(copy) != 0) return write_failure(path_, errno);
    file_.reset();
    return {};
}

Outcome<> replace_file(const std::filesystem::path& path, std::string_view bytes) {
    struct stat status{};
    const bool exists = ::stat(path.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) return write_failure(path, EISDIR);
    if (exists && !S_ISREG(status.st_mode)) {
        const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
        if (!file) return write_failure(path, errno);
        if (const int error = write_all(file.number(), bytes); error != 0) return write_failure(path, error);
        return {};
    }
    // A symbolic link stays one: its target is replaced.
    std::error_code ignored;
    const std::filesystem::path target = exists ? std::filesystem::canonical(path, ignored) : path;
    std::string temporary = (target.parent_path() / std::format(".{}.XXXXXX", target.filename().native())).native();
    const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!file) return write_failure(path, errno);
    int error = write_all(file.number(), bytes);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (error == 0 && ::fchmod(file.number(), exists ? status.st_mode & 07777 : 0666 & ~mask) != 0) error = errno;
    if (error == 0 && ::fsync(file.number()) != 0 && errno != EINVAL) error = errno;
    if (error == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
    if (error == 0) return {};
    ::unlink(temporary.c_str());
    return write_failure(path, error);
}

Outcome<> check_writable(const std::filesystem::path& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0) {
        if (S_ISDIR(status.st_mode)) return write_failure(path, EISDIR);
        if (::access(path.c_str(), W_OK) != 0) return write_failure(path, errno);
        if (!S_ISREG(status.st_mode)) return {};
    }
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    if (::access(folder.c_str(), W_OK | X_OK) != 0) return write_failure(path, errno);
    return {};
}

} // namespace aios::host
