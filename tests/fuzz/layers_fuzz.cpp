// What images are made of, from any bytes: archives, layers with what takes away, and the documents of containers. Read without a
// fault, or refused with a sentence; what comes of it has a manifest that the kernel's reader takes.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <format>

#include "base/bytes.hpp"
#include "base/path.hpp"
#include "boot/manifest_table.hpp"
#include "crypto/sha2.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/image/container_archive.hpp"
#include "tools/aios/image/layer.hpp"
#include "tools/aios/input/manifest.hpp"

using namespace aios;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void put_checksum(std::string& archive, std::size_t at) {
    std::memset(archive.data() + at + 148, ' ', 8);
    unsigned sum = 0;
    for (std::size_t i = 0; i < 512; ++i)
        sum += static_cast<unsigned char>(archive[at + i]);
    std::format("{:06o}", sum).copy(archive.data() + at + 148, 6);
    archive[at + 154] = '\0';
}

// Entries of the input: type, lengths of name, target, mode and contents, then these. What is left stands at the end.
std::string archive_of(std::string_view input) {
    std::string archive;
    const auto take = [&](std::size_t bytes) {
        const std::string_view taken = input.substr(0, bytes);
        input.remove_prefix(taken.size());
        return taken;
    };
    while (input.size() > 5) {
        const char type = take(1)[0];
        std::size_t lengths[4];
        for (std::size_t& length : lengths)
            length = static_cast<unsigned char>(take(1)[0]);
        const std::size_t at = archive.size();
        archive.resize(at + 512);
        archive[at + 156] = type;
        std::memcpy(archive.data() + at + 257, "ustar\00000", 8);
        take(lengths[0] % 101).copy(archive.data() + at, 100);
        take(lengths[1] % 101).copy(archive.data() + at + 157, 100);
        take(lengths[2] % 21).copy(archive.data() + at + 100, 20);
        const std::string_view contents = take(lengths[3]);
        std::format("{:011o}", contents.size()).copy(archive.data() + at + 124, 11);
        put_checksum(archive, at);
        archive += contents;
        archive.resize((archive.size() + 511) / 512 * 512);
    }
    return archive.append(1024, '\0').append(input);
}

// Layers, each behind the last one's 0xff.
host::Outcome<> lay(std::string_view input, host::Tree& tree, host::Spool& spool) {
    while (!input.empty()) {
        const auto end = std::min(input.find('\xff'), input.size());
        const std::string archive = archive_of(input.substr(0, end));
        input.remove_prefix(std::min(end + 1, input.size()));
        auto opened = HOST_TRY(host::Archive::open(archive, "layer"));
        static_cast<void>(HOST_TRY(host::apply_archive(opened, tree, spool, host::Whiteouts::take_away,
                                                       end % 2 == 0 ? host::Tree::DirectoryOnLink::replaces
                                                                    : host::Tree::DirectoryOnLink::follows)));
    }
    return {};
}

// Texts, each behind the last one's 0xff: blobs, of which the last is the index. `@0` to `@9` in one are the digests of those before;
// one that begins with `!` is a layer.
host::Outcome<> lay_container(std::string_view input, host::Tree& tree, host::Spool& spool) {
    host::Tree archive;
    std::vector<std::string> digests;
    std::string text;
    while (!input.empty()) {
        const auto end = std::min(input.find('\xff'), input.size());
        const std::string_view raw = input.substr(0, end);
        input.remove_prefix(std::min(end + 1, input.size()));
        text.clear();
        if (raw.starts_with('!')) {
            text = archive_of(raw.substr(1));
        } else {
            for (std::size_t i = 0; i < raw.size(); ++i) {
                const std::size_t number =
                    raw[i] == '@' && i + 1 < raw.size() ? static_cast<std::size_t>(raw[i + 1] - '0') : 10;
                if (number < digests.size())
                    text += "sha256:" + digests[number], ++i;
                else
                    text += raw[i];
            }
        }
        digests.push_back(host::hex(as_text(crypto::Sha256::hash(as_bytes(text)))));
        HOST_TRY(archive.put({.path = "blobs/sha256/" + digests.back(), .bytes = text}));
    }
    HOST_TRY(archive.put({.path = "oci-layout", .bytes = "{}"}));
    HOST_TRY(archive.put({.path = "index.json", .bytes = text}));
    HOST_TRY(archive.put({.path = "manifest.json", .bytes = text}));
    static_cast<void>(host::is_container_archive(archive));
    auto container = HOST_TRY(host::unpack_container(archive, "container", spool));
    tree = std::move(container.tree);
    HOST_TRY(host::put_config(tree, container.config));
    host::Tree copy = tree;
    const auto config = host::take_config(copy, "container");
    require(config && config->environment == container.config.environment &&
            config->program == container.config.program);
    return {};
}

host::Outcome<> read_any(std::string_view input, host::Tree& tree, host::Spool& spool) {
    auto archive = HOST_TRY(host::Archive::open(input, "archive"));
    static_cast<void>(HOST_TRY(host::apply_archive(archive, tree, spool, host::Whiteouts::are_names)));
    return {};
}

void check(host::Tree tree) {
    host::Bundle bundle = std::move(tree).bundle();
    for (const host::BundleEntry& entry : bundle.entries)
        require(entry.path.empty() || is_path(entry.path));
    const auto layout = host::lay_out_section(bundle);
    require(layout.has_value());
    std::vector<std::uint64_t> aligned((layout->manifest.size() + 7) / 8);
    std::memcpy(aligned.data(), layout->manifest.data(), layout->manifest.size());
    const Bytes manifest = std::as_bytes(std::span(aligned)).first(layout->manifest.size());
    const auto nodes = boot::ManifestTable::nodes_of(manifest);
    require(nodes.has_value());
    std::vector<std::uint32_t> room(*nodes);
    boot::ManifestTable table;
    require(table.parse(manifest, layout->leaves.size(), room).has_value());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1); // SAFETY: bytes as characters
    // Scratch folders look through the folder that they are made in: one of its own has no others.
    static const auto folder = host::Scratch::create();
    require(folder.has_value() && ::setenv("TMPDIR", folder->path().c_str(), 1) == 0);
    auto spool = host::Spool::create(1);
    require(spool.has_value());
    host::Tree tree;
    const auto done = data[0] % 4 == 0   ? read_any(input, tree, *spool)
                      : data[0] % 4 == 1 ? lay_container(input, tree, *spool)
                                         : lay(input, tree, *spool);
    if (!done) {
        require(!done.error().sentence.empty());
        return 0;
    }
    check(std::move(tree));
    return 0;
}
