#include <algorithm>
#include <format>

#include "tools/aios/lint/lint.hpp"

namespace aios::host::lint {

namespace {

// The next word of `rest`, separated by spaces; empty at the end.
std::string_view next_word(std::string_view& rest) {
    const auto start = rest.find_first_not_of(" \t");
    if (start == std::string_view::npos) {
        rest = {};
        return {};
    }
    rest.remove_prefix(start);
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    rest.remove_prefix(word.size());
    return word;
}

bool is_below(std::string_view path, std::string_view folder) {
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

} // namespace

Outcome<Layers> Layers::parse(std::string_view text) {
    Layers layers;
    std::size_t number = 0;
    while (!text.empty()) {
        ++number;
        const auto end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        line = line.substr(0, line.find('#'));
        std::string_view kind = next_word(line);
        if (kind.empty()) continue;
        std::vector<std::string>* chain = nullptr;
        std::set<std::string, std::less<>>* plain = nullptr;
        if (kind == "chain") {
            std::string_view name = next_word(line);
            if (!name.ends_with(':'))
                return failure(Exit::bad_input, std::format("docs/layers.txt:{}: a chain needs 'NAME:'.", number));
            name.remove_suffix(1);
            chain = &layers.chains_[std::string(name)];
        } else if (kind == "apart:") {
            plain = &layers.apart_;
        } else if (kind == "free:") {
            plain = &layers.free_;
        } else {
            return failure(Exit::bad_input, std::format("docs/layers.txt:{}: '{}' is not known.", number, kind));
        }
        for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
            if (chain != nullptr)
                chain->emplace_back(word);
            else
                plain->emplace(word);
            layers.layers_.emplace_back(word);
        }
    }
    return layers;
}

std::string_view Layers::layer_of(std::string_view path) const {
    std::string_view best;
    for (const std::string& layer : layers_)
        if (is_below(path, layer) && layer.size() > best.size()) best = layer;
    return best;
}

std::optional<std::string> Layers::objection(std::string_view file, std::string_view target) const {
    const std::string_view from = layer_of(file);
    const std::string_view to = layer_of(target);
    if (from.empty()) return std::format("{} belongs to no layer of docs/layers.txt", file);
    if (to.empty()) return std::format("{} belongs to no layer of docs/layers.txt", target);
    if (free_.contains(from)) return std::nullopt;
    if (from == to) {
        if (!apart_.contains(from)) return std::nullopt;
        const auto part = [&](std::string_view path) {
            path.remove_prefix(std::min(path.size(), from.size() + 1));
            return path.substr(0, path.find('/'));
        };
        if (part(file) == part(target)) return std::nullopt;
        return std::format("the parts of {} do not include each other", from);
    }
    for (const auto& [name, chain] : chains_) {
        const auto mine = std::ranges::find(chain, from);
        if (mine != chain.end() && std::find(chain.begin(), mine, to) != mine) return std::nullopt;
    }
    return std::format("{} does not stand before {}", to, from);
}

void check_includes(const Layers& layers, std::string_view file, std::string_view text,
                    std::vector<Finding>& findings) {
    std::size_t number = 0;
    while (!text.empty()) {
        ++number;
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        constexpr std::string_view kInclude = "#include \"";
        if (!line.starts_with(kInclude)) continue;
        const std::string_view target = line.substr(kInclude.size(), line.find('"', kInclude.size()) - kInclude.size());
        if (const auto why = layers.objection(file, target))
            findings.push_back({"includes", std::string(file), number, std::format("{}: {}", target, *why)});
    }
}

} // namespace aios::host::lint
