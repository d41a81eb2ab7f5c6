// See folders.hpp.
#include "services/runner/folders.hpp"

#include <algorithm>

#include "base/bytes.hpp"

namespace aios::runner {
namespace {

constexpr std::size_t kPiece = 32 << 10; // of a file
constexpr std::size_t kHead = 64;        // of a message around it
std::byte g_contents[kPiece], g_message[kPiece + kHead];
TreeChange g_change;
char g_path[2 * kMaxPathBytes + 2]; // of a change, as the program sees it

constexpr std::uint32_t kRights = (rights::read | rights::execute).bits();

// SAFETY: addresses cross the border as words.
std::uint64_t address_of(const void* place) { return reinterpret_cast<std::uint64_t>(place); }

template <typename T>
Result<> send(Handle host, const T& message) {
    const auto encoded = messages::encode(g_message, message);
    if (!encoded) return fail(encoded.error());
    TRY(sys::host_send(host, encoded->data(), encoded->size()));
    return {};
}

// As many bytes as were announced: nobody changes the tree any more.
Result<> send_contents(Handle host, Handle tree, const TreeChange& change) {
    if (change.size == 0) return {};
    const OwnedHandle file = TRY(owned(sys::tree_open(tree, change.path, change.path_bytes)));
    for (std::uint64_t at = 0; at < change.size;) {
        // Not mapped: holes are read as they are, though nobody is there any more to pay for their pages.
        const std::uint64_t bytes = TRY(sys::memory_read(file.get(), at, g_contents, kPiece));
        if (bytes == 0) return fail(Error::truncated);
        TRY(send(host, messages::view::ProgramData{.data = Bytes(g_contents, bytes)}));
        at += bytes;
    }
    return {};
}

} // namespace

Result<> Folders::add(Bytes paths, std::uint32_t flags, Handle bundle) {
    while (!paths.empty()) {
        const auto end = std::ranges::find(paths, std::byte{0});
        if (end == paths.end() || *paths.begin() != std::byte{'/'}) return fail(Error::bad_argument);
        if (count_ == kMaxMounts) return fail(Error::too_large);
        const Bytes path = paths.first(static_cast<std::size_t>(end - paths.begin()));
        // What "/" is, comes from the bundle as a whole.
        mounts_[count_++] = {.tree = bundle,
                             .rights = kRights,
                             .flags = flags,
                             .path = address_of(path.data()),
                             .path_bytes = path.size(),
                             .from = address_of(path.data() + 1),
                             .from_bytes = path.size() - 1,
                             .shown = kNoHandle};
        paths = paths.subspan(path.size() + 1);
    }
    return {};
}

Result<> Folders::set_up(const messages::view::ProgramRun& what, Handle bundle) {
    TRY(add(what.read_only, 0, bundle));
    TRY(add(what.writable, kMountPrivate | kMountShown, bundle));
    const auto is_root = [](const MountGrant& mount) { return mount.path_bytes == 1; };
    if (std::ranges::any_of(std::span(mounts_, count_), is_root)) return {};
    static constexpr std::byte kRoot[] = {std::byte{'/'}, std::byte{0}};
    return add(kRoot, kMountPrivate, bundle);
}

void Folders::mount_in(SpawnRequest& request) {
    request.mounts = address_of(mounts_);
    request.mount_count = count_;
}

void Folders::take_shown() {
    for (std::size_t i = 0; i < count_; ++i)
        if (mounts_[i].shown != kNoHandle) shown_[i] = OwnedHandle(mounts_[i].shown);
}

Result<> Folders::tell_folder(Handle host, Handle tree, std::string_view path) {
    std::ranges::copy(path, g_path);
    const std::size_t start = path == "/" ? 1 : path.size() + 1;
    g_path[start - 1] = '/';
    for (std::uint64_t position = 0;;) {
        const auto found = sys::tree_change(tree, position, &g_change);
        if (!found) return found.error() == Error::not_found ? Result<>() : fail(found.error());
        position = g_change.next;
        if (g_change.size > left_) return fail(Error::too_large);
        left_ -= g_change.size;
        std::ranges::copy(g_change.path, g_change.path + g_change.path_bytes, g_path + start);
        TRY(send(host, messages::view::ProgramChange{.path = as_bytes({g_path, start + g_change.path_bytes}),
                                                     .kind = g_change.kind,
                                                     .mode = g_change.mode,
                                                     .modified_ns = g_change.modified_ns,
                                                     .size = g_change.size,
                                                     .target = as_bytes({g_change.target, g_change.target_bytes})}));
        if (g_change.kind == static_cast<std::uint32_t>(ChangeKind::file)) TRY(send_contents(host, tree, g_change));
    }
}

Result<> Folders::tell_changes(Handle host, std::uint64_t most) {
    Result<> outcome;
    left_ = most;
    for (std::size_t i = 0; i < count_; ++i) {
        if (!shown_[i]) continue;
        // SAFETY: from the program's description, which stays.
        const std::string_view path(reinterpret_cast<const char*>(mounts_[i].path), mounts_[i].path_bytes);
        if (outcome) outcome = tell_folder(host, shown_[i].get(), path);
        shown_[i].reset();
    }
    return outcome;
}

} // namespace aios::runner
