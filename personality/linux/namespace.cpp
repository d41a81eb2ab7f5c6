// Paths: from what a program wrote to a tree and a path in it, component by component, so that ".." and symbolic links
// mean what they mean on Linux. Bounded by kMaxPathBytes and kMaxLinks.
#include <cstring>

#include "personality/linux/files.hpp"

namespace aios::linux_abi {
namespace {

// Appends one component; false if there is no room.
bool append(Path& path, std::string_view component) {
    if (path.bytes + 1 + component.size() > kMaxPathBytes) return false;
    if (path.bytes != 0) path.text[path.bytes++] = '/';
    std::memcpy(path.text + path.bytes, component.data(), component.size());
    path.bytes += component.size();
    path.text[path.bytes] = '\0';
    return true;
}

void pop(Path& path) {
    while (path.bytes != 0 && path.text[path.bytes - 1] != '/') {
        --path.bytes;
    }
    if (path.bytes != 0) --path.bytes; // the slash
    path.text[path.bytes] = '\0';
}

// What is still to be walked; rewritten when a link is followed.
struct Remaining {
    char text[2 * kPathRoom];
    std::size_t bytes = 0, at = 0;

    // `tail` may lie inside `text`: it is moved first.
    bool set(std::string_view head, std::string_view tail) {
        if (head.size() + 1 + tail.size() > sizeof(text)) return false;
        std::memmove(text + head.size() + 1, tail.data(), tail.size());
        std::memcpy(text, head.data(), head.size());
        text[head.size()] = '/';
        bytes = head.size() + 1 + tail.size();
        at = 0;
        return true;
    }
    std::string_view next() {
        while (at < bytes && text[at] == '/')
            ++at;
        const std::size_t start = at;
        while (at < bytes && text[at] != '/')
            ++at;
        return {text + start, at - start};
    }
    [[nodiscard]] std::string_view rest() const { return {text + at, bytes - at}; }
    [[nodiscard]] bool at_end() const {
        for (std::size_t i = at; i < bytes; ++i) {
            if (text[i] != '/') return false;
        }
        return true;
    }
    ~Remaining() = default;
};

struct Walk { // too large for a kernel stack
    Remaining remaining;
    Path done;
    char link[kPathRoom];
    ~Walk() = default;
};

struct WalkHolder {
    Walk* walk;
    ~WalkHolder() { mm::destroy(walk); }
};

} // namespace

void Namespace::set_up(const StartupBlock& startup) {
    const struct {
        StartupRole role;
        std::string_view prefix;
    } kinds[] = {{StartupRole::bundle, ""}, {StartupRole::job, "job"}, {StartupRole::temporary, "tmp"}};
    for (const auto& kind : kinds) {
        for (std::uint32_t i = 0; i < startup.count; ++i) {
            if (startup.entries[i].role == static_cast<std::uint32_t>(kind.role)) {
                mounts_[mount_count_++] = {kind.prefix, startup.entries[i].handle};
                break;
            }
        }
    }
}

std::expected<Place, Errno> Namespace::place_of(cap::Table& table, const Path& path, Rights needed) const {
    const Mount* best = nullptr;
    for (std::size_t i = 0; i < mount_count_; ++i) {
        const std::string_view prefix = mounts_[i].prefix;
        const std::string_view text = path.view();
        const bool inside = prefix.empty() ||
                            (text.starts_with(prefix) && (text.size() == prefix.size() || text[prefix.size()] == '/'));
        if (inside && (best == nullptr || prefix.size() > best->prefix.size())) best = &mounts_[i];
    }
    Place place;
    place.path = path;
    if (best == nullptr) {
        if (path.bytes != 0) return std::unexpected(kNoEntry);
        return place;
    }
    auto tree = table.lookup<fs::Tree>(best->tree, needed);
    if (!tree) return std::unexpected(tree.error() == Error::missing_right ? kAccess : kNoEntry);
    place.tree = std::move(tree->object);
    place.skip = best->prefix.size();
    if (place.skip != 0 && place.skip < path.bytes) ++place.skip; // the slash behind it
    return place;
}

std::expected<Place, Errno> Namespace::resolve(cap::Table& table, std::string_view base, std::string_view text,
                                               bool follow_last, Rights needed) const {
    if (text.empty()) return std::unexpected(kNoEntry);
    if (text.size() > kMaxPathBytes) return std::unexpected(kNameTooLong);
    auto made = mm::make<Walk>();
    if (!made) return std::unexpected(kNoMemory);
    WalkHolder holder{*made};
    Walk& walk = **made;
    walk.remaining.bytes = walk.remaining.at = 0;
    if (!walk.remaining.set(text.front() == '/' ? std::string_view() : base, text))
        return std::unexpected(kNameTooLong);

    std::size_t links = 0;
    bool must_be_directory = text.back() == '/';
    while (!walk.remaining.at_end()) {
        const std::string_view component = walk.remaining.next();
        if (component == ".") continue;
        if (component == "..") {
            pop(walk.done);
            continue;
        }
        if (!append(walk.done, component)) return std::unexpected(kNameTooLong);
        const bool last = walk.remaining.at_end();
        if (last && !follow_last && !must_be_directory) break;
        auto place = place_of(table, walk.done, rights::none);
        if (!place) return std::unexpected(place.error());
        if (!place->tree || !place->tree->is_writable()) continue; // read-only trees hold no links
        auto node = place->tree->open(place->relative());
        if (!node) {
            if (last) break; // the caller may be about to create it
            return std::unexpected(node.error() == Error::not_found ? kNoEntry : kNotDirectory);
        }
        const fs::NodeKind kind = (*node)->info().kind;
        if (kind == fs::NodeKind::file && !last) return std::unexpected(kNotDirectory);
        if (kind != fs::NodeKind::link) continue;
        if (++links > kMaxLinks) return std::unexpected(kLoop);
        const auto length = (*node)->read_link(walk.link, kMaxPathBytes);
        if (!length) return std::unexpected(errno_of(length.error()));
        const std::string_view target(walk.link, *length);
        if (target.starts_with('/')) {
            walk.done.bytes = 0;
        } else {
            pop(walk.done);
        }
        if (!walk.remaining.set(target, walk.remaining.rest())) return std::unexpected(kNameTooLong);
    }
    return place_of(table, walk.done, needed);
}

} // namespace aios::linux_abi
