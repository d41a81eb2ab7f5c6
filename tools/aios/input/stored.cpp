#include "tools/aios/input/stored.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include <fcntl.h>
#include <unistd.h>

#include "base/bytes.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr std::size_t kPart = 1 << 20; // whole pages

} // namespace

std::unexpected<Failure> StoredReader::refuse(std::string_view what) const {
    return failure(Exit::bad_input, std::format("'{}' {}.", printable(from_.file.native()), what));
}

Outcome<StoredReader> StoredReader::open(const Stored& from) {
    StoredReader reader(from, Descriptor(::open(from.file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)));
    if (!reader.file_) return reader.refuse(std::format("cannot be read: {}", lower_first(std::strerror(errno))));
    return reader;
}

Outcome<> StoredReader::read(std::uint64_t at, std::span<char> to) const {
    while (!to.empty()) {
        const ssize_t count = ::pread(file_.number(), to.data(), to.size(), static_cast<off_t>(from_.offset + at));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return refuse(std::format("cannot be read: {}", lower_first(std::strerror(errno))));
        if (count == 0) return refuse("has become shorter while it was read");
        to = to.subspan(static_cast<std::size_t>(count));
        at += static_cast<std::uint64_t>(count);
    }
    return {};
}

Outcome<> read_parts(const Stored& from, const TakeContents& take) {
    if (from.bytes == 0) return {};
    const StoredReader reader = HOST_TRY(StoredReader::open(from));
    std::string part(std::min<std::uint64_t>(from.bytes, kPart), '\0');
    for (std::uint64_t at = 0; at < from.bytes; at += part.size()) {
        part.resize(std::min<std::uint64_t>(from.bytes - at, kPart));
        HOST_TRY(reader.read(at, part));
        HOST_TRY(take(part));
    }
    return {};
}

Outcome<std::string> read_stored(const Stored& from, std::uint64_t limit) {
    if (from.bytes > limit)
        return failure(Exit::bad_input,
                       std::format("'{}' is larger than {}.", printable(from.file.native()), human_bytes(limit)));
    std::string bytes(from.bytes, '\0');
    if (from.bytes > 0) {
        const StoredReader reader = HOST_TRY(StoredReader::open(from));
        HOST_TRY(reader.read(0, bytes));
    }
    if (from.root && crypto::page_tree_root(as_bytes(bytes)) != *from.root)
        return failure(Exit::bad_input, std::format("'{}' is damaged: contents do not match their hash.",
                                                    printable(from.file.native())));
    return bytes;
}

} // namespace aios::host
