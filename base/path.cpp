// Paths; see path.hpp.
#include "base/path.hpp"

namespace aios {

using namespace std::string_view_literals;

bool is_component(std::string_view name) {
    if (name.empty() || name.size() > kMaxComponent) return false;
    if (name == "."sv || name == ".."sv) return false;
    for (const char c : name)
        if (c == '\0' || c == '/') return false;
    return true;
}

bool is_path(std::string_view path) {
    if (path.empty() || path.size() > kMaxPathBytes || path.back() == '/') return false;
    for (PathWalker walker(path); !walker.at_end();)
        if (!is_component(walker.next())) return false;
    return true;
}

std::string_view PathWalker::next() {
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] != '/')
        ++end;
    const std::string_view component = rest_.substr(0, end);
    rest_.remove_prefix(end < rest_.size() ? end + 1 : end);
    return component;
}

SplitPath split_last(std::string_view path) {
    std::size_t at = path.size();
    while (at != 0 && path[at - 1] != '/')
        --at;
    return {path.substr(0, at == 0 ? 0 : at - 1), path.substr(at)};
}

} // namespace aios
