// Opening: open, openat, creat, access and its kin, truncate. Authority comes from the tree capability that the path
// leads to: read to look, write to change (EACCES without it, EROFS on trees that nobody changes).
#include "personality/linux/tree_errno.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kOpenTemporary = 020000000; // O_TMPFILE's own bit

// What is there, or, with O_CREAT, a new file. Another thread may create or remove it meanwhile: then once more.
std::expected<Ref<OpenFile>, Errno> open_or_create(Call& call, Lookup& lookup, std::uint64_t flags, std::uint32_t mode,
                                                   bool& is_new) {
    const bool exclusive = (flags & kOpenCreate) != 0 && (flags & kOpenExclusive) != 0;
    for (int attempt = 0; attempt < 8; ++attempt) {
        auto opened = lookup.open();
        if (opened) return exclusive ? std::expected<Ref<OpenFile>, Errno>(std::unexpected(kExists)) : opened;
        if (opened.error() != kNoEntry || (flags & kOpenCreate) == 0) return opened;
        if (lookup.must_be_directory()) return std::unexpected(kIsDirectory);
        if (const Errno error = lookup.permit_entry(); error != Errno{}) return std::unexpected(error);
        const auto bits = (mode & 07777) & ~call.process.creation_mask.load();
        const auto made = lookup.tree()->create_file(lookup.relative(), bits);
        if (!made && made.error() != Error::already_exists) return std::unexpected(change_errno(made.error()));
        if (made) {
            is_new = true;
            lookup.give_to_caller(**made);
            return lookup.open();
        }
    }
    return std::unexpected(kNoEntry);
}

// The name of a socket in a tree: nothing is in it.
bool is_socket_name(const OpenFile& file) {
    return file.node() != nullptr && file.node()->info().kind == fs::NodeKind::socket;
}

Outcome add_file(Call& call, Ref<OpenFile> file, std::uint64_t flags) {
    LinuxProcess::Lock::Guard guard(call.process.lock);
    const OnExec on_exec = (flags & kOpenCloseOnExec) != 0 ? OnExec::close : OnExec::keep;
    return call.process.files.add(call.process.quota(), std::move(file), on_exec);
}

// Sets what the flags ask for in a file that nobody else has yet.
void set_flags(OpenFile& file, std::uint64_t flags) {
    const std::uint64_t access = flags & kOpenAccessMask;
    file.path_only = (flags & kOpenPath) != 0;
    if (file.path_only) return;
    file.readable = access != kOpenWriteOnly;
    file.writable = access != kOpenReadOnly;
    file.append = (flags & kOpenAppend) != 0;
    file.kept_flags = static_cast<std::uint32_t>(flags) & kOpenKept;
    file.non_blocking = (flags & kOpenNonBlock) != 0;
}

// What /proc/PID/fd/N leads to: opened once more, as far as the capability of the old one grants it. A pipe has no other
// end to give, so the same is had again, for what it is open for already.
Outcome open_target(Call& call, const Ref<OpenFile>& target, std::uint64_t flags) {
    const std::uint64_t access = flags & kOpenAccessMask;
    const bool path_only = (flags & kOpenPath) != 0;
    const bool changing = !path_only && (access != kOpenReadOnly || (flags & kOpenTruncate) != 0);
    if (!target->is_live()) return refuse(kAccess);
    if ((flags & kOpenDirectory) != 0) return refuse(kNotDirectory);
    if (target->pipe() != nullptr && !path_only) {
        const bool is_open_for =
            (access == kOpenWriteOnly || target->readable) && (access == kOpenReadOnly || target->writable);
        return is_open_for ? add_file(call, target, flags) : refuse(kAccess);
    }
    Ref<OpenFile> file = LINUX_TRY(target->reopen(call.process));
    if (file->is_link() && !path_only) return refuse(kLoop);
    if (!path_only && is_socket_name(*file)) return refuse(kNoDeviceAddress);
    if (!path_only && !file->may(rights::read)) return refuse(kAccess);
    if (changing && !file->may(rights::write)) return refuse(file->node() != nullptr ? kReadOnly : kAccess);
    if (changing && (flags & kOpenTruncate) != 0 && file->node() != nullptr) LINUX_TRY(file->resize(call, 0));
    set_flags(*file, flags);
    if (!path_only) file->opened(call, flags);
    return add_file(call, std::move(file), flags);
}

Outcome open_at(Call& call, Descriptor from, UserIn<char> path, std::uint64_t flags, std::uint32_t mode) {
    const std::uint64_t access = flags & kOpenAccessMask;
    if ((flags & kOpenCreate) != 0 && (flags & kOpenDirectory) != 0 && (flags & kOpenPath) == 0)
        return refuse(kInvalid);
    if (access == 3) return refuse(kInvalid);
    if ((flags & kOpenTemporary) != 0) return refuse(kNotSupported);
    const bool path_only = (flags & kOpenPath) != 0;
    if (path_only) flags &= kOpenPath | kOpenDirectory | kOpenNoFollow | kOpenCloseOnExec;
    const bool exclusive = (flags & kOpenCreate) != 0 && (flags & kOpenExclusive) != 0;
    const Follow follow = (flags & kOpenNoFollow) != 0 || exclusive ? Follow::no : Follow::yes;
    Lookup lookup = LINUX_TRY(Lookup::resolve(call, from, path, follow));
    if (lookup.target()) return open_target(call, lookup.target(), flags);
    if (const Errno error = lookup.permit(rights::read); error != Errno{}) return refuse(error);

    bool is_new = false;
    Ref<OpenFile> file = LINUX_TRY(open_or_create(call, lookup, flags, mode, is_new));
    const GeneratedNode* const generated = lookup.generated();
    if (generated != nullptr && generated->row->kind == RowKind::device && !path_only)
        file = LINUX_TRY(open_device(call.process, *generated));
    if (file->is_link() && !path_only) return refuse((flags & kOpenDirectory) != 0 ? kNotDirectory : kLoop);
    if ((flags & kOpenDirectory) != 0 && !file->is_directory()) return refuse(kNotDirectory);
    if (!path_only) {
        if (is_socket_name(*file)) return refuse(kNoDeviceAddress);
        const bool changing = access != kOpenReadOnly || (flags & kOpenTruncate) != 0;
        const std::uint32_t wanted = (access != kOpenWriteOnly ? kMayRead : 0) | (changing ? kMayWrite : 0);
        if (!is_new) {
            if (const Errno error = lookup.admit(file->node(), wanted); error != Errno{}) return refuse(error);
        }
        if (file->is_directory() && (changing || (flags & kOpenCreate) != 0)) return refuse(kIsDirectory);
        if (changing && file->node() != nullptr) {
            if (const Errno error = lookup.permit_change(); error != Errno{}) return refuse(error);
        }
        if (changing && file->node() == nullptr && !file->may(rights::write)) return refuse(kAccess);
        if ((flags & kOpenTruncate) != 0 && file->node() != nullptr) LINUX_TRY(file->resize(call, 0));
    }
    set_flags(*file, flags);
    if (!path_only) file->opened(call, flags);
    return add_file(call, std::move(file), flags);
}

Outcome check_execute(OpenFile& file) {
    if (file.is_directory()) return 0;
    return file.node() == nullptr || (file.node()->info().mode & 0111) == 0 ? refuse(kAccess) : Outcome(0);
}

// The file behind a descriptor, by the capability that it was opened under; or the working directory.
Outcome access_of(Call& call, Descriptor from, std::uint32_t mode) {
    Ref<OpenFile> file;
    if (from == kHere) {
        Lookup here = LINUX_TRY(Lookup::here(call));
        file = LINUX_TRY(here.open());
    } else {
        file = LINUX_TRY(file_of(call, from));
    }
    if ((mode & kMayWrite) != 0 && !file->may(rights::write)) return refuse(kReadOnly);
    return (mode & kMayExecute) != 0 ? check_execute(*file) : Outcome(0);
}

enum class JudgedBy : std::uint8_t { real, effective };
Outcome access_at(Call& call, Descriptor from, UserIn<char> path, std::uint32_t mode, Follow follow, JudgedBy ids) {
    if ((mode & ~(kMayExecute | kMayWrite | kMayRead)) != 0) return refuse(kInvalid);
    Lookup lookup = LINUX_TRY(Lookup::resolve(call, from, path, follow));
    const auto file = LINUX_TRY(lookup.open());
    if (const Errno error = lookup.permit(rights::read); error != Errno{}) return refuse(error);
    if (ids == JudgedBy::real) lookup.judge_by_real();
    if (const Errno error = lookup.admit(file->node(), mode); error != Errno{}) return refuse(error);
    if (lookup.generated() != nullptr) {
        if ((mode & kMayWrite) != 0 && (file->info().mode & 0222) == 0) return refuse(kAccess);
    } else if ((mode & kMayWrite) != 0) {
        if (const Errno error = lookup.permit_change(); error != Errno{}) return refuse(error);
    }
    return (mode & kMayExecute) != 0 ? check_execute(*file) : Outcome(0);
}

} // namespace

Outcome call_open(Call& call, UserIn<char> path, std::uint32_t flags, std::uint32_t mode) {
    return open_at(call, kHere, path, flags, mode);
}
Outcome call_openat(Call& call, Descriptor from, UserIn<char> path, std::uint32_t flags, std::uint32_t mode) {
    return open_at(call, from, path, flags, mode);
}
Outcome call_creat(Call& call, UserIn<char> path, std::uint32_t mode) {
    return open_at(call, kHere, path, kOpenCreate | kOpenWriteOnly | kOpenTruncate, mode);
}
Outcome call_access(Call& call, UserIn<char> path, std::uint32_t mode) {
    return access_at(call, kHere, path, mode, Follow::yes, JudgedBy::real);
}
Outcome call_faccessat(Call& call, Descriptor from, UserIn<char> path, std::uint32_t mode) {
    return access_at(call, from, path, mode, Follow::yes, JudgedBy::real);
}
Outcome call_faccessat2(Call& call, Descriptor from, UserIn<char> path, std::uint32_t mode, Flags<kAccessFlags> flags) {
    if (LINUX_TRY(names_descriptor(path, flags.bits))) {
        if ((mode & ~(kMayExecute | kMayWrite | kMayRead)) != 0) return refuse(kInvalid);
        return access_of(call, from, mode);
    }
    return access_at(call, from, path, mode, flags.has(kAtSymlinkNoFollow) ? Follow::no : Follow::yes,
                     flags.has(kAtEffectiveAccess) ? JudgedBy::effective : JudgedBy::real);
}

Outcome call_truncate(Call& call, UserIn<char> path, std::int64_t bytes) {
    if (bytes < 0) return refuse(kInvalid);
    Lookup lookup = LINUX_TRY(Lookup::resolve(call, kHere, path, Follow::yes));
    const auto file = LINUX_TRY(lookup.open());
    if (file->is_directory()) return refuse(kIsDirectory);
    if (file->node() == nullptr) return refuse(kInvalid);
    if (const Errno error = lookup.permit_change(); error != Errno{}) return refuse(error);
    if (const Errno error = lookup.admit(file->node(), kMayWrite); error != Errno{}) return refuse(error);
    return file->resize(call, static_cast<std::uint64_t>(bytes));
}

Outcome call_umask(Call& call, std::uint32_t mask) { return call.process.creation_mask.exchange(mask & 0777); }

} // namespace aios::linux_abi
