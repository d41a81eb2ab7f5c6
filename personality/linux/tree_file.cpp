// Files and directories of trees. See tree_file.hpp.
#include "personality/linux/tree_file.hpp"

#include <cstring>

#include "kernel/mm/size_classes.hpp"
#include "kernel/time/clock.hpp"
#include "personality/linux/generated_tree.hpp"
#include "personality/linux/signals.hpp"
#include "personality/linux/transfer.hpp"
#include "personality/linux/tree_errno.hpp"

namespace aios::linux_abi {

namespace {

std::uint32_t type_bits(fs::NodeKind kind) {
    switch (kind) {
    case fs::NodeKind::file:
        return kModeFile;
    case fs::NodeKind::directory:
        return kModeDirectory;
    case fs::NodeKind::link:
        return kModeLink;
    case fs::NodeKind::socket:
        return kModeSocket;
    case fs::NodeKind::fifo:
        return kModeFifo;
    }
    return 0;
}

bool is_sealed(fs::Node& node, std::uint32_t against) {
    const std::atomic<std::uint32_t>* const seals = node.seals();
    return seals != nullptr && (seals->load() & against) != 0;
}
// Whether [.., end) may be written to.
bool forbids_write(fs::Node& node, std::uint64_t end) {
    return is_sealed(node, kSealedWrite | kSealedFutureWrite) ||
           (is_sealed(node, kSealedGrow) && end > node.info().bytes);
}

// RLIMIT_FSIZE: true, with SIGXFSZ, where a file of that size would be too large.
bool exceeds_limit(Call& call, std::uint64_t bytes) {
    if (bytes <= call.process.file_bytes_limit.load(std::memory_order_relaxed)) return false;
    send_to_self(call, kSigFileTooLarge);
    return true;
}

// Sizes change here alone, under the lock of the file's pages.
Result<> grow(fs::Node& node, std::uint64_t bytes) { return TRY(node.pages())->grow(bytes); }
Result<std::uint64_t> extend(fs::Node& node, std::uint64_t bytes) {
    return TRY(node.pages())->extend(bytes, kMaxFileBytes);
}

} // namespace

Stat TreeFile::info() const {
    Stat out{};
    out.device = device_;
    out.block_bytes = static_cast<std::int64_t>(arch::kPageSize);
    if (!node_) { // the empty root
        out.mode = kModeDirectory | 0555;
        out.inode = 1;
        out.links = 2;
        return out;
    }
    const fs::NodeInfo info = node_->info();
    out.inode = info.id;
    out.links = info.links;
    out.mode = type_bits(info.kind) | info.mode;
    out.bytes = static_cast<std::int64_t>(info.bytes);
    out.uid = info.user;
    out.gid = info.group;
    // In blocks of 512 bytes, whole pages: what a file without holes takes.
    out.blocks =
        static_cast<std::int64_t>((info.bytes + arch::kPageSize - 1) / arch::kPageSize * (arch::kPageSize / 512));
    const auto time = [](std::uint64_t ns) {
        return TimeSpec{static_cast<std::int64_t>(ns / 1'000'000'000), static_cast<std::int64_t>(ns % 1'000'000'000)};
    };
    out.accessed = time(info.accessed_ns);
    out.modified = time(info.modified_ns);
    out.changed = time(info.changed_ns);
    return out;
}

Outcome TreeFile::seek(std::int64_t offset, std::uint32_t whence) {
    const std::uint64_t size = node_ ? node_->info().bytes : 0;
    PositionLock::Guard guard(position_lock_);
    std::uint64_t base = 0;
    if (whence == kSeekCurrent) base = position_;
    if (whence == kSeekEnd) base = size;
    if (whence == kSeekData || whence == kSeekHole) { // all of a file is data
        const auto at = static_cast<std::uint64_t>(offset);
        if (at >= size) return refuse(kNoDeviceAddress);
        position_ = whence == kSeekData ? at : size;
        return position_.load();
    }
    std::int64_t result = 0;
    if (__builtin_add_overflow(static_cast<std::int64_t>(base), offset, &result)) return refuse(kInvalid);
    if (result < 0) return refuse(kInvalid);
    position_ = static_cast<std::uint64_t>(result);
    return static_cast<std::uint64_t>(result);
}

// --- regular files --------------------------------------------------------------------------------------------------

Result<Ref<OpenFile>> RegularFile::create(Payer& payer, Ref<fs::Node> node, TreePlace place, std::string_view path) {
    Ref<FileLabel> label = TRY(FileLabel::create(payer, path, place.device, node->info().id));
    return create(payer, std::move(node), std::move(place), std::move(label));
}

Result<Ref<OpenFile>> RegularFile::create(Payer& payer, Ref<fs::Node> node, TreePlace place, Ref<FileLabel> label) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<RegularFile>));
    cap::KeptNode authority = TRY(cap::KeptNode::keep(payer, std::move(place.authority)));
    return Ref<OpenFile>::adopt(
        TRY(mm::make<RegularFile>(std::move(charge), std::move(authority), std::move(node), place, std::move(label))));
}

std::expected<Ref<OpenFile>, Errno> RegularFile::reopen(LinuxProcess& caller) {
    if (!is_live()) return std::unexpected(kAccess);
    TreePlace place{device_, rights_, authority_.node()};
    if (label_->writing) return LINUX_TRY(create(caller.quota(), node_, std::move(place), label_)); // counted as one
    return LINUX_TRY(create(caller.quota(), node_, std::move(place), path()));
}

Outcome RegularFile::read(Call& call, UserOut<std::byte> to, std::uint64_t bytes) {
    PositionLock::Guard guard(position_lock_);
    const std::uint64_t done = LINUX_TRY(read_pages(call, to, bytes, position_));
    position_ += done;
    return done;
}

Outcome RegularFile::write(Call& call, UserIn<std::byte> from, std::uint64_t bytes) {
    PositionLock::Guard guard(position_lock_);
    if (append) {
        std::uint64_t end = position_;
        const Outcome appended = append_pages(call, from, bytes, end);
        position_ = end;
        return appended;
    }
    const std::uint64_t done = LINUX_TRY(write_pages(call, from, bytes, position_));
    position_ += done;
    return done;
}

Outcome RegularFile::read_at(Call& call, UserOut<std::byte> to, std::uint64_t bytes, std::uint64_t offset) {
    return read_pages(call, to, bytes, offset);
}

Outcome RegularFile::write_at(Call& call, UserIn<std::byte> from, std::uint64_t bytes, std::uint64_t offset) {
    if (append) { // as Linux does it, against POSIX
        std::uint64_t end = 0;
        return append_pages(call, from, bytes, end);
    }
    return write_pages(call, from, bytes, offset);
}

Outcome RegularFile::read_pages(Call& call, UserOut<std::byte> to, std::uint64_t bytes, std::uint64_t offset) {
    auto pages = LINUX_TRY(node_->pages());
    const std::uint64_t size = pages->bytes();
    if (offset >= size) return 0;
    const std::uint64_t wanted = std::min(std::min(bytes, size - offset), kMaxTransfer);
    Buffer buffer;
    if (const Errno error = buffer.prepare(call.process, wanted); error != Errno{}) return refuse(error);
    std::uint64_t done = 0;
    while (done < wanted && !call.thread.is_killed()) {
        if (!is_live()) return partly(done, kAccess); // its capability ended meanwhile
        const std::size_t part = buffer.piece(wanted - done, offset + done);
        if (const auto got = pages->read(offset + done, buffer.data(), part); !got) {
            if (got.error() == Error::bad_argument) return done; // cut off meanwhile
            return partly(done, errno_of(got.error()));
        }
        if (!to.write_array(done, buffer.data(), part)) return partly(done, kFault);
        done += part;
    }
    node_->note_read(time::wall_ns());
    return done;
}

Outcome RegularFile::write_pages(Call& call, UserIn<std::byte> from, std::uint64_t bytes, std::uint64_t offset) {
    if (bytes == 0) return 0;
    if (forbids_write(*node_, offset + std::min(bytes, kMaxTransfer))) return refuse(kPerm);
    if (offset >= kMaxFileBytes) return refuse(kFileTooBig);
    const std::uint64_t most = std::min(call.process.file_bytes_limit.load(std::memory_order_relaxed), kMaxFileBytes);
    if (offset >= most && exceeds_limit(call, offset + 1)) return refuse(kFileTooBig);
    const std::uint64_t wanted = std::min(std::min(bytes, most - offset), kMaxTransfer);
    Buffer buffer;
    if (const Errno error = buffer.prepare(call.process, wanted); error != Errno{}) return refuse(error);
    auto pages = LINUX_TRY(node_->pages());
    std::uint64_t done = 0;
    Errno error{};
    while (done < wanted && !call.thread.is_killed()) {
        const std::size_t part = buffer.piece(wanted - done, offset + done);
        if (!from.read_array(done, buffer.data(), part)) {
            error = kFault;
            break;
        }
        if (!is_live()) { // its capability ended meanwhile
            error = kAccess;
            break;
        }
        const auto grown = grow(*node_, offset + done + part);
        const auto put = grown ? pages->write(offset + done, buffer.data(), part) : grown;
        if (!put) {
            error = change_errno(put.error());
            break;
        }
        done += part;
    }
    if (done != 0) (void)node_->set_modified(time::wall_ns());
    return error == Errno{} ? Outcome(done) : partly(done, error);
}

// The place is taken in one step, so that appends of several threads do not mix.
Outcome RegularFile::append_pages(Call& call, UserIn<std::byte> from, std::uint64_t bytes, std::uint64_t& end) {
    std::uint64_t wanted = std::min(bytes, kMaxTransfer);
    if (wanted == 0) return 0;
    // Others may append meanwhile: what goes beyond the limit then is cut off by write_pages().
    const std::uint64_t most = call.process.file_bytes_limit.load(std::memory_order_relaxed);
    const std::uint64_t size = node_->info().bytes;
    if (size >= most && exceeds_limit(call, size + 1)) return refuse(kFileTooBig);
    wanted = std::min(wanted, most - size);
    if (forbids_write(*node_, size + wanted)) return refuse(kPerm);
    const auto at = extend(*node_, wanted);
    if (!at) return refuse(change_errno(at.error()));
    const Outcome done = write_pages(call, from, wanted, *at);
    const std::uint64_t kept = done ? *done : 0;
    if (kept < wanted && node_->info().bytes == *at + wanted) (void)node_->resize(*at + kept);
    end = *at + kept;
    return done;
}

Errno RegularFile::put(Call& call, Bytes bytes) {
    PositionLock::Guard guard(position_lock_);
    const Errno error = put_at(call, bytes, position_);
    if (error == Errno{}) position_ += bytes.size();
    return error;
}

Errno RegularFile::put_at(Call& call, Bytes bytes, std::uint64_t offset) {
    if (!is_live()) return kAccess;
    if (forbids_write(*node_, offset + bytes.size())) return kPerm;
    if (offset > kMaxFileBytes || bytes.size() > kMaxFileBytes - offset) return kFileTooBig;
    if (exceeds_limit(call, offset + bytes.size())) return kFileTooBig;
    auto contents = node_->pages();
    if (!contents) return errno_of(contents.error());
    const auto grown = grow(*node_, offset + bytes.size());
    const auto done = grown ? (*contents)->write(offset, bytes.data(), bytes.size()) : grown;
    if (!done) return change_errno(done.error());
    (void)node_->set_modified(time::wall_ns());
    return Errno{};
}

Outcome RegularFile::resize(Call& call, std::uint64_t bytes) {
    const std::uint64_t size = node_->info().bytes;
    if (is_sealed(*node_, bytes < size ? kSealedShrink : bytes > size ? kSealedGrow : 0)) return refuse(kPerm);
    if (bytes > size && exceeds_limit(call, bytes)) return refuse(kFileTooBig);
    if (bytes > kMaxFileBytes) return refuse(kFileTooBig);
    if (const auto done = node_->resize(bytes); !done) return refuse(change_errno(done.error()));
    (void)node_->set_modified(time::wall_ns());
    return 0;
}

Outcome RegularFile::control(Call&, std::uint32_t request, std::uint64_t argument) {
    constexpr std::uint32_t kBytesWaiting = 0x541b;
    if (request != kBytesWaiting || is_link()) return refuse(kNotTerminal);
    return answer(UserOut<std::uint32_t>(argument), static_cast<std::uint32_t>(node_->info().bytes - position_.load()));
}

Outcome RegularFile::reserve(Call& call, std::uint64_t end, FileSize size) {
    if (forbids_write(*node_, size == FileSize::grown ? end : 0)) return refuse(kPerm);
    if (size == FileSize::grown && end > node_->info().bytes && exceeds_limit(call, end)) return refuse(kFileTooBig);
    if (end > kMaxFileBytes) return refuse(kFileTooBig);
    if (size == FileSize::kept) return 0; // a promise of room; writes tell when the quota is used up
    if (const auto done = grow(*node_, end); !done) return refuse(change_errno(done.error()));
    return 0;
}

std::expected<MapSource, Errno> RegularFile::map_source() {
    Ref<mm::Pages> pages = LINUX_TRY(node_->pages());
    const bool may_write = !is_sealed(*node_, kSealedWrite | kSealedFutureWrite);
    // SAFETY of the downcast: memory_file_calls.cpp alone sets it.
    const auto writing_label = [this]() -> Ref<FileLabel> {
        if (!label_->writing) return {};
        return Ref<FileLabel>::share(static_cast<FileLabel&>(*label_->writing));
    };
    return MapSource{std::move(pages), authority_.node(), may(rights::execute), may_write, label_, writing_label()};
}

// --- directories ----------------------------------------------------------------------------------------------------

namespace {

// Positions that a program sees: 0 and 1 are "." and "..", then the tree's own plus 2; at the root, the trees that are
// mounted below it follow from kMountPosition on, and what is generated from kGeneratedPosition.
constexpr std::uint64_t kMountPosition = 1ull << 61, kGeneratedPosition = 1ull << 62;

void name_entry(ListedEntry& out, std::string_view name) {
    out.name_bytes = static_cast<std::uint32_t>(name.size());
    std::memcpy(out.name, name.data(), name.size());
}

// At the root: a directory of the tree that something is mounted on.
bool is_covered(const LinuxProcess& process, std::string_view name) {
    return is_generated(name) || process.name_space().is_mount(name);
}

} // namespace

bool DirectoryFile::dots_at(std::uint64_t position, std::uint64_t inode, ListedEntry& out) {
    if (position >= kFirstPosition) return false;
    out.kind = fs::NodeKind::directory;
    out.is_device = false;
    out.id = inode;
    out.next_position = position + 1;
    name_entry(out, position == 0 ? "." : "..");
    return true;
}

Result<Ref<OpenFile>> DirectoryFile::create(Payer& payer, Ref<fs::Node> node, TreePlace place, std::string_view path) {
    Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<DirectoryFile>));
    cap::KeptNode authority = TRY(cap::KeptNode::keep(payer, std::move(place.authority)));
    HeldText held = TRY(HeldText::copy(payer, path));
    return Ref<OpenFile>::adopt(
        TRY(mm::make<DirectoryFile>(std::move(charge), std::move(authority), std::move(node), place, std::move(held))));
}

std::expected<bool, Errno> DirectoryFile::entry_at(LinuxProcess& process, std::uint64_t position,
                                                   ListedEntry& out) const {
    out.is_device = false;
    if (dots_at(position, node_ ? node_->info().id : 1, out)) return true;
    while (node_ && position < kMountPosition) { // goes on at most once for each directory that is covered
        const auto found = node_->entry(position - kFirstPosition, out);
        if (!found && found.error() != Error::not_found) return std::unexpected(errno_of(found.error()));
        if (!found) break;
        position = out.next_position += kFirstPosition;
        if (!path().empty() || !is_covered(process, {out.name, out.name_bytes})) return true;
    }
    if (!path().empty()) return false;
    std::uint64_t index = position < kMountPosition ? 0 : position - kMountPosition;
    const NameSpace::Mount* mount = position < kGeneratedPosition ? process.name_space().below_root(index) : nullptr;
    while (mount != nullptr && mount->prefix.contains('/')) // those deeper down are listed by what they are in
        mount = process.name_space().below_root(++index);
    if (mount != nullptr) {
        out.kind = fs::NodeKind::directory;
        out.id = 1;
        out.next_position = kMountPosition + index + 1;
        name_entry(out, mount->prefix);
        return true;
    }
    const GeneratedNode root = generated_root();
    const std::uint64_t at = position < kGeneratedPosition ? 0 : position - kGeneratedPosition;
    const bool found = LINUX_TRY(entry_of({process, root}, at, out));
    if (found) out.next_position += kGeneratedPosition;
    return found;
}

} // namespace aios::linux_abi
