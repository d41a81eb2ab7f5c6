#include "tools/aios/image/pack.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>
#include <map>

#include <sys/stat.h>

#include "base/path.hpp"
#include "boot/manifest.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"
#include "tools/aios/image/container_archive.hpp"
#include "tools/aios/image/image.hpp"
#include "tools/aios/image/layer.hpp"

namespace aios::host {

namespace {

namespace fs = std::filesystem;

std::string shown(const fs::path& path) { return printable(path.native()); }

class FolderPacker {
public:
    Outcome<Bundle> pack(const fs::path& folder) {
        struct stat facts{};
        if (::stat(folder.c_str(), &facts) != 0)
            return failure(Exit::bad_input,
                           std::format("'{}' cannot be read: {}.", shown(folder), std::strerror(errno)));
        if (!S_ISDIR(facts.st_mode))
            return failure(Exit::bad_input, std::format("'{}' is not a folder.", shown(folder)));
        HOST_TRY(add(folder, "", facts));
        // A list of what is still to be done, and no recursion: folders may be as deep as the disk has them.
        std::vector<std::pair<fs::path, std::string>> todo{{folder, ""}};
        while (!todo.empty()) {
            const auto [place, inside] = todo.back();
            todo.pop_back();
            std::error_code error;
            fs::directory_iterator entries(place, error), end;
            for (; !error && entries != end; entries.increment(error)) {
                const std::string name = entries->path().filename().native();
                const std::string path = inside.empty() ? name : inside + "/" + name;
                if (::lstat(entries->path().c_str(), &facts) != 0) return unreadable(entries->path());
                HOST_TRY(add(entries->path(), path, facts));
                if (S_ISDIR(facts.st_mode)) todo.emplace_back(entries->path(), path);
            }
            if (error)
                return failure(Exit::bad_input, std::format("'{}' cannot be read: {}.", shown(place), error.message()));
        }
        return std::move(bundle_);
    }

private:
    static std::unexpected<Failure> unreadable(const fs::path& place) {
        return failure(Exit::bad_input, std::format("'{}' cannot be read: {}.", shown(place), std::strerror(errno)));
    }

    Outcome<> add(const fs::path& place, const std::string& path, const struct stat& facts) {
        if (!path.empty() && !is_path(path))
            return failure(Exit::bad_input,
                           std::format("'{}' cannot be in an image: its path there has more than {} bytes.",
                                       shown(place), std::size_t{kMaxPathBytes}));
        if (facts.st_mtim.tv_sec < 0)
            return failure(Exit::bad_input, std::format("'{}' was changed before 1970, which an image cannot say; "
                                                        "set its time by touch.",
                                                        shown(place)));
        BundleEntry entry{.path = path, .bytes = {}, .source = place};
        entry.mode = static_cast<std::uint16_t>(facts.st_mode & boot::kManifestModeBits);
        entry.modified_ns = static_cast<std::uint64_t>(facts.st_mtim.tv_sec) * 1'000'000'000 +
                            static_cast<std::uint64_t>(facts.st_mtim.tv_nsec);
        if (S_ISDIR(facts.st_mode)) {
            entry.kind = EntryKind::directory;
        } else if (S_ISLNK(facts.st_mode)) {
            entry.kind = EntryKind::link;
            std::error_code error;
            entry.target = fs::read_symlink(place, error).native();
            if (error)
                return failure(Exit::bad_input, std::format("'{}' cannot be read: {}.", shown(place), error.message()));
        } else if (!S_ISREG(facts.st_mode)) {
            return failure(Exit::bad_input,
                           std::format("'{}' is neither a file nor a folder nor a link, and cannot be in an image.",
                                       shown(place)));
        } else if (const auto known = files_.find({facts.st_dev, facts.st_ino});
                   facts.st_nlink > 1 && known != files_.end()) {
            entry.kind = EntryKind::name;
            entry.target = known->second;
        } else {
            if (facts.st_nlink > 1) files_[{facts.st_dev, facts.st_ino}] = path;
            entry.stored = Stored{.file = place, .bytes = static_cast<std::uint64_t>(facts.st_size)};
        }
        bundle_.entries.push_back(std::move(entry));
        return {};
    }

    Bundle bundle_;
    std::map<std::pair<dev_t, ino_t>, std::string> files_; // those with further names
};

} // namespace

Outcome<Bundle> pack_folder(const fs::path& folder) { return FolderPacker().pack(folder); }

Outcome<Packed> pack_source(const fs::path& source, Spool& spool) {
    const std::string name = source.native();
    std::error_code error;
    Packed packed;
    if (!fs::is_regular_file(source, error)) {
        packed.tree.begin_layer(name);
        Bundle folder = HOST_TRY(pack_folder(source));
        HOST_TRY(packed.tree.put_all(std::move(folder)));
    } else if (begins_as_image(source)) {
        packed.tree.begin_layer(name);
        const Image image = HOST_TRY(Image::open(source));
        HOST_TRY(packed.tree.put_all(image.tree()));
    } else {
        const Stored file{.file = source, .bytes = fs::file_size(source, error)};
        if (error)
            return failure(Exit::bad_input, std::format("'{}' cannot be read: {}.", shown(source), error.message()));
        Archive archive = HOST_TRY(Archive::open(file, name));
        packed.passed_over = HOST_TRY(apply_archive(archive, packed.tree, spool, Whiteouts::are_names));
    }
    if (is_container_archive(packed.tree)) {
        Container container = HOST_TRY(unpack_container(packed.tree, name, spool));
        return Packed{std::move(container.tree), std::move(container.config), container.passed_over};
    }
    packed.config = HOST_TRY(take_config(packed.tree, name));
    return packed;
}

} // namespace aios::host
