// Names: directories, links, rename, removal.
#include <algorithm>

#include "personality/linux/text.hpp"
#include "personality/linux/tree_errno.hpp"

namespace aios::linux_abi {
namespace {

std::string_view last_component(std::string_view text) {
    while (text.ends_with('/'))
        text.remove_suffix(1);
    return text.substr(text.rfind('/') + 1); // npos + 1 is 0
}

bool is_directory(const Ref<fs::Node>& node) { return !node || node->info().kind == fs::NodeKind::directory; }

Outcome make_directory(Call& call, Descriptor from, UserIn<char> path, std::uint32_t mode) {
    Lookup lookup = LINUX_TRY(Lookup::resolve(call, from, path, Follow::no));
    const auto existing = lookup.node();
    if (existing) return refuse(kExists);
    if (existing.error() != kNoEntry) return refuse(existing.error());
    if (const Errno error = lookup.permit_entry(); error != Errno{}) return refuse(error);
    const auto bits = (mode & 01777) & ~call.process.creation_mask.load();
    const auto made = lookup.tree()->create_directory(lookup.relative(), bits);
    if (!made) return refuse(change_errno(made.error()));
    if (const auto node = lookup.tree()->open(lookup.relative(), call.process.quota())) lookup.give_to_caller(**node);
    return 0;
}

// Files and names of sockets. Devices are nobody's to make here.
Outcome make_node(Call& call, Descriptor from, UserIn<char> path, std::uint32_t mode) {
    const std::uint32_t kind = mode & kModeKind;
    Lookup lookup = LINUX_TRY(Lookup::resolve(call, from, path, Follow::no));
    if (kind == kModeChar || kind == kModeBlock) return refuse(kPerm);
    if (kind == kModeDirectory) return refuse(kPerm);
    if (kind != 0 && kind != kModeFile && kind != kModeSocket && kind != kModeFifo) return refuse(kInvalid);
    const auto existing = lookup.node();
    if (existing) return refuse(kExists);
    if (existing.error() != kNoEntry || lookup.must_be_directory()) return refuse(existing.error());
    if (const Errno error = lookup.permit_entry(); error != Errno{}) return refuse(error);
    const auto bits = (mode & 07777) & ~call.process.creation_mask.load();
    fs::Tree& tree = *lookup.tree();
    const auto made = kind == kModeSocket ? tree.create_socket(lookup.relative(), bits)
                      : kind == kModeFifo ? tree.create_fifo(lookup.relative(), bits)
                                          : tree.create_file(lookup.relative(), bits);
    if (!made) return refuse(change_errno(made.error()));
    lookup.give_to_caller(**made);
    return 0;
}

Outcome remove_file(Call& call, Descriptor from, UserIn<char> path) {
    Lookup lookup = LINUX_TRY(Lookup::resolve(call, from, path, Follow::no));
    const Ref<fs::Node> node = LINUX_TRY(lookup.node()); // ENOENT before EROFS
    if (lookup.is_generated()) return refuse(lookup.generated()->is_directory() ? kIsDirectory : kReadOnly);
    if (is_directory(node)) return refuse(kIsDirectory);
    if (lookup.must_be_directory()) return refuse(kNotDirectory);
    if (const Errno error = lookup.permit_entry(node.get()); error != Errno{}) return refuse(error);
    if (const auto removed = lookup.tree()->remove(lookup.relative(), node->info().kind); !removed)
        return refuse(change_errno(removed.error()));
    return 0;
}

Outcome remove_directory(Call& call, Descriptor from, UserIn<char> path) {
    Lookup lookup = LINUX_TRY(Lookup::resolve(call, from, path, Follow::no));
    const std::string_view last = last_component(lookup.text());
    if (last == ".") return refuse(kInvalid);
    if (last == "..") return refuse(kNotEmpty);
    const Ref<fs::Node> node = LINUX_TRY(lookup.node());
    if (!is_directory(node)) return refuse(kNotDirectory);
    if (lookup.is_generated()) return refuse(lookup.generated()->is_directory() ? kReadOnly : kNotDirectory);
    if (lookup.relative().empty()) return refuse(kBusy); // a mount point
    if (const Errno error = lookup.permit_entry(node.get()); error != Errno{}) return refuse(error);
    if (const auto removed = lookup.tree()->remove(lookup.relative(), fs::NodeKind::directory); !removed)
        return refuse(change_errno(removed.error()));
    return 0;
}

bool is_below(std::string_view path, std::string_view directory) {
    return path.starts_with(directory) && path.size() > directory.size() && path[directory.size()] == '/';
}

Outcome rename_at(Call& call, Descriptor from_fd, UserIn<char> from_path, Descriptor to_fd, UserIn<char> to_path,
                  fs::IfPresent if_present) {
    Lookup from = LINUX_TRY(Lookup::resolve(call, from_fd, from_path, Follow::no));
    Lookup to = LINUX_TRY(Lookup::resolve(call, to_fd, to_path, Follow::no));
    if (from.is_generated() || to.is_generated()) return refuse(kReadOnly);
    for (const Lookup* side : {&from, &to}) {
        const std::string_view last = last_component(side->text());
        if (last == "." || last == "..") return refuse(kBusy);
    }
    const Ref<fs::Node> source = LINUX_TRY(from.node());
    if (from.relative().empty() || to.relative().empty()) return refuse(kBusy);
    if (from.tree() != to.tree()) return refuse(kCrossDevice);
    if (const Errno error = from.permit_entry(source.get()); error != Errno{}) return refuse(error);
    const bool moves_directory = is_directory(source);
    if (!moves_directory && (from.must_be_directory() || to.must_be_directory())) return refuse(kNotDirectory);
    if (const auto target = to.node()) {
        if (if_present == fs::IfPresent::refuse) return refuse(kExists);
        if (!moves_directory && is_directory(*target)) return refuse(kIsDirectory);
        if (moves_directory && !is_directory(*target)) return refuse(kNotDirectory);
        if ((*target)->info().id == source->info().id) return 0;
        if (const Errno error = to.permit_entry(target->get()); error != Errno{}) return refuse(error);
    } else if (const Errno error = to.permit_entry(); error != Errno{}) {
        return refuse(error);
    }
    if (moves_directory && is_below(to.relative(), from.relative())) return refuse(kInvalid);
    if (moves_directory && is_below(from.relative(), to.relative())) return refuse(kNotEmpty);
    const auto done = from.tree()->rename(from.relative(), to.relative(), if_present);
    if (!done) return refuse(change_errno(done.error()));
    return 0;
}

Outcome link_at(Call& call, Descriptor from_fd, UserIn<char> from_path, Descriptor to_fd, UserIn<char> to_path,
                Follow follow) {
    Lookup from = LINUX_TRY(Lookup::resolve(call, from_fd, from_path, follow));
    const Ref<fs::Node> source = LINUX_TRY(from.node());
    Lookup to = LINUX_TRY(Lookup::resolve(call, to_fd, to_path, Follow::no));
    if (to.node()) return refuse(kExists);
    if (to.must_be_directory()) return refuse(kNoEntry);
    if (from.tree() != to.tree() || from.is_generated()) return refuse(kCrossDevice);
    if (is_directory(source)) return refuse(kPerm);
    if (const Errno error = to.permit_entry(); error != Errno{}) return refuse(error);
    const auto made = to.tree()->create_hard_link(to.relative(), from.relative());
    if (!made) return refuse(change_errno(made.error()));
    return 0;
}

Outcome symlink_at(Call& call, UserIn<char> target, Descriptor from, UserIn<char> path) {
    Lookup lookup = LINUX_TRY(Lookup::resolve(call, from, path, Follow::no));
    Bounce bounce = LINUX_TRY(Bounce::make(call.process));
    const std::string_view text(bounce.text(), LINUX_TRY(fetch_text(target, bounce.text())));
    if (text.empty()) return refuse(kNoEntry);
    const auto existing = lookup.node();
    if (existing) return refuse(kExists);
    if (existing.error() != kNoEntry || lookup.must_be_directory()) return refuse(existing.error());
    if (const Errno error = lookup.permit_entry(); error != Errno{}) return refuse(error);
    const auto made = lookup.tree()->create_link(lookup.relative(), text);
    if (!made) return refuse(change_errno(made.error()));
    if (const auto node = lookup.tree()->open(lookup.relative(), call.process.quota())) lookup.give_to_caller(**node);
    return 0;
}

Outcome readlink_at(Call& call, Descriptor from, UserIn<char> path, UserOut<char> out, std::int32_t room) {
    if (room <= 0) return refuse(kInvalid);
    const auto capacity = static_cast<std::uint64_t>(room);
    Bounce bounce = LINUX_TRY(Bounce::make(call.process));
    std::uint64_t bytes = 0;
    Ref<fs::Node> node;
    const bool names_descriptor = LINUX_TRY(path.read()) == '\0';
    if (names_descriptor) { // an O_PATH descriptor of a link
        const auto file = LINUX_TRY(file_of(call, from));
        if (file->node() == nullptr) return refuse(kNoEntry);
        node = Ref<fs::Node>::share(*file->node());
    } else {
        Lookup lookup = LINUX_TRY(Lookup::resolve(call, from, path, Follow::no));
        if (lookup.generated() != nullptr) {
            if (!lookup.generated()->is_link()) return refuse(kInvalid);
            Text text(call.process.quota());
            const Errno error = read_link({call.process, *lookup.generated()}, text);
            if (error != Errno{}) return refuse(error);
            if (text.error() != Errno{}) return refuse(text.error());
            bytes = std::min<std::uint64_t>(text.view().size(), capacity);
            LINUX_TRY(out.write_array(0, text.view().data(), bytes));
            return bytes;
        }
        node = LINUX_TRY(lookup.node());
        if (const Errno error = lookup.permit(rights::read); error != Errno{}) return refuse(error);
    }
    if (!node || node->info().kind != fs::NodeKind::link) return refuse(names_descriptor ? kNoEntry : kInvalid);
    bytes = LINUX_TRY(node->read_link(bounce.text(), Bounce::kBytes));
    bytes = std::min(bytes, capacity);
    LINUX_TRY(out.write_array(0, bounce.text(), bytes));
    return bytes;
}

} // namespace

Outcome call_mkdir(Call& call, UserIn<char> path, std::uint32_t mode) {
    return make_directory(call, kHere, path, mode);
}
Outcome call_mkdirat(Call& call, Descriptor from, UserIn<char> path, std::uint32_t mode) {
    return make_directory(call, from, path, mode);
}
Outcome call_mknod(Call& call, UserIn<char> path, std::uint32_t mode) { return make_node(call, kHere, path, mode); }
Outcome call_mknodat(Call& call, Descriptor from, UserIn<char> path, std::uint32_t mode) {
    return make_node(call, from, path, mode);
}
Outcome call_unlink(Call& call, UserIn<char> path) { return remove_file(call, kHere, path); }
Outcome call_rmdir(Call& call, UserIn<char> path) { return remove_directory(call, kHere, path); }
Outcome call_unlinkat(Call& call, Descriptor from, UserIn<char> path, Flags<kAtRemoveDir> flags) {
    return flags.has(kAtRemoveDir) ? remove_directory(call, from, path) : remove_file(call, from, path);
}
Outcome call_rename(Call& call, UserIn<char> from, UserIn<char> to) {
    return rename_at(call, kHere, from, kHere, to, fs::IfPresent::replace);
}
Outcome call_renameat(Call& call, Descriptor from, UserIn<char> path, Descriptor to, UserIn<char> to_path) {
    return rename_at(call, from, path, to, to_path, fs::IfPresent::replace);
}
Outcome call_renameat2(Call& call, Descriptor from, UserIn<char> path, Descriptor to, UserIn<char> to_path,
                       Flags<kRenameNoReplace> flags) {
    return rename_at(call, from, path, to, to_path,
                     flags.has(kRenameNoReplace) ? fs::IfPresent::refuse : fs::IfPresent::replace);
}
Outcome call_link(Call& call, UserIn<char> from, UserIn<char> to) {
    return link_at(call, kHere, from, kHere, to, Follow::no);
}
Outcome call_linkat(Call& call, Descriptor from, UserIn<char> path, Descriptor to, UserIn<char> to_path,
                    Flags<kAtSymlinkFollow> flags) {
    return link_at(call, from, path, to, to_path, flags.has(kAtSymlinkFollow) ? Follow::yes : Follow::no);
}
Outcome call_symlink(Call& call, UserIn<char> target, UserIn<char> path) {
    return symlink_at(call, target, kHere, path);
}
Outcome call_symlinkat(Call& call, UserIn<char> target, Descriptor from, UserIn<char> path) {
    return symlink_at(call, target, from, path);
}
Outcome call_readlink(Call& call, UserIn<char> path, UserOut<char> out, std::int32_t capacity) {
    return readlink_at(call, kHere, path, out, capacity);
}
Outcome call_readlinkat(Call& call, Descriptor from, UserIn<char> path, UserOut<char> out, std::int32_t capacity) {
    return readlink_at(call, from, path, out, capacity);
}

} // namespace aios::linux_abi
