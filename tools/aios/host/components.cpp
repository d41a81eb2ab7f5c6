#include "tools/aios/host/components.hpp"

namespace aios::host {

void push_components(std::string_view path, std::vector<std::string>& todo) {
    std::vector<std::string> parts;
    while (!path.empty()) {
        const auto slash = path.find('/');
        const std::string_view part = path.substr(0, slash);
        if (!part.empty() && part != ".") parts.emplace_back(part);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    }
    todo.insert(todo.end(), parts.rbegin(), parts.rend());
}

} // namespace aios::host
