#include "examples/desk/job.hpp"

#include <memory>

#include "messages/view.hpp"
#include "runtime/clients/host.hpp"
#include "runtime/kernel/mapping.hpp"

namespace aios::desk {

Result<std::vector<JobFile>> list_files(Handle tree, std::string_view folder) {
    std::vector<JobFile> files;
    auto entry = std::make_unique<TreeEntry>();
    for (std::uint64_t index = 0;; ++index) {
        const auto found = sys::tree_list(tree, index, entry.get());
        if (!found && found.error() == Error::not_found) return files;
        if (!found) return fail(found.error());
        const std::string_view path(entry->name, std::min<std::size_t>(entry->name_bytes, sizeof(entry->name)));
        if (path.starts_with(folder)) files.push_back({std::string(path), entry->size});
    }
}

Result<std::string> read_file(Handle self, Handle tree, std::string_view path) {
    const OwnedHandle file = TRY(owned(sys::tree_open(tree, path.data(), path.size())));
    HandleInfo info{};
    TRY(sys::handle_info(file.get(), &info));
    if (info.size == 0) return std::string();
    const Mapping mapping = TRY(Mapping::map(self, file.get(), kProtectRead));
    return std::string(reinterpret_cast<const char*>(mapping.bytes().data()), info.size); // SAFETY: bytes as characters
}

Result<> tell_progress(Handle port, std::string_view what, std::uint64_t done, std::uint64_t total) {
    return clients::tell_host(port, messages::view::Progress{.text = what, .done = done, .total = total});
}

} // namespace aios::desk
