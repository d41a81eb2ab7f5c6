#include "tools/aios/image/spool.hpp"

#include <cerrno>
#include <cstring>
#include <format>

#include <fcntl.h>
#include <unistd.h>

#include "tools/aios/host/text.hpp"

namespace aios::host {

Outcome<Spool> Spool::create(std::uint64_t most_mib) {
    Scratch scratch = HOST_TRY(Scratch::create());
    const std::filesystem::path path = scratch.path() / "contents";
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    Spool spool(std::move(scratch), path, std::move(file), most_mib);
    if (!spool.file_) return spool.unwritable();
    return spool;
}

std::unexpected<Failure> Spool::unwritable() const {
    return failure(Exit::host_missing,
                   std::format("'{}' cannot be written: {}; TMPDIR names another folder for what is unpacked.",
                               printable(path_.native()), lower_first(std::strerror(errno))));
}

std::unexpected<Failure> Spool::too_much() const {
    return failure(Exit::bad_input,
                   std::format("there is more to unpack than {} MiB; if that is meant, allow more by ./aios image pack "
                               "--unpack-limit MIB.",
                               with_thousands(most_mib_)));
}

Outcome<> Spool::charge(std::uint64_t bytes) {
    if (bytes > most() - charged_) return too_much();
    charged_ += bytes;
    return {};
}

void Spool::tell(std::string_view what) {
    const auto now = std::chrono::steady_clock::now();
    if (progress_ == nullptr || now < next_tell_) return;
    progress_->show(what);
    next_tell_ = now + std::chrono::milliseconds(200);
}

void Spool::announce(std::string_view what) {
    if (progress_ != nullptr) progress_->show(what);
}

Outcome<> Spool::append(std::string_view bytes) {
    if (bytes.size() > most() - end_) return too_much();
    while (!bytes.empty()) {
        const ssize_t count = ::pwrite(file_.number(), bytes.data(), bytes.size(), static_cast<off_t>(end_));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return unwritable();
        bytes.remove_prefix(static_cast<std::size_t>(count));
        end_ += static_cast<std::uint64_t>(count);
    }
    return {};
}

Outcome<> Spool::append_zeros(std::uint64_t count) {
    if (count > most() - end_) return too_much();
    if (count == 0) return {};
    end_ += count;
    if (::ftruncate(file_.number(), static_cast<off_t>(end_)) != 0) return unwritable();
    return {};
}

} // namespace aios::host
