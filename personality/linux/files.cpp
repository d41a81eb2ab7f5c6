#include "personality/linux/files.hpp"

#include "kernel/mm/size_classes.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {

FileTable::~FileTable() {
    for (Chunk* chunk : chunks_)
        mm::destroy(chunk);
}

FileTable::Entry* FileTable::find(std::uint32_t fd) const {
    if (fd >= kMaxFiles || chunks_[fd / kChunkFiles] == nullptr) return nullptr;
    return &chunks_[fd / kChunkFiles]->entries[fd % kChunkFiles];
}

std::expected<FileTable::Entry*, Errno> FileTable::make(Payer& payer, std::uint32_t fd) {
    if (fd >= kMaxFiles) return std::unexpected(kBadFd);
    Chunk*& chunk = chunks_[fd / kChunkFiles];
    if (chunk == nullptr) {
        auto charge = Reservation::make(payer, Resource::memory, mm::cost_of<Chunk>);
        if (!charge) return std::unexpected(kNoMemory);
        auto made = mm::make<Chunk>();
        if (!made) return std::unexpected(kNoMemory);
        chunk = *made;
        chunk->charge = std::move(*charge);
    }
    return &chunk->entries[fd % kChunkFiles];
}

std::expected<Ref<OpenFile>, Errno> FileTable::get(Descriptor fd) const {
    const Entry* entry = find(fd.number);
    if (entry == nullptr || !entry->file) return std::unexpected(kBadFd);
    return entry->file;
}

std::expected<std::uint64_t, Errno> FileTable::add(Payer& payer, Ref<OpenFile> file, OnExec on_exec,
                                                   std::uint32_t lowest) {
    for (std::uint32_t fd = lowest; fd < kMaxFiles; ++fd) {
        Entry* entry = find(fd);
        if (entry == nullptr) entry = LINUX_TRY(make(payer, fd));
        if (entry->file) continue;
        entry->file = std::move(file);
        entry->on_exec = on_exec;
        return fd;
    }
    return std::unexpected(kTooManyFiles);
}

std::expected<Ref<OpenFile>, Errno> FileTable::set(Payer& payer, Descriptor fd, Ref<OpenFile> file, OnExec on_exec) {
    Entry* entry = LINUX_TRY(make(payer, fd.number));
    Ref<OpenFile> old = std::move(entry->file);
    entry->file = std::move(file);
    entry->on_exec = on_exec;
    return old;
}

Ref<OpenFile> FileTable::remove(Descriptor fd) {
    Entry* entry = find(fd.number);
    return entry == nullptr ? Ref<OpenFile>() : std::move(entry->file);
}

OnExec FileTable::on_exec(Descriptor fd) const {
    const Entry* entry = find(fd.number);
    return entry != nullptr ? entry->on_exec : OnExec::keep;
}

void FileTable::set_on_exec(Descriptor fd, OnExec on_exec) {
    if (Entry* entry = find(fd.number); entry != nullptr) entry->on_exec = on_exec;
}

std::expected<Ref<OpenFile>, Errno> file_of(Call& call, Descriptor fd) {
    Ref<OpenFile> file;
    {
        LinuxProcess::Lock::Guard guard(call.process.lock);
        file = LINUX_TRY(call.process.files.get(fd));
    }
    if (!file->is_live()) return std::unexpected(kAccess);
    return file;
}

} // namespace aios::linux_abi
