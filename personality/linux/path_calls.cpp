// Calls that take paths: open, stat, directories, links, rename, modes, times. Authority comes from the tree capability
// that the path leads to: read to look, write to change (EACCES without it, EROFS on the bundle and the job).
#include <algorithm>
#include <cstring>

#include "kernel/time/clock.hpp"
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

// A path argument, fetched once. Heap, because kernel stacks are small.
struct Text {
    char text[kPathRoom];
    std::size_t bytes;
    ~Text() = default;
};
class UserPath {
public:
    static std::expected<UserPath, Errno> fetch(std::uint64_t address) {
        auto made = mm::make<Text>();
        if (!made) return std::unexpected(kNoMemory);
        UserPath path(*made);
        Text& out = **made;
        // Page by page: the string may end just before memory that is not mapped.
        out.bytes = 0;
        while (out.bytes < kPathRoom) {
            const std::uint64_t at = address + out.bytes;
            const std::size_t part =
                std::min<std::size_t>(kPathRoom - out.bytes, arch::kPageSize - at % arch::kPageSize);
            if (!arch::copy_from_user(out.text + out.bytes, at, part)) return std::unexpected(kFault);
            if (const void* end = std::memchr(out.text + out.bytes, 0, part); end != nullptr) {
                out.bytes = static_cast<std::size_t>(static_cast<const char*>(end) - out.text);
                return path;
            }
            out.bytes += part;
        }
        return std::unexpected(kNameTooLong);
    }
    [[nodiscard]] std::string_view view() const { return {text_->text, text_->bytes}; }
    UserPath(UserPath&& other) noexcept : text_(std::exchange(other.text_, nullptr)) {}
    UserPath& operator=(UserPath&&) = delete;
    ~UserPath() { mm::destroy(text_); }

private:
    explicit UserPath(Text* text) : text_(text) {}
    Text* text_;
};

enum class Follow : bool { no, yes };

// Resolves an (fd, path) pair into a place.
std::expected<Place, Errno> place_at(Call& call, std::uint64_t fd, std::string_view path, Follow follow,
                                     Rights needed) {
    LinuxProcess& process = call.process;
    Ref<OpenFile> directory;
    auto base = mm::make<Path>();
    if (!base) return std::unexpected(kNoMemory);
    struct Holder {
        Path* path;
        ~Holder() { mm::destroy(path); }
    } holder{*base};
    {
        sync::Mutex<sync::Rank::process>::Guard guard(process.lock);
        if (static_cast<std::int32_t>(fd) == kAtFdCwd || path.starts_with('/')) {
            **base = process.name_space.working_directory;
        } else {
            auto file = process.files.get(fd);
            if (!file) return std::unexpected(file.error());
            if (!(*file)->is_directory) return std::unexpected(kNotDirectory);
            **base = (*file)->path;
        }
    }
    return process.name_space.resolve(process.table(), (*base)->view(), path, follow == Follow::yes, needed);
}

Errno change_errno(Error error) {
    switch (error) {
    case Error::quota_exceeded:
    case Error::out_of_memory:
        return kNoSpace;
    case Error::busy:
        return kNotEmpty;
    case Error::wrong_type:
        return kNotDirectory;
    case Error::missing_right:
        return kReadOnly;
    default:
        return errno_of(error);
    }
}

// A place in a tree that may be changed.
std::expected<Place, Errno> place_to_change(Call& call, std::uint64_t fd, std::string_view path) {
    Place place = LINUX_TRY(place_at(call, fd, path, Follow::no, rights::none));
    if (!place.tree || !place.tree->is_writable()) return std::unexpected(kReadOnly);
    return place_at(call, fd, path, Follow::no, rights::write);
}

std::uint32_t type_bits(fs::NodeKind kind) {
    switch (kind) {
    case fs::NodeKind::file:
        return kModeFile;
    case fs::NodeKind::directory:
        return kModeDirectory;
    case fs::NodeKind::link:
        return kModeLink;
    }
    return 0;
}

Stat stat_of(const OpenFile& file) {
    Stat out{};
    out.links = 1;
    out.block_bytes = static_cast<std::int64_t>(arch::kPageSize);
    if (file.kind == FileKind::node) {
        const fs::NodeInfo info = file.node->info();
        out.device = 1;
        out.inode = info.id;
        out.links = info.links;
        out.mode = type_bits(info.kind) | info.mode;
        out.bytes = static_cast<std::int64_t>(info.bytes);
        out.blocks = static_cast<std::int64_t>((info.bytes + 511) / 512);
        const TimeSpec time{static_cast<std::int64_t>(info.modified_ns / 1'000'000'000),
                            static_cast<std::int64_t>(info.modified_ns % 1'000'000'000)};
        out.accessed = out.modified = out.changed = time;
    } else if (file.kind == FileKind::empty_root) {
        out.mode = kModeDirectory | 0555;
        out.inode = 1;
        out.links = 2;
    } else {
        out.mode = kModeChar | 0600;
        out.inode = 2;
    }
    return out;
}

std::expected<Ref<OpenFile>, Errno> open_place(Call& call, Place& place) {
    Payer& payer = call.process.process().agent().quota();
    if (!place.tree) {
        auto root = LINUX_TRY(OpenFile::create(payer, FileKind::empty_root));
        root->is_directory = true;
        return root;
    }
    auto node = place.tree->open(place.relative());
    if (!node) return std::unexpected(node.error() == Error::wrong_type ? kNotDirectory : errno_of(node.error()));
    auto file = LINUX_TRY(OpenFile::create(payer, FileKind::node));
    file->is_directory = (*node)->info().kind == fs::NodeKind::directory;
    file->node = std::move(*node);
    file->path = place.path;
    return file;
}

Outcome open_at(Call& call, std::uint64_t fd, std::uint64_t path_at, std::uint64_t flags, std::uint64_t mode) {
    const UserPath path = LINUX_TRY(UserPath::fetch(path_at));
    const std::uint64_t access = flags & kOpenAccessMask;
    if (access == 3) return refuse(kInvalid);
    const bool writing = access != kOpenReadOnly || (flags & kOpenTruncate) != 0;
    const Follow follow =
        (flags & kOpenNoFollow) != 0 || (flags & (kOpenCreate | kOpenExclusive)) == (kOpenCreate | kOpenExclusive)
            ? Follow::no
            : Follow::yes;
    Place place = LINUX_TRY(place_at(call, fd, path.view(), follow, rights::read));

    auto opened = open_place(call, place);
    if (!opened && opened.error() == kNoEntry && (flags & kOpenCreate) != 0) {
        if (!place.tree || !place.tree->is_writable()) return refuse(kReadOnly);
        place = LINUX_TRY(place_at(call, fd, path.view(), follow, rights::write));
        const auto made = place.tree->create_file(place.relative(), static_cast<std::uint32_t>(mode & 0777));
        if (!made) return refuse(change_errno(made.error()));
        opened = open_place(call, place);
    } else if (opened && (flags & (kOpenCreate | kOpenExclusive)) == (kOpenCreate | kOpenExclusive)) {
        return refuse(kExists);
    }
    if (!opened) return refuse(opened.error());
    OpenFile& file = **opened;
    if (file.kind == FileKind::node && file.node->info().kind == fs::NodeKind::link && (flags & kOpenPath) == 0)
        return refuse(kLoop);
    if ((flags & kOpenDirectory) != 0 && !file.is_directory) return refuse(kNotDirectory);
    if (writing) {
        if (file.is_directory) return refuse(kIsDirectory);
        if (!place.tree->is_writable()) return refuse(kReadOnly);
        if (!place_at(call, fd, path.view(), follow, rights::write)) return refuse(kAccess);
    }
    if ((flags & kOpenTruncate) != 0) LINUX_TRY(file.node->resize(0));
    file.path_only = (flags & kOpenPath) != 0;
    file.readable = access != kOpenWriteOnly;
    file.writable = access != kOpenReadOnly;
    file.append = (flags & kOpenAppend) != 0;
    sync::Mutex<sync::Rank::process>::Guard guard(call.process.lock);
    return call.process.files.add(std::move(*opened), (flags & kOpenCloseOnExec) != 0);
}

Outcome stat_at(Call& call, std::uint64_t fd, std::uint64_t path_at, std::uint64_t out, std::uint64_t flags) {
    const UserPath path = LINUX_TRY(UserPath::fetch(path_at));
    if (path.view().empty()) {
        if ((flags & kAtEmptyPath) == 0) return refuse(kNoEntry);
        Ref<OpenFile> file;
        if (static_cast<std::int32_t>(fd) == kAtFdCwd) {
            Place place = LINUX_TRY(place_at(call, fd, ".", Follow::yes, rights::read));
            file = LINUX_TRY(open_place(call, place));
        } else {
            sync::Mutex<sync::Rank::process>::Guard guard(call.process.lock);
            file = LINUX_TRY(call.process.files.get(fd));
        }
        return store_user(out, stat_of(*file));
    }
    const Follow follow = (flags & kAtSymlinkNoFollow) != 0 ? Follow::no : Follow::yes;
    Place place = LINUX_TRY(place_at(call, fd, path.view(), follow, rights::read));
    const auto file = LINUX_TRY(open_place(call, place));
    if (path.view().back() == '/' && !file->is_directory) return refuse(kNotDirectory);
    return store_user(out, stat_of(*file));
}

Outcome access_at(Call& call, std::uint64_t fd, std::uint64_t path_at, std::uint64_t mode) {
    const UserPath path = LINUX_TRY(UserPath::fetch(path_at));
    Place place = LINUX_TRY(place_at(call, fd, path.view(), Follow::yes, rights::read));
    const auto file = LINUX_TRY(open_place(call, place));
    if ((mode & 2) != 0) {
        if (!place.tree || !place.tree->is_writable()) return refuse(kReadOnly);
        LINUX_TRY(place_at(call, fd, path.view(), Follow::yes, rights::write));
    }
    if ((mode & 1) != 0 && !file->is_directory && (file->node->info().mode & 0111) == 0) return refuse(kAccess);
    return 0;
}

Outcome make_directory(Call& call, std::uint64_t fd, std::uint64_t path_at, std::uint64_t mode) {
    const UserPath path = LINUX_TRY(UserPath::fetch(path_at));
    Place place = LINUX_TRY(place_at(call, fd, path.view(), Follow::no, rights::none));
    if (open_place(call, place)) return refuse(kExists);
    place = LINUX_TRY(place_to_change(call, fd, path.view()));
    if (const auto made = place.tree->create_directory(place.relative(), static_cast<std::uint32_t>(mode & 0777));
        !made) {
        return refuse(change_errno(made.error()));
    }
    return 0;
}

Outcome remove_at(Call& call, std::uint64_t fd, std::uint64_t path_at, fs::NodeKind kind) {
    const UserPath path = LINUX_TRY(UserPath::fetch(path_at));
    Place place = LINUX_TRY(place_at(call, fd, path.view(), Follow::no, rights::read));
    const auto file = LINUX_TRY(open_place(call, place)); // ENOENT before EROFS
    if (kind == fs::NodeKind::directory && !file->is_directory) return refuse(kNotDirectory);
    if (kind != fs::NodeKind::directory && file->is_directory) return refuse(kIsDirectory);
    place = LINUX_TRY(place_to_change(call, fd, path.view()));
    if (place.relative().empty()) return refuse(kBusy);
    if (const auto removed = place.tree->remove(place.relative(), kind); !removed)
        return refuse(change_errno(removed.error()));
    return 0;
}

// Two places in one tree, for rename and link.
struct Pair {
    Place from, to;
};
Outcome with_pair(Call& call, std::uint64_t from_fd, std::uint64_t from_at, std::uint64_t to_fd, std::uint64_t to_at,
                  Result<> (*action)(fs::Tree& tree, std::string_view from, std::string_view to, std::uint64_t flags),
                  std::uint64_t flags) {
    const UserPath from = LINUX_TRY(UserPath::fetch(from_at));
    const UserPath to = LINUX_TRY(UserPath::fetch(to_at));
    auto made = mm::make<Pair>();
    if (!made) return refuse(kNoMemory);
    struct Holder {
        Pair* pair;
        ~Holder() { mm::destroy(pair); }
    } holder{*made};
    Pair& pair = **made;
    pair.from = LINUX_TRY(place_to_change(call, from_fd, from.view()));
    pair.to = LINUX_TRY(place_to_change(call, to_fd, to.view()));
    if (!(pair.from.tree == pair.to.tree)) return refuse(kCrossDevice);
    const auto done = action(*pair.from.tree, pair.from.relative(), pair.to.relative(), flags);
    if (!done) return refuse(change_errno(done.error()));
    return 0;
}

constexpr std::uint64_t kRenameNoReplace = 1;
Result<> do_rename(fs::Tree& tree, std::string_view from, std::string_view to, std::uint64_t flags) {
    return tree.rename(from, to, (flags & kRenameNoReplace) == 0);
}
Result<> do_link(fs::Tree& tree, std::string_view from, std::string_view to, std::uint64_t) {
    return tree.create_hard_link(to, from);
}

Outcome symlink_at(Call& call, std::uint64_t target_at, std::uint64_t fd, std::uint64_t path_at) {
    const UserPath target = LINUX_TRY(UserPath::fetch(target_at));
    const UserPath path = LINUX_TRY(UserPath::fetch(path_at));
    if (target.view().empty()) return refuse(kNoEntry);
    Place place = LINUX_TRY(place_to_change(call, fd, path.view()));
    if (const auto made = place.tree->create_link(place.relative(), target.view()); !made)
        return refuse(change_errno(made.error()));
    return 0;
}

Outcome readlink_at(Call& call, std::uint64_t fd, std::uint64_t path_at, std::uint64_t out, std::uint64_t capacity) {
    if (capacity == 0 || capacity > 0x7fff'ffff) return refuse(kInvalid);
    const UserPath path = LINUX_TRY(UserPath::fetch(path_at));
    if (path.view() == "/proc/self/exe") {
        const std::size_t bytes = std::min<std::size_t>(std::strlen(call.process.executable), capacity);
        if (!arch::copy_to_user(out, call.process.executable, bytes)) return refuse(kFault);
        return bytes;
    }
    Place place = LINUX_TRY(place_at(call, fd, path.view(), Follow::no, rights::read));
    const auto file = LINUX_TRY(open_place(call, place));
    if (file->kind != FileKind::node || file->node->info().kind != fs::NodeKind::link) return refuse(kInvalid);
    char* bounce = reinterpret_cast<char*>(data_of(call.thread).bounce); // SAFETY: bytes as characters
    const auto length = file->node->read_link(bounce, kBounceBytes);
    if (!length) return refuse(errno_of(length.error()));
    const std::uint64_t bytes = std::min(*length, capacity);
    if (!arch::copy_to_user(out, bounce, bytes)) return refuse(kFault);
    return bytes;
}

Outcome change_mode(OpenFile& file, std::uint64_t mode) {
    if (file.kind != FileKind::node) return refuse(kReadOnly);
    if (const auto done = file.node->set_mode(static_cast<std::uint32_t>(mode & 0777)); !done)
        return refuse(change_errno(done.error()));
    return 0;
}

constexpr std::int64_t kTimeNow = 0x3fffffff, kTimeOmit = 0x3ffffffe;

Outcome fill_statfs(Call& call, std::uint64_t out) {
    Quota& quota = call.process.process().agent().quota();
    StatFs info{};
    info.type = 0x01021994; // memory file system
    info.block_bytes = info.fragment_bytes = static_cast<std::int64_t>(arch::kPageSize);
    info.blocks = quota.limit(Resource::memory) / arch::kPageSize;
    const std::uint64_t used = quota.used(Resource::memory) / arch::kPageSize;
    info.blocks_free = info.blocks_available = info.blocks > used ? info.blocks - used : 0;
    info.name_bytes = 255;
    return store_user(out, info);
}

} // namespace

Outcome call_open(Call& call) {
    return open_at(call, static_cast<std::uint64_t>(kAtFdCwd), call.a[0], call.a[1], call.a[2]);
}
Outcome call_openat(Call& call) { return open_at(call, call.a[0], call.a[1], call.a[2], call.a[3]); }
Outcome call_newfstatat(Call& call) { return stat_at(call, call.a[0], call.a[1], call.a[2], call.a[3]); }
Outcome call_access(Call& call) { return access_at(call, static_cast<std::uint64_t>(kAtFdCwd), call.a[0], call.a[1]); }
Outcome call_faccessat(Call& call) { return access_at(call, call.a[0], call.a[1], call.a[2]); }
Outcome call_faccessat2(Call& call) { return access_at(call, call.a[0], call.a[1], call.a[2]); }
Outcome call_mkdir(Call& call) {
    return make_directory(call, static_cast<std::uint64_t>(kAtFdCwd), call.a[0], call.a[1]);
}
Outcome call_mkdirat(Call& call) { return make_directory(call, call.a[0], call.a[1], call.a[2]); }
Outcome call_unlink(Call& call) {
    return remove_at(call, static_cast<std::uint64_t>(kAtFdCwd), call.a[0], fs::NodeKind::file);
}
Outcome call_rmdir(Call& call) {
    return remove_at(call, static_cast<std::uint64_t>(kAtFdCwd), call.a[0], fs::NodeKind::directory);
}
Outcome call_unlinkat(Call& call) {
    if ((call.a[2] & ~kAtRemoveDir) != 0) return refuse(kInvalid);
    return remove_at(call, call.a[0], call.a[1], call.a[2] != 0 ? fs::NodeKind::directory : fs::NodeKind::file);
}
Outcome call_rename(Call& call) {
    const auto here = static_cast<std::uint64_t>(kAtFdCwd);
    return with_pair(call, here, call.a[0], here, call.a[1], do_rename, 0);
}
Outcome call_renameat(Call& call) { return with_pair(call, call.a[0], call.a[1], call.a[2], call.a[3], do_rename, 0); }
Outcome call_renameat2(Call& call) {
    if ((call.a[4] & ~kRenameNoReplace) != 0) return refuse(kInvalid);
    return with_pair(call, call.a[0], call.a[1], call.a[2], call.a[3], do_rename, call.a[4]);
}
Outcome call_link(Call& call) {
    const auto here = static_cast<std::uint64_t>(kAtFdCwd);
    return with_pair(call, here, call.a[0], here, call.a[1], do_link, 0);
}
Outcome call_linkat(Call& call) { return with_pair(call, call.a[0], call.a[1], call.a[2], call.a[3], do_link, 0); }
Outcome call_symlink(Call& call) {
    return symlink_at(call, call.a[0], static_cast<std::uint64_t>(kAtFdCwd), call.a[1]);
}
Outcome call_symlinkat(Call& call) { return symlink_at(call, call.a[0], call.a[1], call.a[2]); }
Outcome call_readlink(Call& call) {
    return readlink_at(call, static_cast<std::uint64_t>(kAtFdCwd), call.a[0], call.a[1], call.a[2]);
}
Outcome call_readlinkat(Call& call) { return readlink_at(call, call.a[0], call.a[1], call.a[2], call.a[3]); }

Outcome call_truncate(Call& call) {
    const UserPath path = LINUX_TRY(UserPath::fetch(call.a[0]));
    if (static_cast<std::int64_t>(call.a[1]) < 0) return refuse(kInvalid);
    if (call.a[1] > kMaxMemoryBytes) return refuse(kFileTooBig);
    const auto here = static_cast<std::uint64_t>(kAtFdCwd);
    Place place = LINUX_TRY(place_at(call, here, path.view(), Follow::yes, rights::read));
    const auto file = LINUX_TRY(open_place(call, place));
    if (file->is_directory) return refuse(kIsDirectory);
    if (!place.tree->is_writable()) return refuse(kReadOnly);
    LINUX_TRY(place_at(call, here, path.view(), Follow::yes, rights::write));
    LINUX_TRY(file->node->resize(call.a[1]));
    return 0;
}

Outcome call_fchmod(Call& call) {
    Ref<OpenFile> file;
    {
        sync::Mutex<sync::Rank::process>::Guard guard(call.process.lock);
        file = LINUX_TRY(call.process.files.get(call.a[0]));
    }
    return change_mode(*file, call.a[1]);
}

Outcome call_fchmodat(Call& call) {
    const UserPath path = LINUX_TRY(UserPath::fetch(call.a[1]));
    Place place = LINUX_TRY(place_at(call, call.a[0], path.view(), Follow::yes, rights::none));
    const auto file = LINUX_TRY(open_place(call, place));
    if (!place.tree || !place.tree->is_writable()) return refuse(kReadOnly);
    LINUX_TRY(place_at(call, call.a[0], path.view(), Follow::yes, rights::write));
    return change_mode(*file, call.a[2]);
}

Outcome call_utimensat(Call& call) {
    std::uint64_t modified = time::wall_ns();
    if (call.a[2] != 0) {
        const auto time = LINUX_TRY(load_user<TimeSpec>(call.a[2] + sizeof(TimeSpec)));
        if (time.nanoseconds == kTimeOmit) return 0;
        if (time.nanoseconds != kTimeNow) modified = LINUX_TRY(nanoseconds_of(time));
    }
    Ref<OpenFile> file;
    if (call.a[1] == 0) {
        sync::Mutex<sync::Rank::process>::Guard guard(call.process.lock);
        file = LINUX_TRY(call.process.files.get(call.a[0]));
        if (!file->writable) return refuse(kAccess);
    } else {
        const UserPath path = LINUX_TRY(UserPath::fetch(call.a[1]));
        const Follow follow = (call.a[3] & kAtSymlinkNoFollow) != 0 ? Follow::no : Follow::yes;
        Place place = LINUX_TRY(place_at(call, call.a[0], path.view(), follow, rights::none));
        file = LINUX_TRY(open_place(call, place));
        if (!place.tree || !place.tree->is_writable()) return refuse(kReadOnly);
        LINUX_TRY(place_at(call, call.a[0], path.view(), follow, rights::write));
    }
    if (file->kind != FileKind::node) return refuse(kReadOnly);
    if (const auto done = file->node->set_modified(modified); !done) return refuse(change_errno(done.error()));
    return 0;
}

Outcome call_statfs(Call& call) {
    const UserPath path = LINUX_TRY(UserPath::fetch(call.a[0]));
    Place place =
        LINUX_TRY(place_at(call, static_cast<std::uint64_t>(kAtFdCwd), path.view(), Follow::yes, rights::read));
    LINUX_TRY(open_place(call, place));
    return fill_statfs(call, call.a[1]);
}

Outcome call_chdir(Call& call) {
    const UserPath path = LINUX_TRY(UserPath::fetch(call.a[0]));
    Place place =
        LINUX_TRY(place_at(call, static_cast<std::uint64_t>(kAtFdCwd), path.view(), Follow::yes, rights::read));
    const auto file = LINUX_TRY(open_place(call, place));
    if (!file->is_directory) return refuse(kNotDirectory);
    sync::Mutex<sync::Rank::process>::Guard guard(call.process.lock);
    call.process.name_space.working_directory = place.path;
    return 0;
}

Outcome call_getcwd(Call& call) {
    auto copy = mm::make<Path>();
    if (!copy) return refuse(kNoMemory);
    struct Holder {
        Path* path;
        ~Holder() { mm::destroy(path); }
    } holder{*copy};
    {
        sync::Mutex<sync::Rank::process>::Guard guard(call.process.lock);
        **copy = call.process.name_space.working_directory;
    }
    const std::size_t bytes = (*copy)->bytes + 2; // the slash in front, NUL behind
    if (call.a[1] < bytes) return refuse(kRange);
    if (!arch::copy_to_user(call.a[0], "/", 1)) return refuse(kFault);
    if (!arch::copy_to_user(call.a[0] + 1, (*copy)->text, bytes - 1)) return refuse(kFault);
    return bytes;
}

Outcome call_fstat(Call& call) {
    Ref<OpenFile> file;
    {
        sync::Mutex<sync::Rank::process>::Guard guard(call.process.lock);
        file = LINUX_TRY(call.process.files.get(call.a[0]));
    }
    return store_user(call.a[1], stat_of(*file));
}

Outcome call_fstatfs(Call& call) {
    {
        sync::Mutex<sync::Rank::process>::Guard guard(call.process.lock);
        LINUX_TRY(call.process.files.get(call.a[0]));
    }
    return fill_statfs(call, call.a[1]);
}

// struct linux_dirent64: inode, offset, record length, type, name; records are multiples of 8 bytes.
Outcome call_getdents64(Call& call) {
    Ref<OpenFile> file;
    {
        sync::Mutex<sync::Rank::process>::Guard guard(call.process.lock);
        file = LINUX_TRY(call.process.files.get(call.a[0]));
    }
    if (!file->is_directory) return refuse(kNotDirectory);
    if (file->kind == FileKind::empty_root) return 0;
    auto entry = mm::make<fs::Node::Entry>();
    if (!entry) return refuse(kNoMemory);
    struct Holder {
        fs::Node::Entry* entry;
        ~Holder() { mm::destroy(entry); }
    } holder{*entry};
    std::byte* record = data_of(call.thread).bounce;
    std::uint64_t done = 0;
    for (;;) {
        const auto found = file->node->entry(file->offset, **entry);
        if (!found) {
            if (found.error() == Error::not_found) return done;
            return refuse(errno_of(found.error()));
        }
        const std::size_t name_bytes = (*entry)->name_bytes;
        const std::size_t record_bytes = (19 + name_bytes + 1 + 7) / 8 * 8;
        if (record_bytes > call.a[2] - done) return done != 0 ? Outcome(done) : refuse(kInvalid);
        std::memset(record, 0, record_bytes);
        const std::uint16_t length = static_cast<std::uint16_t>(record_bytes);
        const std::uint8_t type = (*entry)->kind == fs::NodeKind::directory ? kDirentDirectory
                                  : (*entry)->kind == fs::NodeKind::link    ? kDirentLink
                                                                            : kDirentFile;
        std::memcpy(record, &(*entry)->id, 8);
        std::memcpy(record + 8, &(*entry)->next_position, 8);
        std::memcpy(record + 16, &length, 2);
        std::memcpy(record + 18, &type, 1);
        std::memcpy(record + 19, (*entry)->name, name_bytes);
        if (!arch::copy_to_user(call.a[1] + done, record, record_bytes))
            return done != 0 ? Outcome(done) : refuse(kFault);
        done += record_bytes;
        file->offset = (*entry)->next_position;
    }
}

} // namespace aios::linux_abi
