// The page of upcalls, and how it is compared with what was found (upcalls_find.cpp).
#include "tools/aios/lint/upcalls.hpp"

#include <algorithm>
#include <format>

namespace aios::host::lint {

namespace upcalls_text {

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \n\t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \n\t") - first + 1);
}

std::string_view last_part(std::string_view name) {
    const std::size_t colon = name.rfind("::");
    return colon == name.npos ? name : name.substr(colon + 2);
}

std::string_view below_kernel(std::string_view file) {
    constexpr std::string_view kFolder = "kernel/";
    return file.starts_with(kFolder) ? file.substr(kFolder.size()) : file;
}

} // namespace upcalls_text

using namespace upcalls_text;

namespace {

// The `words` of a table's cell: "`a.cpp`, `b.cpp`".
std::set<std::string, std::less<>> quoted(std::string_view cell) {
    std::set<std::string, std::less<>> words;
    for (std::size_t at = cell.find('`'); at != cell.npos;) {
        const std::size_t end = cell.find('`', at + 1);
        if (end == cell.npos) break;
        words.emplace(cell.substr(at + 1, end - at - 1));
        at = cell.find('`', end + 1);
    }
    return words;
}

std::vector<std::string_view> cells_of(std::string_view line) {
    std::vector<std::string_view> cells;
    line = trimmed(line);
    if (!line.starts_with('|') || !line.ends_with('|')) return cells;
    for (std::size_t at = 1; at < line.size();) {
        const std::size_t end = line.find('|', at);
        cells.push_back(trimmed(line.substr(at, end - at)));
        at = end + 1;
    }
    return cells;
}

std::string list_of(const std::set<std::string, std::less<>>& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text.empty() ? "nowhere" : text;
}

} // namespace

UpcallsRule::UpcallsRule(const Layers& layers, std::string_view page) : layers_(layers) { read_page(page); }

// A table begins with a line whose first cell is `upcall`, `interface` or `pointer`.
void UpcallsRule::read_page(std::string_view page) {
    Table* table = nullptr;
    std::size_t columns = 0, number = 0;
    for (std::size_t at = 0; at < page.size(); ++number) {
        const std::size_t end = std::min(page.find('\n', at), page.size());
        const std::string_view line = page.substr(at, end - at);
        at = end + 1;
        const std::vector<std::string_view> cells = cells_of(line);
        if (cells.empty()) {
            table = nullptr;
            continue;
        }
        if (table == nullptr) {
            if (cells[0] == "upcall") table = &upcalls_;
            if (cells[0] == "interface") table = &interfaces_;
            if (cells[0] == "pointer") table = &pointers_;
            columns = cells.size();
            continue;
        }
        if (cells[0].starts_with("---")) continue;
        const auto bad = [&](std::string what) {
            found_.push_back({"upcalls", std::string(kPage), number + 1, std::move(what)});
        };
        const auto names = quoted(cells[0]);
        if (cells.size() != columns || names.size() != 1 || std::ranges::any_of(cells, &std::string_view::empty)) {
            bad("a row says all that its table asks for, and begins with one `name`");
            continue;
        }
        Row row{number + 1, quoted(cells[1]), quoted(cells[2])};
        if (!table->emplace(*names.begin(), std::move(row)).second) bad("stands here twice");
    }
}

std::string UpcallsRule::room_of(std::string_view file) const {
    const std::string_view layer = layers_.layer_of(file);
    if (layer == "kernel/arch/x86_64") return "kernel/arch"; // its implementation
    return std::string(layer);
}

bool UpcallsRule::is_above(std::string_view high, std::string_view low) const {
    const std::string room = room_of(high);
    return room != room_of(low) && layers_.objection(low, room).has_value();
}

void UpcallsRule::finish(std::vector<Finding>& findings) const {
    findings.insert(findings.end(), found_.begin(), found_.end());
    finish_upcalls(findings);
    finish_interfaces(findings);
    finish_pointers(findings);
}

void UpcallsRule::finish_upcalls(std::vector<Finding>& findings) const {
    const auto found = [&](std::string_view file, std::size_t line, std::string what) {
        findings.push_back({"upcalls", std::string(file), line, std::move(what)});
    };
    std::map<std::string, std::string, std::less<>> short_names;
    for (const auto& [full, upcall] : functions_) {
        const std::string_view name = std::string_view(full).substr(full.starts_with("aios::") ? 6 : 0);
        const Place& first = upcall.declared.empty() ? upcall.defined.front() : upcall.declared.front();
        const auto row = upcalls_.find(name);
        if (row == upcalls_.end()) {
            found(first.file, first.line, std::format("'{}' is not in the table of {}", name, kPage));
            continue;
        }
        if (const auto [other, is_new] = short_names.emplace(last_part(name), name); !is_new)
            found(first.file, first.line, std::format("'{}' has the name of '{}'", name, other->second));
        if (upcall.declared.size() != 1 || upcall.defined.size() != 1) {
            found(first.file, first.line,
                  std::format("'{}' is declared {} times and defined {} times; once each", name, upcall.declared.size(),
                              upcall.defined.size()));
            continue;
        }
        const Place& defined = upcall.defined.front();
        if (row->second.above != Files{std::string(below_kernel(defined.file))})
            found(kPage, row->second.line, std::format("'{}' is answered in {}", name, below_kernel(defined.file)));
        if (!is_above(defined.file, first.file))
            found(defined.file, defined.line,
                  std::format("'{}' calls nothing above {}: it needs no upcall", name, first.file));
        const auto calls = calls_.find(last_part(name));
        const Files asked = calls == calls_.end() ? Files{} : calls->second;
        if (row->second.below != asked)
            found(kPage, row->second.line, std::format("'{}' is asked in {}", name, list_of(asked)));
    }
    for (const auto& [name, row] : upcalls_)
        if (!functions_.contains("aios::" + name)) found(kPage, row.line, std::format("there is no '{}'", name));
}

void UpcallsRule::finish_interfaces(std::vector<Finding>& findings) const {
    std::map<std::string, Files, std::less<>> implemented; // rooms, above the interface's own
    for (const Base& base : bases_) {
        const auto found = classes_.find(base.name);
        if (found == classes_.end() || !is_above(base.file, found->second.declared.file)) continue;
        implemented[base.name].emplace(below_kernel(room_of(base.file)));
    }
    for (const auto& [name, rooms] : implemented) {
        const Place& declared = classes_.at(name).declared;
        const auto row = interfaces_.find(name);
        if (row == interfaces_.end()) {
            findings.push_back({"upcalls", declared.file, declared.line,
                                std::format("'{}' is implemented above, in {}, and is not in the table of {}", name,
                                            list_of(rooms), kPage)});
            continue;
        }
        const std::string file(below_kernel(declared.file));
        if (row->second.below != Files{file})
            findings.push_back(
                {"upcalls", std::string(kPage), row->second.line, std::format("'{}' is declared in {}", name, file)});
        if (row->second.above != rooms)
            findings.push_back({"upcalls", std::string(kPage), row->second.line,
                                std::format("'{}' is implemented in {}", name, list_of(rooms))});
    }
    for (const auto& [name, row] : interfaces_)
        if (!implemented.contains(name))
            findings.push_back(
                {"upcalls", std::string(kPage), row.line, std::format("nothing above implements '{}'", name)});
}

void UpcallsRule::finish_pointers(std::vector<Finding>& findings) const {
    Files listed;
    for (const auto& [name, row] : pointers_) {
        for (const std::string& file : row.below) {
            const std::string key = std::format("{} of {}", name, file);
            listed.insert(key);
            if (!kept_.contains(key))
                findings.push_back(
                    {"upcalls", std::string(kPage), row.line, std::format("there is no pointer {}", key)});
        }
    }
    for (const auto& [key, place] : kept_)
        if (!listed.contains(key))
            findings.push_back(
                {"upcalls", place.file, place.line,
                 std::format("a pointer to a function is kept ({}), and is not in the table of {}", key, kPage)});
}

} // namespace aios::host::lint
