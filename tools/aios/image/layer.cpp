#include "tools/aios/image/layer.hpp"

#include <format>

#include "base/path.hpp"
#include "boot/manifest.hpp"
#include "tools/aios/host/stop.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr std::uint64_t kMostEntries = 4 * std::uint64_t{boot::kMaxManifestNodes};
constexpr std::string_view kWhiteout = ".wh.", kOpaque = ".wh..wh..opq", kOther = ".wh..wh.";

std::string_view without_slashes(std::string_view path) {
    while (path.ends_with('/'))
        path.remove_suffix(1);
    return path;
}

// Whether the entry was a whiteout.
Outcome<bool> take_away(const Archive& archive, std::string_view path, Tree& tree) {
    const auto [directory, name] = split_last(without_slashes(path));
    if (!name.starts_with(kWhiteout)) return false;
    if (name == kOpaque) {
        // Where links lead: a name in the directory is looked for, and taken off again.
        const std::string inside = HOST_TRY(tree.place_of(std::format("{}/x", directory)));
        tree.white_out_below(split_last(inside).directory);
        return true;
    }
    if (name.starts_with(kOther)) return true;
    const std::string_view gone = name.substr(kWhiteout.size());
    if (!is_component(gone)) return archive.refuse(std::format("has '{}', which takes nothing away", shortened(path)));
    tree.white_out(HOST_TRY(tree.place_of(std::format("{}/{}", directory, gone))));
    return true;
}

// Whatever an entry that is no file may have behind its headers.
Outcome<> pass_over_contents(Archive& archive, Spool& spool) {
    return archive.contents([&](std::string_view part) { return spool.charge(part.size()); },
                            [](std::uint64_t) { return Outcome<>(); });
}

Outcome<BundleEntry> read_entry(Archive& archive, ArchiveMember& from, std::string place, Spool& spool) {
    BundleEntry entry{.path = std::move(place), .bytes = {}};
    entry.kind = *from.kind;
    entry.mode = from.mode;
    entry.modified_ns = from.modified_ns;
    entry.target = std::move(from.target);
    if (entry.kind == EntryKind::file)
        entry.stored = HOST_TRY(unpack_file(archive, spool));
    else
        HOST_TRY(pass_over_contents(archive, spool));
    return entry;
}

} // namespace

Outcome<Stored> unpack_file(Archive& archive, Spool& spool) {
    spool.begin();
    HOST_TRY(archive.contents([&](std::string_view part) { return spool.append(part); },
                              [&](std::uint64_t count) { return spool.append_zeros(count); }));
    return spool.end();
}

Outcome<std::uint64_t> apply_archive(Archive& archive, Tree& tree, Spool& spool, Whiteouts whiteouts,
                                     Tree::DirectoryOnLink rule) {
    tree.begin_layer(archive.name(), rule);
    std::uint64_t passed_over = 0, before = 0, entries = 0;
    while (auto entry = HOST_TRY(archive.next())) {
        if (stop_signal() != 0) return failure(Exit::failed_inside, "it was interrupted.");
        spool.tell(std::format("unpacking {}", shortened(archive.name())));
        if (++entries > kMostEntries) return archive.refuse(std::format("has more than {} entries", kMostEntries));
        HOST_TRY(spool.charge(archive.unpacked() - before)); // headers
        if (!entry->kind) {
            HOST_TRY(pass_over_contents(archive, spool));
            ++passed_over;
        } else if (whiteouts == Whiteouts::take_away && HOST_TRY(take_away(archive, entry->path, tree))) {
            HOST_TRY(pass_over_contents(archive, spool));
        } else {
            std::string place = HOST_TRY(tree.place_of(entry->path));
            BundleEntry read = HOST_TRY(read_entry(archive, *entry, std::move(place), spool));
            HOST_TRY(tree.put(std::move(read)));
        }
        before = archive.unpacked();
    }
    return passed_over;
}

} // namespace aios::host
