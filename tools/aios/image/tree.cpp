#include "tools/aios/image/tree.hpp"

#include <algorithm>
#include <format>

#include "base/path.hpp"
#include "boot/manifest.hpp"
#include "tools/aios/host/components.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr int kMostLinks = 40;

std::string below(std::string_view directory, std::string_view name) {
    return directory.empty() ? std::string(name) : std::format("{}/{}", directory, name);
}

} // namespace

std::unexpected<Failure> Tree::refuse(std::string_view what) const {
    return failure(Exit::bad_input, std::format("'{}' {}.", printable(name_), what));
}

void Tree::begin_layer(std::string name, DirectoryOnLink rule) {
    name_ = std::move(name);
    rule_ = rule;
    ++layer_;
    whited_out_.clear();
}

const Tree::Node* Tree::find(std::string_view path) const {
    const auto known = nodes_.find(path);
    return known == nodes_.end() ? nullptr : &known->second;
}

bool Tree::is_directory(std::string_view place) const {
    const Node* const node = find(place);
    return place.empty() || (node != nullptr && node->entry->kind == EntryKind::directory);
}

Outcome<std::string> Tree::walk(std::string_view path, Last last) {
    std::vector<std::string> todo;
    push_components(path, todo);
    std::string place;
    for (int links = 0; !todo.empty();) {
        const std::string part = std::move(todo.back());
        todo.pop_back();
        if (part == "..") { // of a link
            if (place.empty()) return refuse(std::format("has '{}', which leads out of it", shortened(path)));
            place = std::string(split_last(place).directory);
            continue;
        }
        const std::string next = below(place, part);
        const Node* const node = find(next);
        const bool is_last = todo.empty();
        if (node != nullptr && node->entry->kind == EntryKind::link && (!is_last || last == Last::is_followed)) {
            if (++links > kMostLinks)
                return refuse(std::format("has '{}', which goes through too many links", shortened(path)));
            if (node->entry->target.starts_with('/')) place.clear();
            push_components(node->entry->target, todo);
            continue;
        }
        if (!is_last && node != nullptr && node->entry->kind != EntryKind::directory)
            return refuse(std::format("has '{}', which lies below a file", shortened(path)));
        place = next;
    }
    if (!place.empty() && !is_path(place))
        return refuse(std::format("has '{}', which cannot be a path in an image", shortened(path)));
    return place;
}

Outcome<std::string> Tree::place_of(std::string_view path) {
    std::vector<std::string> parts;
    push_components(path, parts);
    if (path.size() > 4 * kMaxPathBytes || std::ranges::contains(parts, ".."))
        return refuse(std::format("has '{}', which cannot be a path in an image", shortened(path)));
    return walk(path, Last::is_kept);
}

Outcome<> Tree::insert(std::string path, std::shared_ptr<BundleEntry> entry) {
    for (auto above = split_last(path).directory; !above.empty() && find(above) == nullptr;
         above = split_last(above).directory) {
        auto directory = std::make_shared<BundleEntry>();
        directory->kind = EntryKind::directory;
        directory->mode = 0755;
        nodes_.try_emplace(std::string(above), Node{std::move(directory), layer_});
    }
    nodes_.insert_or_assign(std::move(path), Node{std::move(entry), layer_});
    if (nodes_.size() > boot::kMaxManifestNodes)
        return refuse(
            std::format("makes more than {} files, folders and links", with_thousands(boot::kMaxManifestNodes)));
    return {};
}

Outcome<> Tree::put(BundleEntry entry) {
    std::string path = std::move(entry.path);
    if (path.empty() && entry.kind != EntryKind::directory) return refuse("has a root that is not a folder");
    if (entry.kind == EntryKind::directory && rule_ == DirectoryOnLink::follows) {
        const Node* const node = find(path);
        if (node != nullptr && node->entry->kind == EntryKind::link) {
            path = HOST_TRY(walk(path, Last::is_followed));
            if (is_directory(path)) return {}; // its own package says of it what is to be said
        }
    }
    if (entry.kind == EntryKind::link && (entry.target.empty() || entry.target.size() > kMaxPathBytes))
        return refuse(std::format("has the link '{}', whose target is not 1 to {} bytes", shortened(path),
                                  std::size_t{kMaxPathBytes}));
    std::shared_ptr<BundleEntry> put;
    if (entry.kind == EntryKind::name) {
        const auto target = place_of(entry.target);
        const Node* const file = target ? find(*target) : nullptr;
        if (file == nullptr || file->entry->kind == EntryKind::directory)
            return refuse(std::format("has '{}' as a name of '{}', which does not come before it", shortened(path),
                                      shortened(entry.target)));
        if (*target == path) return {};
        put = file->entry;
    } else {
        put = std::make_shared<BundleEntry>(std::move(entry));
    }
    if (!(put->kind == EntryKind::directory && is_directory(path))) remove(path);
    return insert(std::move(path), std::move(put));
}

Outcome<> Tree::put_all(Bundle bundle) {
    std::ranges::stable_partition(bundle.entries,
                                  [](const BundleEntry& entry) { return entry.kind != EntryKind::name; });
    for (BundleEntry& entry : bundle.entries) {
        entry.path = HOST_TRY(place_of(entry.path));
        HOST_TRY(put(std::move(entry)));
    }
    return {};
}

void Tree::remove(std::string_view path) {
    remove_range(path, layer_ + 1);
    if (const auto known = nodes_.find(path); known != nodes_.end()) nodes_.erase(known);
}

bool Tree::is_empty(std::string_view directory) const {
    const std::string prefix = std::format("{}/", directory);
    const auto inside = nodes_.lower_bound(prefix);
    return inside == nodes_.end() || !inside->first.starts_with(prefix);
}

// Directories stay that hold something of a later layer.
void Tree::remove_range(std::string_view directory, unsigned below_layer) {
    const std::string prefix = directory.empty() ? std::string() : std::format("{}/", directory);
    auto at = nodes_.lower_bound(prefix);
    auto end = at;
    while (end != nodes_.end() && end->first.starts_with(prefix))
        ++end;
    while (end != at) { // backwards, so that what lies in a directory comes before it
        const auto here = std::prev(end);
        if (here->second.layer >= below_layer || here->first.empty() || !is_empty(here->first)) {
            end = here;
        } else if (here == at) {
            nodes_.erase(here);
            break;
        } else {
            end = nodes_.erase(here);
        }
    }
}

void Tree::white_out(std::string_view place) {
    white_out_below(place);
    const auto known = nodes_.find(place);
    if (known != nodes_.end() && known->second.layer < layer_ && is_empty(place)) nodes_.erase(known);
}

void Tree::white_out_below(std::string_view directory) {
    // Once is enough, as what comes now is of this layer; and nobody can have the same long list looked through again and again.
    if (whited_out_.emplace(directory).second) remove_range(directory, layer_);
}

const BundleEntry* Tree::entry(std::string_view path) const {
    const Node* const node = find(path);
    return node == nullptr ? nullptr : node->entry.get();
}

const BundleEntry* Tree::file(std::string_view path) {
    const auto place = walk(path, Last::is_followed);
    const BundleEntry* const found = place ? entry(*place) : nullptr;
    return found != nullptr && found->kind == EntryKind::file ? found : nullptr;
}

std::vector<std::string> Tree::names_in(std::string_view directory) const {
    const std::string prefix = directory.empty() ? std::string() : std::format("{}/", directory);
    std::vector<std::string> names;
    for (auto at = nodes_.lower_bound(prefix); at != nodes_.end() && at->first.starts_with(prefix); ++at)
        if (at->second.entry->kind != EntryKind::directory && !at->first.substr(prefix.size()).contains('/'))
            names.push_back(at->first);
    return names;
}

Bundle Tree::bundle() && {
    Bundle bundle;
    std::map<const BundleEntry*, std::string> files; // the first path of each
    for (auto& [path, node] : nodes_) {
        BundleEntry copy{.path = path, .bytes = {}};
        if (node.entry->kind == EntryKind::file) {
            const auto [first, is_new] = files.try_emplace(node.entry.get(), path);
            if (!is_new) {
                copy.kind = EntryKind::name;
                copy.target = first->second;
                bundle.entries.push_back(std::move(copy));
                continue;
            }
            copy.bytes = std::move(node.entry->bytes);
        }
        copy.kind = node.entry->kind;
        copy.mode = node.entry->mode;
        copy.modified_ns = node.entry->modified_ns;
        copy.target = node.entry->target;
        copy.stored = node.entry->stored;
        copy.executable = node.entry->executable;
        copy.source = node.entry->source;
        bundle.entries.push_back(std::move(copy));
    }
    nodes_.clear();
    return bundle;
}

} // namespace aios::host
