// `aios image pack|inspect|verify`: trees of files for agents, packed on the host.
#include <chrono>
#include <cstdio>
#include <format>

#include "tools/aios/commands.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/image/image.hpp"
#include "tools/aios/image/pack.hpp"
#include "tools/aios/packages/debian.hpp"
#include "tools/aios/packages/npm.hpp"

namespace aios::host {

namespace {

namespace fs = std::filesystem;
using boot::ManifestKind;
using boot::ManifestTable;

struct ImageOptions {
    std::string action;
    std::vector<std::string> sources; // of pack, at least one; of the others, one
    fs::path out;
    std::uint64_t most_mib = kUsualUnpackMib;
};

Outcome<ImageOptions> parse(ArgumentList arguments) {
    ImageOptions options;
    if (!arguments.empty()) options.action = arguments.front();
    if (options.action != "pack" && options.action != "inspect" && options.action != "verify")
        return failure(Exit::wrong_use, "image needs an action: pack, inspect or verify; see ./aios image --help.");
    CommandLine line("image " + options.action);
    if (options.action == "pack") {
        line.value("-o", options.out);
        line.number("--unpack-limit", options.most_mib, 1, kMostUnpackMib);
    }
    options.sources = HOST_TRY(line.parse(arguments.subspan(1)));
    if (options.action == "pack" && options.sources.empty())
        return failure(Exit::wrong_use,
                       "image pack needs what to pack: folders, archives, images, debian:PACKAGE,... or "
                       "npm:PACKAGE@VERSION,...; see ./aios image --help.");
    if (options.action != "pack" && options.sources.size() != 1)
        return failure(Exit::wrong_use, std::format("image {} takes one image.", options.action));
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

// Each source is laid over those before it; its /bin is theirs also where that is a link.
Outcome<> lay(const Places& places, const std::string& source, Packed& into, Spool& spool,
              std::vector<std::string>& notes) {
    constexpr std::string_view kDebian = "debian:", kNpm = "npm:";
    if (source.starts_with(kDebian))
        return lay_debian(source.substr(kDebian.size()), into, spool, places.root / "build" / "packages" / "debian",
                          notes);
    if (source.starts_with(kNpm)) return lay_npm(source.substr(kNpm.size()), into, spool);
    Packed packed = HOST_TRY(pack_source(source, spool));
    into.passed_over += packed.passed_over;
    if (!packed.config.is_empty()) into.config = std::move(packed.config);
    into.tree.begin_layer(source, Tree::DirectoryOnLink::follows);
    return into.tree.put_all(std::move(packed.tree).bundle());
}

Outcome<> pack(const Places& places, const ImageOptions& options) {
    HOST_TRY(check_writable(options.out));
    Progress progress;
    Spool spool = HOST_TRY(Spool::create(options.most_mib));
    spool.show_on(progress);
    Packed packed;
    std::vector<std::string> notes;
    for (const std::string& source : options.sources)
        HOST_TRY(lay(places, source, packed, spool, notes));
    HOST_TRY(put_config(packed.tree, packed.config));
    Bundle tree = std::move(packed.tree).bundle();
    spool.tell("writing the image");
    HOST_TRY(write_image(options.out, tree));
    progress.clear();
    for (const std::string& note : notes)
        progress.say(note);
    if (packed.passed_over > 0)
        progress.say(std::format("left out: {}",
                                 counted(packed.passed_over, "device, pipe or socket|devices, pipes or sockets")));
    say(options.out, HOST_TRY(Image::open(options.out)));
    return {};
}

} // namespace

Outcome<Exit> command_image(const Places& places, ArgumentList arguments) {
    const ImageOptions options = HOST_TRY(parse(arguments));
    if (options.action == "pack") {
        HOST_TRY(pack(places, options));
        return Exit::well;
    }
    const Image image = HOST_TRY(Image::open(options.sources.front()));
    if (options.action == "verify") {
        HOST_TRY(image.verify());
        say(options.sources.front(), image);
    } else {
        show(image);
    }
    return Exit::well;
}

} // namespace aios::host
