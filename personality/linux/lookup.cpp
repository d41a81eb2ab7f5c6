#include "personality/linux/lookup.hpp"

#include <algorithm>
#include <cstring>

#include "kernel/audit/audit.hpp"
#include "kernel/mm/size_classes.hpp"
#include "personality/linux/generated_file.hpp"
#include "personality/linux/process.hpp"
#include "personality/linux/text.hpp"

namespace aios::linux_abi {

bool Path::append(std::string_view component) {
    if (bytes + 1 + component.size() > kMaxPathBytes) return false;
    if (bytes != 0) text[bytes++] = '/';
    std::memcpy(text + bytes, component.data(), component.size());
    bytes += component.size();
    return true;
}

void Path::pop() {
    while (bytes != 0 && text[bytes - 1] != '/')
        --bytes;
    if (bytes != 0) --bytes; // the slash
}

void NameSpace::add(std::string_view prefix, Handle tree) {
    for (std::size_t i = 0; i < count_; ++i)
        if (mounts_[i].prefix == prefix) return; // who comes first has the place
    mounts_[count_++] = {prefix, tree};
}

Result<> NameSpace::set_up(Payer& payer, const StartupBlock& startup, std::string_view mounts) {
    text_ = TRY(mm::OwnedBytes::make(payer, mounts.size()));
    if (!mounts.empty()) std::memcpy(text_.data(), mounts.data(), mounts.size());
    // SAFETY: bytes as characters
    std::string_view rest(reinterpret_cast<const char*>(text_.data()), mounts.size());
    const auto for_each = [&](StartupRole role, auto&& f) {
        for (std::uint32_t i = 0; i < startup.count; ++i)
            if (startup.entries[i].role == static_cast<std::uint32_t>(role) && !f(startup.entries[i].handle)) return;
    };
    for_each(StartupRole::mount, [&](Handle tree) {
        const std::size_t end = rest.find('\0');
        if (end == rest.npos || count_ == kMaxMounts) return false; // without a place of its own
        add(rest.substr(0, end), tree);
        rest.remove_prefix(end + 1);
        return true;
    });
    const struct {
        StartupRole role;
        std::string_view prefix;
    } kinds[kRoles] = {{StartupRole::bundle, ""}, {StartupRole::job, "job"}, {StartupRole::temporary, "tmp"}};
    for (const auto& kind : kinds) {
        for_each(kind.role, [&](Handle tree) {
            add(kind.prefix, tree);
            return false; // the first
        });
    }
    return {};
}

const NameSpace::Mount* NameSpace::find(std::string_view path) const {
    const Mount* best = nullptr;
    for (std::size_t i = 0; i < count_; ++i) {
        const std::string_view prefix = mounts_[i].prefix;
        const bool inside = prefix.empty() ||
                            (path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/'));
        if (inside && (best == nullptr || prefix.size() > best->prefix.size())) best = &mounts_[i];
    }
    return best;
}

const NameSpace::Mount* NameSpace::below_root(std::size_t index) const {
    for (std::size_t i = 0; i < count_; ++i) {
        if (!mounts_[i].prefix.empty() && index-- == 0) return &mounts_[i];
    }
    return nullptr;
}

std::expected<bool, Errno> names_descriptor(UserIn<char> path, std::uint64_t flags) {
    if ((flags & kAtEmptyPath) == 0) return false;
    return LINUX_TRY(path.read()) == '\0';
}

std::expected<std::size_t, Errno> fetch_text(UserIn<char> text, char* out) {
    std::size_t bytes = 0;
    while (bytes < kPathRoom) { // page by page: the string may end just before memory that is not mapped
        const std::uint64_t at = text.address() + bytes;
        const std::size_t part = std::min<std::size_t>(kPathRoom - bytes, arch::kPageSize - at % arch::kPageSize);
        LINUX_TRY(text.read_array(bytes, out + bytes, part));
        if (const void* end = std::memchr(out + bytes, 0, part); end != nullptr)
            return static_cast<std::size_t>(static_cast<const char*>(end) - out);
        bytes += part;
    }
    return std::unexpected(kNameTooLong);
}

struct Lookup::Work {
    Reservation charge;
    char text[kPathRoom];
    std::size_t text_bytes = 0;
    Path path;
    // What is still to be walked; rewritten when a link is followed.
    char remaining[2 * kPathRoom];
    std::size_t remaining_bytes = 0, at = 0;
    char link[kPathRoom];
    const NameSpace::Mount* mount = nullptr;
    Ref<fs::Tree> tree;
    Ref<cap::DerivationNode> authority;
    Rights rights;
    bool is_generated = false;
    std::optional<GeneratedNode> generated; // what is there
    Ref<OpenFile> target;
    // What walk_straight() found, for the first node(): later ones look again.
    bool has_outcome = false;
    // Where mode bits hold the caller (identity.hpp): every directory on the way is looked at, but those that the working
    // directory or the one of the call lies in.
    bool is_held_by_modes = false;
    Identity who;
    std::size_t components_before = 0;
    std::expected<Ref<fs::Node>, Errno> outcome;
    ~Work() = default;

    // `tail` may lie inside `remaining`: it is moved first. A slash goes between the two, so an empty tail adds none.
    bool set_remaining(std::string_view head, std::string_view tail) {
        const std::size_t slash = tail.empty() ? 0 : 1;
        if (head.size() + slash + tail.size() > sizeof(remaining)) return false;
        std::memmove(remaining + head.size() + slash, tail.data(), tail.size());
        std::memcpy(remaining, head.data(), head.size());
        if (slash != 0) remaining[head.size()] = '/';
        remaining_bytes = head.size() + slash + tail.size();
        at = 0;
        return true;
    }
    std::string_view next_component() {
        skip_slashes();
        const std::size_t start = at;
        while (at < remaining_bytes && remaining[at] != '/')
            ++at;
        return {remaining + start, at - start};
    }
    void skip_slashes() {
        while (at < remaining_bytes && remaining[at] == '/')
            ++at;
    }
    bool at_end() {
        skip_slashes();
        return at == remaining_bytes;
    }
    [[nodiscard]] std::string_view rest() const { return {remaining + at, remaining_bytes - at}; }
};

Lookup::Lookup(Call& call, mm::Owned<Work> work) : call_(&call), work_(std::move(work)) {}
Lookup::Lookup(Lookup&& other) noexcept = default;
Lookup::~Lookup() = default;
std::string_view Lookup::text() const { return {work_->text, work_->text_bytes}; }
std::string_view Lookup::absolute() const { return work_->path.view(); }
fs::Tree* Lookup::tree() const { return work_->tree.get(); }
bool Lookup::is_generated() const { return work_->is_generated; }
const GeneratedNode* Lookup::generated() const { return work_->generated ? &*work_->generated : nullptr; }
const Ref<OpenFile>& Lookup::target() const { return work_->target; }

std::string_view Lookup::relative() const {
    std::size_t skip = work_->mount == nullptr ? 0 : work_->mount->prefix.size();
    if (skip != 0 && skip < work_->path.bytes) ++skip; // the slash behind it
    return work_->path.view().substr(skip);
}

std::expected<Lookup, Errno> Lookup::make(Call& call) {
    auto charge = Reservation::make(call.process.quota(), Resource::memory, mm::cost_of<Work>);
    if (!charge) return std::unexpected(kNoMemory);
    auto made = mm::own<Work>();
    if (!made) return std::unexpected(kNoMemory);
    (*made)->charge = std::move(*charge);
    (*made)->is_held_by_modes = call.process.is_held_by_modes.load(std::memory_order_relaxed);
    if ((*made)->is_held_by_modes) (*made)->who = identity_of(call.process);
    return Lookup(call, std::move(*made));
}

std::expected<Lookup, Errno> Lookup::here(Call& call) {
    Lookup lookup = LINUX_TRY(make(call));
    {
        LinuxProcess::Lock::Guard guard(call.process.lock);
        (void)lookup.work_->set_remaining(call.process.working_directory.view(), {}); // it was a path before: it fits
    }
    if (const Errno error = lookup.walk(Follow::yes); error != Errno{}) return std::unexpected(error);
    return lookup;
}

std::expected<Lookup, Errno> Lookup::resolve(Call& call, Descriptor from, UserIn<char> path, Follow follow) {
    Lookup lookup = LINUX_TRY(make(call));
    lookup.work_->text_bytes = LINUX_TRY(fetch_text(path, lookup.work_->text));
    LINUX_TRY(lookup.locate(from, follow));
    return lookup;
}

std::expected<Lookup, Errno> Lookup::resolve_text(Call& call, std::string_view path, Follow follow) {
    Lookup lookup = LINUX_TRY(make(call));
    if (path.size() >= kPathRoom) return std::unexpected(kNameTooLong);
    std::memcpy(lookup.work_->text, path.data(), path.size());
    lookup.work_->text_bytes = path.size();
    LINUX_TRY(lookup.locate(kHere, follow));
    return lookup;
}

std::expected<void, Errno> Lookup::locate(Descriptor from, Follow follow) {
    LinuxProcess& process = call_->process;
    Work& work = *work_;
    const std::string_view path = text();
    if (path.empty()) return std::unexpected(kNoEntry);
    bool fits;
    if (path.front() == '/') {
        fits = work.set_remaining({}, path);
    } else {
        LinuxProcess::Lock::Guard guard(process.lock);
        std::string_view base = process.working_directory.view();
        Ref<OpenFile> directory;
        if (from != kHere) {
            directory = LINUX_TRY(process.files.get(from));
            if (!directory->is_directory()) return std::unexpected(kNotDirectory);
            base = directory->directory()->path();
        }
        fits = work.set_remaining(base, path);
        work.components_before = base.empty() ? 0 : 1 + static_cast<std::size_t>(std::ranges::count(base, '/'));
    }
    if (!fits) return std::unexpected(kNameTooLong);
    if (const Errno error = walk(follow); error != Errno{}) return std::unexpected(error);
    return {};
}

// Looks up the tree that `path` lies in, where that is another than before, or what is generated there. Without rights:
// what is done with the tree is checked by permit().
Errno Lookup::enter_mount() {
    Work& work = *work_;
    work.generated.reset();
    work.is_generated = linux_abi::is_generated(work.path.view());
    if (work.is_generated) {
        work.mount = nullptr;
        work.tree.reset();
        work.authority.reset();
        const auto found = find_generated(call_->process, work.path.view());
        if (found) work.generated = *found;
        return found || found.error() == kNoEntry ? Errno{} : found.error();
    }
    const NameSpace::Mount* mount = call_->process.name_space().find(work_->path.view());
    if (mount == work_->mount) return Errno{};
    work_->mount = mount;
    work_->tree.reset();
    work_->authority.reset();
    if (mount == nullptr) return Errno{};
    auto found = call_->process.table().lookup<fs::Tree>(mount->tree, rights::none);
    if (!found) return kNoEntry; // closed or revoked: gone
    work_->tree = std::move(found->object);
    work_->authority = std::move(found->node);
    work_->rights = found->rights;
    return Errno{};
}

// The usual case in one or two steps: no "." or "..", no symbolic link on the way. A tree's open() follows no links, so
// what it finds has directories alone above it. False: nothing is decided.
bool Lookup::walk_straight(Follow follow) {
    Work& work = *work_;
    bool has_slash = false;
    while (!work.at_end()) {
        const std::string_view component = work.next_component();
        const bool is_plain = component != "." && component != ".." && component.size() <= kMaxNamePart;
        if (!is_plain || !work.path.append(component)) return false;
        has_slash = work.at != work.remaining_bytes;
    }
    if (enter_mount() != Errno{}) return false;
    if (work.is_generated) { // no link among the directories above it, or it would not have been found
        if (!work.generated) return false;
        if (has_slash && !work.generated->is_directory()) return false;
        return follow == Follow::no || !work.generated->is_link();
    }
    if (!work.tree) return false;
    const std::string_view path = relative();
    Payer& quota = call_->process.quota();
    auto node = work.tree->open(path, quota);
    if (node) {
        const fs::NodeKind kind = (*node)->info().kind;
        if (kind == fs::NodeKind::link && (follow == Follow::yes || has_slash)) return false;
        if (kind != fs::NodeKind::directory && kind != fs::NodeKind::link && has_slash) return false;
        work.outcome = std::move(*node);
    } else {
        const std::size_t slash = path.rfind('/');
        const auto parent =
            work.tree->open(slash == std::string_view::npos ? std::string_view() : path.substr(0, slash), quota);
        if (node.error() != Error::not_found || !parent || (*parent)->info().kind != fs::NodeKind::directory)
            return false;
        work.outcome = std::unexpected(kNoEntry);
    }
    work.has_outcome = true;
    return true;
}

// What was behind a link, its slash too, goes behind its target.
Errno Lookup::follow_text(std::string_view target, Behind behind, std::size_t& links) {
    Work& work = *work_;
    if (++links > kMaxLinks) return kLoop;
    if (target.starts_with('/')) {
        work.path.bytes = 0;
    } else {
        work.path.pop();
    }
    const std::string_view tail = behind == Behind::slash ? std::string_view("/") : work.rest();
    return work.set_remaining(target, tail) ? Errno{} : kNameTooLong;
}

// One component that enter_mount() has found among the generated names, or not. `is_there`: the walk ends with it.
std::expected<Lookup::Step, Errno> Lookup::step_generated(Follow follow, Behind behind, std::size_t& links) {
    Work& work = *work_;
    if (!work.generated)
        return behind != Behind::more ? std::expected<Step, Errno>(Step::is_there) : std::unexpected(kNoEntry);
    const GeneratedNode node = *work.generated;
    const bool is_followed = behind != Behind::nothing || follow == Follow::yes;
    if (!node.is_link()) {
        if (!node.is_directory() && behind != Behind::nothing) return std::unexpected(kNotDirectory);
        return Step::goes_on;
    }
    if (!is_followed) return Step::is_there;
    const Asked asked{call_->process, node};
    Text text(call_->process.quota());
    if (node.row->kind == RowKind::descriptor) {
        Ref<OpenFile> target = LINUX_TRY(descriptor_of(asked));
        if (!target->is_directory()) {
            if (behind != Behind::nothing) return std::unexpected(kNotDirectory);
            work.target = std::move(target);
            return Step::is_there;
        }
        text.write("/");
        text.write(target->path());
    } else if (const Errno error = node.row->make(asked, text); error != Errno{}) {
        return std::unexpected(error);
    }
    if (text.error() != Errno{}) return std::unexpected(text.error());
    const Errno error = follow_text(text.view(), behind, links);
    if (error != Errno{}) return std::unexpected(error);
    return Step::goes_on;
}

Errno Lookup::walk(Follow follow) {
    Work& work = *work_;
    if (!work.is_held_by_modes && walk_straight(follow)) return Errno{};
    work.at = 0;
    work.path.bytes = 0;
    std::size_t links = 0;
    while (!work.at_end()) {
        const std::string_view component = work.next_component();
        const bool is_before = work.components_before > 1;
        if (work.components_before != 0) --work.components_before;
        if (component == ".") continue;
        if (component == "..") {
            work.path.pop();
            continue;
        }
        if (component.size() > kMaxNamePart || !work.path.append(component)) return kNameTooLong;
        if (const Errno error = enter_mount(); error != Errno{}) return error;
        const std::size_t end = work.at;
        const bool is_last = work.at_end();
        const Behind behind = !is_last ? Behind::more : work.at != end ? Behind::slash : Behind::nothing;
        if (work.is_generated) {
            const auto step = step_generated(follow, behind, links);
            if (!step) return step.error();
            if (*step == Step::is_there) return Errno{};
            continue;
        }
        if (behind == Behind::nothing && follow == Follow::no) break;
        if (!work.tree) return is_last ? Errno{} : kNoEntry;
        const auto node = work.tree->open(relative(), call_->process.quota());
        if (!node) {
            if (node.error() != Error::not_found && node.error() != Error::wrong_type) return errno_of(node.error());
            if (is_last) break; // the caller may be about to create it
            return kNoEntry;
        }
        const fs::NodeKind kind = (*node)->info().kind;
        const bool has_nothing_below = kind != fs::NodeKind::directory && kind != fs::NodeKind::link;
        if (has_nothing_below && behind != Behind::nothing) return kNotDirectory;
        if (kind == fs::NodeKind::directory && behind == Behind::more && !is_before) {
            if (const Errno error = admit(node->get(), kMayExecute); error != Errno{}) return error;
        }
        if (kind != fs::NodeKind::link) continue;
        const auto length = (*node)->read_link(work.link, kMaxPathBytes);
        if (!length) return errno_of(length.error());
        const Errno error = follow_text({work.link, *length}, behind, links);
        if (error != Errno{}) return error;
    }
    return enter_mount();
}

std::expected<Ref<fs::Node>, Errno> Lookup::node() const {
    if (target()) return target()->node() == nullptr ? Ref<fs::Node>() : Ref<fs::Node>::share(*target()->node());
    if (is_generated())
        return generated() != nullptr ? Ref<fs::Node>()
                                      : std::expected<Ref<fs::Node>, Errno>(std::unexpected(kNoEntry));
    if (tree() == nullptr)
        return relative().empty() ? Ref<fs::Node>() : std::expected<Ref<fs::Node>, Errno>(std::unexpected(kNoEntry));
    if (std::exchange(work_->has_outcome, false)) return std::move(work_->outcome);
    auto node = tree()->open(relative(), call_->process.quota());
    if (!node) return std::unexpected(node.error() == Error::wrong_type ? kNotDirectory : errno_of(node.error()));
    return std::move(*node);
}

Errno Lookup::permit(Rights rights) const {
    if (target()) return target()->is_live() && target()->may(rights) ? Errno{} : kAccess;
    if (tree() == nullptr) return Errno{};
    const auto found = call_->process.table().lookup<fs::Tree>(work_->mount->tree, rights);
    if (found) return Errno{};
    Agent& agent = call_->process.agent();
    audit::refused(agent.audit(), {agent.id(), call_->number, {ObjectType::tree, rights}}, found.error());
    return kAccess;
}

Errno Lookup::permit_change() const {
    if (target()) return target()->node() != nullptr && target()->may(rights::write) ? Errno{} : kReadOnly;
    if (!is_writable()) return kReadOnly;
    return permit(rights::write);
}

Errno Lookup::admit(fs::Node* node, std::uint32_t wanted) const {
    const Work& work = *work_;
    if (!work.is_held_by_modes || node == nullptr) return Errno{};
    const fs::NodeInfo info = node->info();
    return work.who.may(info, wanted, InGroup{is_in_group(call_->process, info.group)}) ? Errno{} : kAccess;
}

Errno Lookup::permit_entry(fs::Node* removed) const {
    constexpr std::uint32_t kSticky = 01000;
    if (const Errno error = permit_change(); error != Errno{}) return error;
    const Work& work = *work_;
    if (!work.is_held_by_modes || tree() == nullptr) return Errno{};
    const std::string_view path = relative();
    const std::size_t slash = path.rfind('/');
    const auto parent =
        tree()->open(slash == path.npos ? std::string_view() : path.substr(0, slash), call_->process.quota());
    if (!parent) return errno_of(parent.error());
    if (const Errno error = admit(parent->get(), kMayWrite | kMayExecute); error != Errno{}) return error;
    if (removed == nullptr) return Errno{};
    const fs::NodeInfo directory = (*parent)->info();
    const bool is_kept =
        (directory.mode & kSticky) != 0 && !work.who.owns(directory) && !work.who.owns(removed->info());
    return is_kept ? kPerm : Errno{};
}

void Lookup::give_to_caller(fs::Node& made) const {
    const Identity who = identity_of(call_->process);
    if (who.user.file != 0 || who.group.file != 0) (void)made.set_owner(who.user.file, who.group.file);
}

void Lookup::judge_by_real() {
    Work& work = *work_;
    work.who = identity_of(call_->process);
    work.who.user.file = work.who.user.real;
    work.who.group.file = work.who.group.real;
    work.who.effective = work.who.user.real == 0 ? work.who.permitted : 0;
    work.is_held_by_modes = work.who.is_held_by_modes();
}

Ref<cap::DerivationNode> Lookup::authority() const { return work_->authority; }

std::expected<Ref<OpenFile>, Errno> Lookup::open() const {
    Payer& payer = call_->process.quota();
    if (target()) {
        if (!target()->is_live()) return std::unexpected(kAccess);
        return target();
    }
    if (is_generated()) {
        if (generated() == nullptr) return std::unexpected(kNoEntry);
        if (must_be_directory() && !generated()->is_directory()) return std::unexpected(kNotDirectory);
        return open_generated_file(call_->process, *generated(), absolute());
    }
    Ref<fs::Node> found = LINUX_TRY(node());
    TreePlace place;
    if (tree() != nullptr)
        place = {call_->process.name_space().device_of(*work_->mount), work_->rights, work_->authority};
    const bool is_directory = !found || found->info().kind == fs::NodeKind::directory;
    if (!is_directory && must_be_directory()) return std::unexpected(kNotDirectory);
    auto file = is_directory ? DirectoryFile::create(payer, std::move(found), std::move(place), absolute())
                             : RegularFile::create(payer, std::move(found), std::move(place), absolute());
    return LINUX_TRY(std::move(file));
}

} // namespace aios::linux_abi
