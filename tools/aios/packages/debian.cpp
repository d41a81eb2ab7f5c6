#include "tools/aios/packages/debian.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>
#include <map>

#include <fcntl.h>
#include <sys/file.h>

#include "tools/aios/host/process.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/image/layer.hpp"

namespace aios::host {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kFindLimit{5}, kFetchLimit{120};
constexpr std::uint64_t kMostScript = 1 << 20;

Outcome<std::vector<std::string>> names_of(std::string_view list) {
    std::vector<std::string> names;
    for (std::size_t at = 0; at <= list.size();) {
        const auto comma = std::min(list.find(',', at), list.size());
        const std::string name(list.substr(at, comma - at));
        at = comma + 1;
        constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
        const bool is_name =
            !name.empty() && kLetters.contains(name.front()) && !name.ends_with('-') &&
            std::ranges::all_of(name, [&](char c) {
                return kLetters.contains(c) || (c >= 'A' && c <= 'Z') || std::string_view("+.-:=~").contains(c);
            });
        if (!is_name)
            return failure(Exit::wrong_use, std::format("'{}' is no name of a package; debian: takes "
                                                        "PACKAGE[=VERSION],...",
                                                        printable(name)));
        names.push_back(name == "essential" ? "?essential" : name);
    }
    return names;
}

// The cache as long as the object lives: apt's own locks would need rights that users do not have.
Outcome<Descriptor> lock_cache(const fs::path& cache) {
    std::error_code error;
    fs::create_directories(cache / "archives" / "partial", error);
    Descriptor file(::open((cache / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (error || !file || ::flock(file.number(), LOCK_EX) != 0)
        return failure(Exit::host_missing, std::format("'{}' cannot be written: {}.", printable(cache.native()),
                                                       error ? error.message() : lower_first(std::strerror(errno))));
    return file;
}

// apt-get, on a system of no package that writes nothing but into `archives` and the spool's folder.
std::vector<std::string> apt_install(const Spool& spool, const fs::path& archives,
                                     const std::vector<std::string>& names, const char* action) {
    const std::string folder = spool.folder().native();
    std::vector<std::string> command{"env",
                                     "LC_ALL=C",
                                     "apt-get",
                                     "install",
                                     "-y",
                                     "-q",
                                     "--no-install-recommends",
                                     action,
                                     "-oDir::State::status=" + folder + "/apt-status",
                                     "-oDir::State::extended_states=" + folder + "/apt-extended",
                                     "-oDir::Cache=" + folder + "/apt-cache",
                                     "-oDir::Cache::archives=" + archives.native(),
                                     "-oAPT::Architectures::=amd64",
                                     "-oAPT::Sandbox::User=root",
                                     "-oDebug::NoLocking=1",
                                     "--"};
    command.insert(command.end(), names.begin(), names.end());
    return command;
}

std::unexpected<Failure> explain(const Captured& done) {
    if (done.status == 127)
        return failure(Exit::host_missing,
                       "there is no apt-get on this machine, which finds and fetches the packages.");
    if (done.out_of_time) return failure(Exit::host_missing, "apt-get took too long.");
    std::string why; // the first of its errors
    const auto at = done.err.starts_with("E: ") ? 0 : done.err.find("\nE: ");
    if (at != std::string::npos) {
        why = done.err.substr(done.err.find("E: ", at) + 3);
        why = why.substr(0, why.find('\n'));
    }
    while (why.ends_with('.'))
        why.pop_back();
    if (why.starts_with("Unable to locate package ") || why.starts_with("Version ") ||
        why.contains("no installation candidate"))
        return failure(Exit::bad_input,
                       std::format("apt cannot find it: {}; `apt-get update`, as root, brings its lists up to date.",
                                   lower_first(printable(why))));
    if (why.starts_with("Failed to fetch"))
        return failure(
            Exit::host_missing,
            std::format("a package cannot be fetched: {}; is there a network, and are apt's lists up to date?",
                        lower_first(shortened(why))));
    return failure(Exit::bad_input, std::format("apt-get cannot have the packages: {}.",
                                                why.empty() ? "it does not say why" : lower_first(shortened(why))));
}

// The files of all packages that are needed, in the cache.
Outcome<std::vector<fs::path>> fetch(const std::vector<std::string>& names, Spool& spool, const fs::path& cache) {
    const fs::path archives = cache / "archives", nothing = spool.folder() / "apt-nothing";
    std::error_code error;
    fs::create_directories(nothing / "partial", error);
    fs::create_directories(spool.folder() / "apt-cache", error);
    HOST_TRY(replace_file(spool.folder() / "apt-status", ""));
    spool.announce("asking apt for the packages");
    // With no archives there, so that all are named.
    const Captured found = capture_process(apt_install(spool, nothing, names, "--print-uris"), kFindLimit);
    if (found.status != 0) return explain(found);
    std::vector<fs::path> files;
    LineCutter lines([&](std::string_view line) { // 'URI' FILE BYTES HASH
        const auto space = line.find("' ");
        if (!line.starts_with('\'') || space == std::string_view::npos) return;
        const std::string_view file = line.substr(space + 2);
        files.push_back(archives / std::string(file.substr(0, file.find(' '))));
    });
    lines.feed(found.out);
    lines.finish();
    spool.tell(std::format("fetching {}", counted(files.size(), "package|packages")));
    std::size_t got = 0;
    std::string said;
    LineCutter fetched([&](std::string_view line) {
        if (line.starts_with("Get:")) spool.tell(std::format("fetching package {} of {}", ++got, files.size()));
        if (line.starts_with("E: ")) said += std::string(line) + "\n";
    });
    const ProcessResult done = run_process(apt_install(spool, archives, names, "--download-only"), kFetchLimit,
                                           [&](std::string_view text) { fetched.feed(text); });
    fetched.finish();
    if (done.status != 0)
        return explain({.status = done.status, .out_of_time = done.out_of_time, .out = {}, .err = said});
    return files;
}

// What the members of a package are for the image.
struct Script {
    std::string package, text; // postinst
};

Outcome<> read_control(const Stored& member, const std::string& package, Spool& spool, std::vector<Script>& scripts) {
    Archive control = HOST_TRY(Archive::open(member, package));
    while (auto entry = HOST_TRY(control.next())) {
        if (!entry->path.ends_with("postinst") || entry->kind != EntryKind::file) continue;
        const Stored text = HOST_TRY(unpack_file(control, spool));
        scripts.push_back({package, HOST_TRY(read_stored(text, kMostScript))});
    }
    return {};
}

// deb(5): an ar archive of three members.
Outcome<> unpack(const fs::path& file, Packed& into, Spool& spool, std::vector<Script>& scripts) {
    std::error_code error;
    const Stored whole{.file = file, .bytes = fs::file_size(file, error)};
    if (error)
        return failure(Exit::host_missing,
                       std::format("apt-get has not fetched '{}': {}.", printable(file.native()), error.message()));
    const std::string package = file.filename().native().substr(0, file.filename().native().find('_'));
    Archive members = HOST_TRY(Archive::open(whole, file.filename().native(), Archive::Form::ar));
    while (auto member = HOST_TRY(members.next())) {
        const bool is_data = member->path.starts_with("data.tar");
        if (!is_data && !member->path.starts_with("control.tar")) continue;
        const Stored part = HOST_TRY(unpack_file(members, spool));
        if (!is_data) {
            HOST_TRY(read_control(part, package, spool, scripts));
            continue;
        }
        Archive data = HOST_TRY(Archive::open(part, package));
        into.passed_over +=
            HOST_TRY(apply_archive(data, into.tree, spool, Whiteouts::are_names, Tree::DirectoryOnLink::follows));
    }
    return {};
}

Outcome<> add_link(Tree& tree, std::string_view path, std::string target) {
    std::string place = HOST_TRY(tree.place_of(path));
    if (tree.entry(place) != nullptr) return {};
    return tree.put({.path = std::move(place), .bytes = {}, .kind = EntryKind::link, .target = std::move(target)});
}

Outcome<> add_file(Tree& tree, std::string_view path, std::string_view text) {
    std::string place = HOST_TRY(tree.place_of(path));
    if (tree.entry(place) != nullptr) return {};
    return tree.put({.path = std::move(place), .bytes = std::string(text), .mode = 0644});
}

Outcome<> add_folder(Tree& tree, std::string_view path, std::uint16_t mode) {
    std::string place = HOST_TRY(tree.place_of(path));
    if (tree.entry(place) != nullptr) return {};
    return tree.put({.path = std::move(place), .bytes = {}, .kind = EntryKind::directory, .mode = mode});
}

// Of several for one link the one with the highest priority, as in automatic mode; among those whose file is there.
Outcome<> add_alternatives(Tree& tree, const std::vector<Script>& scripts, std::vector<std::string>& notes) {
    std::map<std::string, Alternative> best; // by link
    std::string unread;
    for (const Script& script : scripts) {
        bool is_all = true;
        for (Alternative& one : read_alternatives(script.text, is_all)) {
            const auto known = best.find(one.link);
            if (tree.file(one.target) != nullptr && (known == best.end() || known->second.priority < one.priority))
                best.insert_or_assign(one.link, std::move(one));
        }
        if (!is_all) unread += (unread.empty() ? "" : ", ") + script.package;
    }
    for (const auto& [link, one] : best) {
        HOST_TRY(add_link(tree, link, "/etc/alternatives/" + one.name));
        HOST_TRY(add_link(tree, "/etc/alternatives/" + one.name, one.target));
    }
    if (!unread.empty())
        notes.push_back(
            std::format("links that update-alternatives would make may be missing for: {}", printable(unread)));
    return {};
}

// Names that programs and people count on, where nothing has made them.
Outcome<> add_usual_names(Tree& tree) {
    constexpr std::pair<const char*, const char*> kNames[] = {
        {"sh", "dash"},         {"sh", "bash"},       {"sh", "busybox"},    {"awk", "mawk"},
        {"awk", "gawk"},        {"awk", "busybox"},   {"editor", "nano"},   {"vi", "vim.basic"},
        {"vi", "vim.tiny"},     {"vim", "vim.basic"}, {"vim", "vim.tiny"},  {"editor", "vim.basic"},
        {"editor", "vim.tiny"}, {"pager", "less"},    {"nc", "nc.openbsd"}, {"nc", "nc.traditional"}};
    for (const auto& [name, program] : kNames)
        if (tree.file(std::format("usr/bin/{}", program)) != nullptr)
            HOST_TRY(add_link(tree, std::format("usr/bin/{}", name), program));
    return {};
}

// What the scripts of Debian's base packages make of nothing.
Outcome<> add_usual_files(Tree& tree) {
    HOST_TRY(add_folder(tree, "tmp", 01777));
    HOST_TRY(add_folder(tree, "root", 0700));
    for (const std::string_view name : {"passwd", "group"}) {
        const std::string master = std::format("usr/share/base-passwd/{}.master", name);
        const BundleEntry* const file = tree.file(master);
        if (file == nullptr) continue;
        const std::string text = file->stored ? HOST_TRY(read_stored(*file->stored, kMostScript)) : file->bytes;
        HOST_TRY(add_file(tree, std::format("etc/{}", name), text));
    }
    HOST_TRY(add_file(tree, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"));
    HOST_TRY(add_file(tree, "etc/group", "root:x:0:\n"));
    HOST_TRY(add_file(tree, "etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"));
    return add_file(tree, "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n");
}

} // namespace

Outcome<> lay_debian(std::string_view packages, Packed& into, Spool& spool, const fs::path& cache,
                     std::vector<std::string>& notes) {
    const auto names = HOST_TRY(names_of(packages));
    const Descriptor lock = HOST_TRY(lock_cache(cache));
    const auto files = HOST_TRY(fetch(names, spool, cache));
    Tree& tree = into.tree;
    tree.begin_layer("debian");
    for (const std::string name : {"bin", "sbin", "lib", "lib64"}) {
        HOST_TRY(add_folder(tree, "usr/" + name, 0755));
        HOST_TRY(add_link(tree, name, "usr/" + name));
    }
    std::vector<Script> scripts;
    for (const fs::path& file : files)
        HOST_TRY(unpack(file, into, spool, scripts));
    tree.begin_layer("debian");
    HOST_TRY(add_alternatives(tree, scripts, notes));
    HOST_TRY(add_usual_names(tree));
    return add_usual_files(tree);
}

} // namespace aios::host
