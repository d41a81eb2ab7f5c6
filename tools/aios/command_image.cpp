// `aios image pack|inspect|verify`: trees of files for agents, packed on the host.
#include <chrono>
#include <cstdio>
#include <format>

#include "tools/aios/commands.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/image/image.hpp"
#include "tools/aios/image/pack.hpp"

namespace aios::host {

namespace {

namespace fs = std::filesystem;
using boot::ManifestKind;
using boot::ManifestTable;

struct ImageOptions {
    std::string action;
    fs::path source, out;
};

Outcome<ImageOptions> parse(ArgumentList arguments) {
    ImageOptions options;
    if (!arguments.empty()) options.action = arguments.front();
    if (options.action != "pack" && options.action != "inspect" && options.action != "verify")
        return failure(Exit::wrong_use, "image needs an action: pack, inspect or verify; see ./aios image --help.");
    CommandLine line("image " + options.action);
    if (options.action == "pack") line.value("-o", options.out);
    const auto places = HOST_TRY(line.parse(arguments.subspan(1)));
    if (places.size() != 1)
        return failure(Exit::wrong_use, options.action == "pack"
                                            ? "image pack takes one folder or tar archive."
                                            : std::format("image {} takes one image.", options.action));
    options.source = places.front();
    if (options.action == "pack" && options.out.empty())
        return failure(Exit::wrong_use, "image pack needs -o FILE: where the image goes.");
    return options;
}

void say(const fs::path& path, const Image& image) {
    std::printf("%s: %s, %u entries, root %s\n", printable(path.native()).c_str(), human_bytes(image.bytes()).c_str(),
                image.table().count(), image.root().c_str());
}

// As `ls -l` writes it.
std::string mode_text(const boot::ManifestNode& node) {
    constexpr std::string_view kBits = "rwxrwxrwx";
    const std::uint32_t mode = ManifestTable::mode(node);
    std::string text(1, ManifestTable::kind(node) == ManifestKind::directory ? 'd'
                        : ManifestTable::kind(node) == ManifestKind::link    ? 'l'
                                                                             : '-');
    for (std::size_t i = 0; i < kBits.size(); ++i)
        text += (mode >> (8 - i) & 1) != 0 ? kBits[i] : '-';
    struct Special {
        std::uint32_t bit;
        std::size_t place;
        char letter;
    };
    for (const Special& special : {Special{04000, 3, 's'}, Special{02000, 6, 's'}, Special{01000, 9, 't'}})
        if ((mode & special.bit) != 0)
            text[special.place] =
                text[special.place] == 'x' ? special.letter : static_cast<char>(special.letter - 'a' + 'A');
    return text;
}

void show(const Image& image) {
    const ManifestTable& table = image.table();
    for (std::uint32_t i = 0; i < table.count(); ++i) {
        const boot::ManifestNode& node = table.node(table.resolve(i));
        const std::chrono::sys_time<std::chrono::nanoseconds> time{std::chrono::nanoseconds(node.modified_ns)};
        std::string name = i == 0 ? "." : printable(table.path(i));
        if (ManifestTable::kind(node) == ManifestKind::link) name += " -> " + printable(table.target(i));
        if (table.resolve(i) != i) name += " = " + printable(table.path(table.resolve(i)));
        std::printf("%s %12llu %s %s\n", mode_text(node).c_str(), static_cast<unsigned long long>(node.bytes),
                    std::format("{:%Y-%m-%dT%H:%M:%S}Z", time).c_str(), name.c_str());
    }
}

} // namespace

Outcome<Exit> command_image(const Places&, ArgumentList arguments) {
    const ImageOptions options = HOST_TRY(parse(arguments));
    if (options.action == "pack") {
        HOST_TRY(check_writable(options.out));
        Bundle tree = HOST_TRY(pack_source(options.source));
        HOST_TRY(write_image(options.out, tree));
        say(options.out, HOST_TRY(Image::open(options.out)));
        return Exit::well;
    }
    const Image image = HOST_TRY(Image::open(options.source));
    if (options.action == "verify") {
        HOST_TRY(image.verify());
        say(options.source, image);
    } else {
        show(image);
    }
    return Exit::well;
}

} // namespace aios::host
