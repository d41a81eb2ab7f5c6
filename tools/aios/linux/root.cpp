#include "tools/aios/linux/root.hpp"

#include <cerrno>
#include <cstring>
#include <format>
#include <fstream>

#include <sys/stat.h>

#include "tools/aios/host/components.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/image/pack.hpp"

namespace aios::host {

namespace {

constexpr int kMostLinks = 40;
constexpr std::uint64_t kMaxFile = std::uint64_t{2} << 30;

} // namespace

Outcome<> Root::add_folder(const std::filesystem::path& folder, std::string_view at) {
    return add_tree(HOST_TRY(pack_folder(folder)), at);
}

Outcome<> Root::add_tree(Bundle packed, std::string_view at) {
    std::string prefix = place_of(at).substr(1);
    for (BundleEntry& entry : packed.entries) {
        const auto inside = [&](const std::string& path) {
            return prefix.empty() || path.empty() ? prefix + path : prefix + "/" + path;
        };
        entry.path = inside(entry.path);
        if (entry.kind == EntryKind::name) entry.target = inside(entry.target);
        if (!entry.path.empty() && !is_bundle_path(entry.path))
            return failure(Exit::bad_input,
                           std::format("'{}' cannot be a path of the program's root.", printable("/" + entry.path)));
        std::string path = entry.path;
        entries_.insert_or_assign(std::move(path), std::move(entry));
    }
    return {};
}

void Root::add_directory(std::string_view path) {
    std::string place = place_of(path).substr(1);
    if (place.empty() || is_directory("/" + place)) return;
    BundleEntry entry{.path = place, .bytes = {}, .kind = EntryKind::directory};
    entry.mode = 0755;
    entries_.try_emplace(std::move(place), std::move(entry));
}

void Root::add_text(std::string_view path, std::string text) {
    std::string name(path.substr(1));
    BundleEntry entry{.path = name, .bytes = std::move(text)};
    entry.mode = 0644;
    entries_.try_emplace(std::move(name), std::move(entry));
}

namespace {

// What a program may have of this machine without being given it: programs, libraries, scripts, and what says where libraries
// are. Its own files say what it needs, so they could name any file here.
bool is_code_of_this_machine(const std::string& place) {
    if (place == "/etc/ld.so.cache" || place == "/etc/ld.so.conf" || place.starts_with("/etc/ld.so.conf.d/"))
        return true;
    std::ifstream file(place, std::ios::binary);
    char head[4]{};
    file.read(head, sizeof(head));
    const std::string_view begin(head, static_cast<std::size_t>(file.gcount()));
    return begin.starts_with("\x7f"
                             "ELF") ||
           begin.starts_with("#!");
}

} // namespace

BundleEntry* Root::entry_at(const std::string& place) {
    const auto known = entries_.find(std::string_view(place).substr(1));
    if (known != entries_.end()) return &known->second;
    struct stat facts{};
    if (!follows_this_machine() || ::lstat(place.c_str(), &facts) != 0) return nullptr;
    if (!S_ISREG(facts.st_mode) && !S_ISLNK(facts.st_mode)) return nullptr;
    if (S_ISREG(facts.st_mode) && !is_code_of_this_machine(place)) return nullptr;
    BundleEntry entry{.path = place.substr(1), .bytes = {}, .source = place};
    entry.mode = static_cast<std::uint16_t>(facts.st_mode & 07777);
    if (facts.st_mtim.tv_sec > 0) entry.modified_ns = static_cast<std::uint64_t>(facts.st_mtim.tv_sec) * 1'000'000'000;
    if (S_ISLNK(facts.st_mode)) {
        std::error_code error;
        entry.kind = EntryKind::link;
        entry.target = std::filesystem::read_symlink(place, error).native();
        if (error) return nullptr;
    } else {
        entry.stored = Stored{.file = place, .bytes = static_cast<std::uint64_t>(facts.st_size)};
    }
    return &entries_.emplace(place.substr(1), std::move(entry)).first->second;
}

bool Root::is_directory(const std::string& place) {
    if (place == "/") return true;
    const std::string_view name = std::string_view(place).substr(1);
    const auto known = entries_.find(name);
    if (known != entries_.end()) return known->second.kind == EntryKind::directory;
    const auto below = entries_.lower_bound(std::string(name) + "/");
    if (below != entries_.end() && below->first.starts_with(std::string(name) + "/")) return true;
    struct stat facts{};
    return follows_this_machine() && ::lstat(place.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode);
}

// As the kernel of the program will: a link's target takes its place, and `..` goes up from where one is.
Outcome<Root::Walk> Root::walk(std::string_view path) {
    std::vector<std::string> todo;
    push_components(path, todo);
    Walk now{"/", nullptr};
    for (int links = 0; !todo.empty();) {
        const std::string part = std::move(todo.back());
        todo.pop_back();
        if (part == "..") {
            now.place.erase(std::max<std::size_t>(now.place.rfind('/'), 1));
            now.entry = nullptr;
            continue;
        }
        const std::string next = now.place == "/" ? "/" + part : now.place + "/" + part;
        BundleEntry* const entry = entry_at(next);
        if (entry == nullptr || entry->kind != EntryKind::link) {
            now = {next, entry};
            continue;
        }
        if (++links > kMostLinks)
            return failure(Exit::bad_input,
                           std::format("'{}' goes through too many symbolic links.", printable(std::string(path))));
        if (entry->target.starts_with('/')) now.place = "/";
        push_components(entry->target, todo);
    }
    return now;
}

Outcome<const BundleEntry*> Root::find(std::string_view path) {
    Walk found = HOST_TRY(walk(path));
    if (found.entry != nullptr && found.entry->kind == EntryKind::name)
        found.entry = entry_at("/" + found.entry->target);
    if (found.entry == nullptr || found.entry->kind != EntryKind::file) return nullptr;
    BundleEntry& entry = *found.entry;
    if (entry.stored) {
        entry.bytes = HOST_TRY(read_stored(*entry.stored, kMaxFile));
        entry.stored.reset();
    }
    return &entry;
}

std::string Root::place_of(std::string_view path) {
    auto found = walk(path);
    return found ? std::move(found->place) : std::string(path);
}

bool Root::has_directory(std::string_view path) {
    const auto found = walk(path);
    return found && is_directory(found->place);
}

std::vector<std::string> Root::files_below(std::string_view directory) {
    const std::string place = place_of(directory);
    const std::string prefix = place == "/" ? "" : place.substr(1) + "/";
    std::vector<std::string> files;
    for (auto at = entries_.lower_bound(prefix); at != entries_.end() && at->first.starts_with(prefix); ++at) {
        if (at->second.kind == EntryKind::file) files.push_back("/" + at->first);
    }
    return files;
}

Bundle Root::bundle() && {
    Bundle bundle;
    for (auto& [path, entry] : entries_)
        bundle.entries.push_back(std::move(entry));
    return bundle;
}

} // namespace aios::host
