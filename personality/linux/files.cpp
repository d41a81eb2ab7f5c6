// Open files and the descriptor table.
#include "personality/linux/files.hpp"

#include "personality/linux/process.hpp"

namespace aios::linux_abi {

Result<Ref<OpenFile>> OpenFile::create(Payer& payer, FileKind kind) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, sizeof(OpenFile)));
    OpenFile* file = TRY(mm::make<OpenFile>(std::move(charge)));
    file->kind = kind;
    return Ref<OpenFile>::adopt(file);
}

void FileTable::set_up(const StartupBlock& startup) {
    for (std::uint32_t i = 0; i < startup.count; ++i) {
        if (startup.entries[i].role == static_cast<std::uint32_t>(StartupRole::console)) {
            console_ = startup.entries[i].handle;
        }
    }
}

Result<> FileTable::open_standard(Payer& payer) {
    entries_[0].file = TRY(OpenFile::create(payer, FileKind::end_of_file));
    entries_[0].file->readable = true;
    Ref<OpenFile> console = TRY(OpenFile::create(payer, FileKind::console));
    console->writable = true;
    console->console = console_; // none: every write answers EACCES
    entries_[1].file = console;
    entries_[2].file = std::move(console);
    return {};
}

std::expected<Ref<OpenFile>, Errno> FileTable::get(std::uint64_t fd) const {
    if (fd >= kMaxFiles || !entries_[fd].file) return std::unexpected(kBadFd);
    return entries_[fd].file;
}

std::expected<std::uint64_t, Errno> FileTable::add(Ref<OpenFile> file, bool close_on_exec, std::uint64_t lowest) {
    for (std::uint64_t fd = lowest; fd < kMaxFiles; ++fd) {
        if (!entries_[fd].file) {
            entries_[fd] = {std::move(file), close_on_exec};
            return fd;
        }
    }
    return std::unexpected(kTooManyFiles);
}

Errno FileTable::set(std::uint64_t fd, Ref<OpenFile> file, bool close_on_exec) {
    if (fd >= kMaxFiles) return kBadFd;
    entries_[fd] = {std::move(file), close_on_exec};
    return Errno{};
}

bool FileTable::remove(std::uint64_t fd) {
    if (fd >= kMaxFiles || !entries_[fd].file) return false;
    entries_[fd] = {};
    return true;
}

std::expected<MappableFile, Errno> mappable_file(LinuxProcess& process, std::uint64_t fd, bool for_shared_writing) {
    Ref<OpenFile> file;
    {
        sync::Mutex<sync::Rank::process>::Guard guard(process.lock);
        file = LINUX_TRY(process.files.get(fd));
    }
    if (file->kind != FileKind::node || file->is_directory) return std::unexpected(kAccess);
    if (for_shared_writing && !file->writable) return std::unexpected(kAccess);
    auto pages = file->node->pages();
    if (!pages) return std::unexpected(errno_of(pages.error()));
    return MappableFile{std::move(*pages), file->readable, file->writable};
}

} // namespace aios::linux_abi
