#include "tools/aios/linux/needs.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <format>
#include <set>

#include <unistd.h>

#include "tools/aios/host/text.hpp"
#include "tools/aios/linux/elf_needs.hpp"

namespace aios::host {

namespace {

constexpr int kMostScripts = 5;
// Where loaders of this architecture look without being told to.
constexpr std::array kBuiltIn = {
    "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"};
constexpr std::string_view kC = "/libc.so.6", kLoadedByC = "libgcc_s.so.1";
constexpr std::string_view kConfiguration = "/etc/ld.so.conf", kCache = "/etc/ld.so.cache";

std::vector<std::string> split(std::string_view list, char separator) {
    std::vector<std::string> parts;
    while (!list.empty()) {
        const auto end = list.find(separator);
        parts.emplace_back(list.substr(0, end));
        list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    }
    return parts;
}

std::string folder_of(std::string_view path) {
    return std::string(path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)));
}

std::string absolute(std::string_view path, std::string_view directory) {
    if (path.starts_with('/')) return std::string(path);
    return std::format("{}/{}", directory == "/" ? "" : directory, path);
}

// The dynamic string tokens of ld.so(8).
std::string replace_tokens(std::string text, std::string_view origin) {
    const std::pair<std::string_view, std::string_view> tokens[] = {
        {"ORIGIN", origin}, {"LIB", "lib/x86_64-linux-gnu"}, {"PLATFORM", "x86_64"}};
    for (const auto& [name, value] : tokens) {
        for (const std::string& form : {std::format("${{{}}}", name), std::format("${}", name)}) {
            for (std::size_t at = 0; (at = text.find(form, at)) != std::string::npos; at += value.size())
                text.replace(at, form.size(), value);
        }
    }
    return text;
}

std::unexpected<Failure> cannot_run(const std::string& program, std::string_view what) {
    return failure(kLinuxCannotRun, std::format("'{}' cannot run: {}.", printable(program), what));
}

enum class IfMissing : bool { refuse, pass_over };

class Libraries {
public:
    Libraries(Root& root, ProgramPlace program, std::string_view library_path, IfMissing if_missing)
        : root_(root), program_(std::move(program)), library_path_(split(library_path, ':')), if_missing_(if_missing) {}

    Outcome<> find(const std::string& path, const ElfNeeds& needs) {
        program_rpath_ = paths_of(needs.rpath, path);
        known_.clear();
        todo_.push_back({path, needs});
        while (!todo_.empty()) {
            const Object object = std::move(todo_.front());
            todo_.pop_front();
            for (const std::string& name : object.needs.libraries) {
                if (known_.insert(name).second) HOST_TRY(find_one(object, name));
            }
            if (object.path.ends_with(kC) && known_.insert(std::string(kLoadedByC)).second)
                HOST_TRY(find_loaded_by_c(object));
        }
        return {};
    }

private:
    struct Object {
        std::string path; // without links
        ElfNeeds needs;
    };

    static std::vector<std::string> paths_of(const std::string& list, const std::string& object) {
        return split(replace_tokens(list, folder_of(object)), ':');
    }

    // What glibc loads by itself when a thread ends by pthread_exit. Where it is not, only that does not work.
    Outcome<> find_loaded_by_c(const Object& object) {
        const IfMissing before = std::exchange(if_missing_, IfMissing::pass_over);
        auto found = find_one(object, std::string(kLoadedByC));
        if_missing_ = before;
        return found;
    }

    Outcome<> find_one(const Object& object, const std::string& name) {
        if (name.contains('/')) {
            if (HOST_TRY(take(absolute(replace_tokens(name, folder_of(object.path)), "/")))) return {};
            return missing(object, name);
        }
        std::vector<std::string> places;
        const auto add = [&](const std::vector<std::string>& more) {
            places.insert(places.end(), more.begin(), more.end());
        };
        if (object.needs.runpath.empty()) {
            add(paths_of(object.needs.rpath, object.path));
            add(program_rpath_);
        }
        add(library_path_);
        add(paths_of(object.needs.runpath, object.path));
        places.insert(places.end(), kBuiltIn.begin(), kBuiltIn.end());
        for (const std::string& place : places) {
            if (place.starts_with('/') && HOST_TRY(take(place + "/" + name))) return {};
        }
        // The loader knows further places by its cache alone.
        for (const std::string& place : HOST_TRY(configured())) {
            if (!HOST_TRY(take(place + "/" + name))) continue;
            static_cast<void>(HOST_TRY(root_.find(kCache)));
            return {};
        }
        return missing(object, name);
    }

    // Whether there is a library of that name, for this architecture: others are passed over, as the loader does.
    Outcome<bool> take(const std::string& path) {
        const BundleEntry* entry = HOST_TRY(root_.find(path));
        if (entry == nullptr || !is_elf(entry->bytes)) return false;
        auto needs = read_elf_needs(entry->bytes);
        if (!needs) return false;
        todo_.push_back({"/" + entry->path, std::move(*needs)});
        return true;
    }

    Outcome<> missing(const Object& object, const std::string& name) const {
        if (if_missing_ == IfMissing::pass_over) return {};
        std::string sentence = std::format("the library {} is not there", printable(name));
        if (object.path != program_.path) sentence += std::format(", which {} needs", printable(object.path));
        return cannot_run(program_.shown, sentence);
    }

    // The folders of /etc/ld.so.conf, with what it includes one level deep by a folder's *.conf.
    Outcome<std::vector<std::string>> configured() {
        if (configured_) return *configured_;
        std::vector<std::string> found;
        std::vector<std::string> files{std::string(kConfiguration)};
        for (std::size_t i = 0; i < files.size() && i < 256; ++i) {
            const BundleEntry* entry = HOST_TRY(root_.find(files[i]));
            if (entry == nullptr) continue;
            for (std::string line : split(entry->bytes, '\n')) {
                line.erase(std::min(line.find('#'), line.size()));
                constexpr std::string_view kInclude = "include ";
                if (line.starts_with(kInclude))
                    include(line.substr(kInclude.size()), files);
                else if (line.starts_with('/'))
                    found.push_back(line.substr(0, line.find_last_not_of(" \t/") + 1));
            }
        }
        configured_ = std::move(found);
        return *configured_;
    }

    void include(const std::string& pattern, std::vector<std::string>& files) const {
        constexpr std::string_view kAll = "/*.conf";
        if (!pattern.ends_with(kAll)) return files.push_back(pattern);
        if (!root_.follows_this_machine()) return; // a root of its own: its cache is what counts
        std::error_code error;
        std::filesystem::directory_iterator entries(pattern.substr(0, pattern.size() - kAll.size()), error), end;
        std::vector<std::string> more;
        for (; !error && entries != end; entries.increment(error)) {
            if (entries->path().extension() == ".conf") more.push_back(entries->path().native());
        }
        std::ranges::sort(more);
        files.insert(files.end(), more.begin(), more.end());
    }

    Root& root_;
    const ProgramPlace program_;
    const std::vector<std::string> library_path_;
    IfMissing if_missing_;
    std::vector<std::string> program_rpath_;
    std::deque<Object> todo_;
    std::set<std::string> known_; // names that were looked for
    std::optional<std::vector<std::string>> configured_;
};

// The interpreter that the first line names, and all that stands behind it as one argument; empty where there is none.
std::pair<std::string, std::string> interpreter_of(std::string_view script) {
    constexpr std::string_view kBlank = " \t";
    std::string_view line = script.substr(2, 4094);
    line = line.substr(0, line.find('\n'));
    const auto skip = [&] { line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size())); };
    skip();
    const std::string interpreter(line.substr(0, line.find_first_of(kBlank)));
    line.remove_prefix(interpreter.size());
    skip();
    return {interpreter, std::string(line.substr(0, line.find_last_not_of(kBlank) + 1))};
}

} // namespace

Outcome<ProgramPlace> find_program(Root& root, const std::string& program, std::string_view directory,
                                   std::string_view search_path) {
    std::vector<std::string> candidates;
    if (program.contains('/')) {
        candidates.push_back(absolute(program, directory));
    } else {
        for (const std::string& place : split(search_path, ':'))
            candidates.push_back(absolute(place.empty() ? program : place + "/" + program, directory));
    }
    bool is_forbidden = false;
    for (const std::string& candidate : candidates) {
        const BundleEntry* entry = HOST_TRY(root.find(candidate));
        if (entry == nullptr) continue;
        if ((entry->mode.value_or(0555) & 0111) != 0) return ProgramPlace{"/" + entry->path, program};
        is_forbidden = true;
    }
    if (is_forbidden) return cannot_run(program, "it is not executable");
    if (program.contains('/') && root.has_directory(candidates.front()))
        return cannot_run(program, "it is a directory");
    std::error_code error; // of this machine come programs and scripts alone (root.cpp)
    if (program.contains('/') && root.follows_this_machine() &&
        std::filesystem::is_regular_file(candidates.front(), error)) {
        const bool may = ::access(candidates.front().c_str(), X_OK) == 0;
        return cannot_run(program, may ? "it is neither an ELF program nor a script" : "it is not executable");
    }
    return failure(kLinuxNotFound, program.contains('/')
                                       ? std::format("'{}' was not found.", printable(program))
                                       : std::format("'{}' was not found on PATH ({}).", printable(program),
                                                     printable(std::string(search_path))));
}

Outcome<> take_libraries_below(Root& root, std::string_view directory, std::string_view library_path) {
    Libraries libraries(root, {}, library_path, IfMissing::pass_over);
    for (const std::string& path : root.files_below(directory)) {
        const BundleEntry* entry = HOST_TRY(root.find(path));
        if (entry == nullptr || !is_elf(entry->bytes)) continue;
        const auto needs = read_elf_needs(entry->bytes);
        if (!needs) continue;
        if (!needs->interpreter.empty()) static_cast<void>(HOST_TRY(root.find(needs->interpreter)));
        HOST_TRY(libraries.find(path, *needs));
    }
    return {};
}

Outcome<> check_needs_no_jit(Root& root, const std::string& path, const ProgramPlace& program) {
    const BundleEntry* entry = HOST_TRY(root.find(path));
    if (entry == nullptr) return {};
    const auto needs = read_elf_needs(entry->bytes);
    if (!needs || !needs->jit) return {};
    return cannot_run(program.shown, "it asks for memory that is writable and executable at once; --cap jit grants it");
}

Outcome<std::string> find_needs(Root& root, const ProgramPlace& program, std::string_view library_path,
                                std::vector<std::string>& arguments) {
    std::string path = program.path;
    for (int scripts = 0;; ++scripts) {
        const BundleEntry* entry = HOST_TRY(root.find(path));
        if (entry == nullptr) return cannot_run(program.shown, std::format("{} is not there", printable(path)));
        if (entry->bytes.starts_with("#!")) {
            if (scripts == kMostScripts)
                return cannot_run(program.shown, "its interpreters are scripts, too many of them");
            const auto [next, argument] = interpreter_of(entry->bytes);
            if (!next.starts_with('/')) return cannot_run(program.shown, "its first line names no interpreter");
            arguments.front() = path;
            if (!argument.empty()) arguments.insert(arguments.begin(), argument);
            arguments.insert(arguments.begin(), next);
            path = next;
            continue;
        }
        if (!is_elf(entry->bytes))
            return cannot_run(program.shown, path == program.path ? "it is neither an ELF program nor a script"
                                                                  : std::format("{} is no program", printable(path)));
        const auto needs = read_elf_needs(entry->bytes);
        if (!needs) return cannot_run(program.shown, std::format("{} {}", printable(path), needs.error()));
        const std::string place = "/" + entry->path;
        if (needs->interpreter.empty()) return place; // static
        if (HOST_TRY(root.find(needs->interpreter)) == nullptr)
            return cannot_run(program.shown, std::format("its loader {} is not there", printable(needs->interpreter)));
        // A root of its own may have ways to its libraries that only its loader knows.
        const IfMissing if_missing = root.follows_this_machine() ? IfMissing::refuse : IfMissing::pass_over;
        HOST_TRY(Libraries(root, program, library_path, if_missing).find(place, *needs));
        return place;
    }
}

} // namespace aios::host
