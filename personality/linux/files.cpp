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
    for (std::uint32_t fd = lowest; fd < limit_; ++fd) {
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
    if (fd.number >= limit_) return std::unexpected(kBadFd);
    Entry* entry = LINUX_TRY(make(payer, fd.number));
    Ref<OpenFile> old = std::move(entry->file);
    entry->file = std::move(file);
    entry->on_exec = on_exec;
    return old;
}

std::optional<std::uint32_t> FileTable::next(std::uint32_t fd) const {
    for (; fd < kMaxFiles; ++fd) {
        const Entry* const entry = find(fd);
        if (entry == nullptr) {
            fd |= kChunkFiles - 1;
        } else if (entry->file) {
            return fd;
        }
    }
    return std::nullopt;
}

Ref<OpenFile> FileTable::remove(Descriptor fd) {
    Entry* entry = find(fd.number);
    return entry == nullptr ? Ref<OpenFile>() : std::move(entry->file);
}

Ref<OpenFile> FileTable::remove_next(std::uint32_t& fd, Which which) {
    for (; fd < kMaxFiles; ++fd) {
        if (chunks_[fd / kChunkFiles] == nullptr) {
            fd |= kChunkFiles - 1;
            continue;
        }
        Entry& entry = chunks_[fd / kChunkFiles]->entries[fd % kChunkFiles];
        if (!entry.file || (which == Which::close_on_exec && entry.on_exec == OnExec::keep)) continue;
        ++fd;
        return std::move(entry.file);
    }
    return {};
}

std::expected<void, Errno> FileTable::copy(Payer& payer, const FileTable& from) {
    for (std::uint32_t fd = 0; fd < kMaxFiles; ++fd) {
        const Entry* entry = from.find(fd);
        if (entry == nullptr) {
            fd |= kChunkFiles - 1;
            continue;
        }
        if (!entry->file) continue;
        Entry* const own = LINUX_TRY(make(payer, fd));
        own->file = entry->file;
        own->on_exec = entry->on_exec;
    }
    return {};
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

std::expected<std::uint64_t, Errno> install(Call& call, Ref<OpenFile> file, std::uint64_t flags) {
    file->non_blocking = (flags & kOpenNonBlock) != 0;
    LinuxProcess::Lock::Guard guard(call.process.lock);
    const OnExec on_exec = (flags & kOpenCloseOnExec) != 0 ? OnExec::close : OnExec::keep;
    return call.process.files.add(call.process.quota(), std::move(file), on_exec);
}

Outcome install_pair(Call& call, Ref<OpenFile> first, Ref<OpenFile> second, UserOut<std::int32_t> out,
                     std::uint64_t flags) {
    const Ref<OpenFile> pair[] = {std::move(first), std::move(second)};
    std::int32_t numbers[2] = {};
    std::size_t made = 0;
    Errno error{};
    for (; made < 2 && error == Errno{}; ++made) {
        const auto added = install(call, pair[made], flags);
        if (!added) {
            error = added.error();
            break;
        }
        numbers[made] = static_cast<std::int32_t>(*added);
    }
    if (error == Errno{} && out.write_array(0, numbers, 2)) return 0;
    for (std::size_t i = 0; i < made; ++i) {
        const Descriptor fd(static_cast<std::uint64_t>(numbers[i]));
        Ref<OpenFile> gone;
        {
            LinuxProcess::Lock::Guard guard(call.process.lock);
            const auto there = call.process.files.get(fd); // another thread may have put something else there
            if (there && *there == pair[i]) gone = call.process.files.remove(fd);
        }
        if (gone) drop_record_locks(call.process, *gone); // another thread may have locked it
    }
    return refuse(error != Errno{} ? error : kFault);
}

} // namespace aios::linux_abi
