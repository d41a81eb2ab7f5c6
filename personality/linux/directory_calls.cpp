// Directories: their entries, and the working directory.
#include <cstring>

#include "personality/linux/transfer.hpp"

namespace aios::linux_abi {
namespace {

using Entry = ListedEntry;

struct Dirent { // the fixed part of struct linux_dirent64; the name and NULs up to a multiple of 8 bytes follow
    std::uint64_t inode, next;
    std::uint16_t bytes;
    std::uint8_t type;
};
constexpr std::size_t kDirentHead = 19;

std::uint8_t dirent_type(const Entry& entry) {
    if (entry.is_device) return kDirentChar;
    switch (entry.kind) {
    case fs::NodeKind::directory:
        return kDirentDirectory;
    case fs::NodeKind::link:
        return kDirentLink;
    case fs::NodeKind::file:
        return kDirentFile;
    case fs::NodeKind::socket:
        return kDirentSocket;
    case fs::NodeKind::fifo:
        return kDirentFifo;
    }
    AIOS_UNREACHABLE();
}

std::size_t encode(const Entry& entry, std::byte* out) {
    const std::size_t bytes = (kDirentHead + entry.name_bytes + 1 + 7) / 8 * 8;
    std::memset(out, 0, bytes);
    const std::uint16_t length = static_cast<std::uint16_t>(bytes);
    const std::uint8_t type = dirent_type(entry);
    std::memcpy(out + offsetof(Dirent, inode), &entry.id, 8);
    std::memcpy(out + offsetof(Dirent, next), &entry.next_position, 8);
    std::memcpy(out + offsetof(Dirent, bytes), &length, 2);
    std::memcpy(out + offsetof(Dirent, type), &type, 1);
    std::memcpy(out + kDirentHead, entry.name, entry.name_bytes);
    return bytes;
}

Outcome set_working_directory(Call& call, std::string_view path) {
    HeldText copy = LINUX_TRY(HeldText::copy(call.process.quota(), path));
    LinuxProcess::Lock::Guard guard(call.process.lock);
    std::swap(call.process.working_directory, copy);
    return 0;
}

} // namespace

Outcome call_getdents64(Call& call, Descriptor fd, UserOut<std::byte> out, std::uint32_t capacity) {
    const auto file = LINUX_TRY(file_of(call, fd));
    if (file->path_only) return refuse(kBadFd);
    DirectoryFile* directory = file->directory();
    if (directory == nullptr) return refuse(kNotDirectory);
    Bounce bounce = LINUX_TRY(Bounce::make(call.process)); // the entry in the lower half, its record in the upper
    static_assert(sizeof(Entry) <= Bounce::kBytes / 2 && kDirentHead + kMaxNamePart + 9 <= Bounce::kBytes / 2);
    Entry& entry = *::new (bounce.data()) Entry;
    std::byte* const record = bounce.data() + Bounce::kBytes / 2;
    std::uint64_t done = 0;
    Errno error{};
    const auto all = directory->read_entries(call.process, entry, [&] {
        const std::size_t bytes = encode(entry, record);
        if (bytes > capacity - done) {
            error = kInvalid;
        } else if (!out.write_array(done, record, bytes)) {
            error = kFault;
        } else {
            done += bytes;
        }
        return error == Errno{} && !call.thread.is_killed();
    });
    if (!all) error = all.error();
    return error == Errno{} ? Outcome(done) : partly(done, error);
}

Outcome enter_directory(Call& call, const Lookup& lookup) {
    const auto file = LINUX_TRY(lookup.open());
    if (!file->is_directory()) return refuse(kNotDirectory);
    if (const Errno error = lookup.permit(rights::read); error != Errno{}) return refuse(error);
    if (const Errno error = lookup.admit(file->node(), kMayExecute); error != Errno{}) return refuse(error);
    return set_working_directory(call, lookup.absolute());
}

Outcome call_chdir(Call& call, UserIn<char> path) {
    return enter_directory(call, LINUX_TRY(Lookup::resolve(call, kHere, path, Follow::yes)));
}

Outcome call_fchdir(Call& call, Descriptor fd) {
    const auto file = LINUX_TRY(file_of(call, fd));
    if (!file->is_directory()) return refuse(kNotDirectory);
    if (fs::Node* const node = file->node(); node != nullptr) {
        const fs::NodeInfo info = node->info();
        if (!identity_of(call.process).may(info, kMayExecute, InGroup{is_in_group(call.process, info.group)}))
            return refuse(kAccess);
    }
    return set_working_directory(call, file->directory()->path());
}

Outcome call_getcwd(Call& call, UserOut<char> out, std::uint64_t capacity) {
    Bounce bounce = LINUX_TRY(Bounce::make(call.process));
    char* text = bounce.text();
    std::size_t bytes = 0;
    {
        LinuxProcess::Lock::Guard guard(call.process.lock);
        const std::string_view path = call.process.working_directory.view();
        text[0] = '/';
        std::memcpy(text + 1, path.data(), path.size());
        text[path.size() + 1] = '\0';
        bytes = path.size() + 2;
    }
    if (capacity < bytes) return refuse(kRange);
    LINUX_TRY(out.write_array(0, text, bytes));
    return bytes;
}

} // namespace aios::linux_abi
