#include "tools/aios/image/config.hpp"

#include <algorithm>
#include <format>

#include "tools/aios/host/json_text.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/image/json.hpp"

namespace aios::host {

namespace {

constexpr std::uint64_t kMostBytes = 1 << 20;
constexpr const char *kEnvironment = "environment", *kDirectory = "directory", *kProgram = "program";

} // namespace

Outcome<ImageConfig> take_config(Tree& tree, std::string_view name) {
    const BundleEntry* const file = tree.entry(kConfigFile);
    if (file == nullptr) return ImageConfig{};
    const auto refuse = [&] {
        return failure(Exit::bad_input, std::format("'{}' has a file {} that is no configuration of an image.",
                                                    printable(name), kConfigFile));
    };
    if (file->kind != EntryKind::file || file->size() > kMostBytes) return refuse();
    const auto json = parse_json(file->stored ? HOST_TRY(read_stored(*file->stored, kMostBytes)) : file->bytes);
    auto environment = texts_member(json, kEnvironment), program = texts_member(json, kProgram);
    if (!json.is_object() || !environment || !program) return refuse();
    ImageConfig config{.environment = std::move(*environment),
                       .directory = text_member(json, kDirectory),
                       .program = std::move(*program)};
    const auto is_variable = [](const std::string& text) { return text.find('=', 1) != std::string::npos; };
    if (!std::ranges::all_of(config.environment, is_variable) || config.directory.contains('\0') ||
        (!config.directory.empty() && !config.directory.starts_with('/')))
        return refuse();
    tree.remove(kConfigFile);
    return config;
}

Outcome<> put_config(Tree& tree, const ImageConfig& config) {
    if (config.is_empty()) return {};
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    if (!config.environment.empty()) json[kEnvironment] = config.environment;
    if (!config.directory.empty()) json[kDirectory] = config.directory;
    if (!config.program.empty()) json[kProgram] = config.program;
    BundleEntry file{.path = std::string(kConfigFile), .bytes = json_text(json)};
    file.mode = 0444;
    return tree.put(std::move(file));
}

} // namespace aios::host
