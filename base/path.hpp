// Paths of file trees: relative, components separated by single slashes, none of them ".", ".." or empty, each at most 255
// bytes, the whole at most kMaxPathBytes. The empty path is the root directory. Any bytes but NUL and '/'.
#pragma once

#include <optional>
#include <string_view>

#include "abi/call_types.hpp"

namespace aios {

inline constexpr std::size_t kMaxComponent = 255;

[[nodiscard]] bool is_component(std::string_view name);
[[nodiscard]] bool is_path(std::string_view path); // not empty

// Walks over the components of a path that is_path() has approved.
class PathWalker {
public:
    explicit PathWalker(std::string_view path) : rest_(path) {}
    [[nodiscard]] bool at_end() const { return rest_.empty(); }
    std::string_view next();

private:
    std::string_view rest_;
};

// "a/b/c" is "a/b" and "c"; "c" is "" and "c".
struct SplitPath {
    std::string_view directory, name;
};
[[nodiscard]] SplitPath split_last(std::string_view path);

} // namespace aios
