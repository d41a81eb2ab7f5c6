// memfd_create: a file without a name, in a tree of its own that is gone at once; and seals, what can no longer be done to the
// contents of a file (F_ADD_SEALS). Seals belong to the node, so all who have it open see the same. What is asked under them:
// tree_file.cpp (writes, sizes) and memory_calls.cpp (shared mappings).
#include <cstring>

#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::uint64_t kCloseOnExecFlag = 1, kAllowSealing = 2,
                        kSealExecute = 8; // MFD_..., and MFD_EXEC, which is usual
constexpr std::size_t kMostName = 249;
constexpr std::string_view kPrefix = "memfd:";

std::expected<Ref<fs::Node>, Errno> make_node(Call& call, std::uint32_t mode) {
    const Ref<fs::Tree> tree = LINUX_TRY(fs::create_temporary_tree(call.process.quota()));
    auto node = LINUX_TRY(tree->create_file("memfd", mode));
    LINUX_TRY(tree->remove("memfd", fs::NodeKind::file)); // it has no name from the start
    return node;
}

} // namespace

Outcome call_memfd_create(Call& call, UserIn<char> name, Flags<0x1b> flags) {
    char text[kPrefix.size() + kMostName + 1];
    std::memcpy(text, kPrefix.data(), kPrefix.size());
    std::size_t bytes = kPrefix.size();
    for (std::size_t i = 0;; ++i) {
        const char next = LINUX_TRY(name.read(i));
        if (next == '\0') break;
        if (i == kMostName) return refuse(kInvalid);
        text[bytes++] = next;
    }
    constexpr std::uint64_t kExecute = 16;
    if (flags.has(kSealExecute) && flags.has(kExecute)) return refuse(kInvalid);
    auto node = LINUX_TRY(make_node(call, flags.has(kSealExecute) ? 0666 : 0777));
    if (flags.has(kAllowSealing | kSealExecute)) *node->seals() = flags.has(kSealExecute) ? kSealedExecute : 0;
    const TreePlace place{kNoTreeDevice, rights::read | rights::write | rights::execute, {}};
    Payer& payer = call.process.quota();
    const std::uint64_t number = node->info().id;
    auto label = LINUX_TRY(FileLabel::create(payer, {text, bytes}, kNoTreeDevice, number));
    label->writing = LINUX_TRY(FileLabel::create(payer, {text, bytes}, kNoTreeDevice, number));
    auto file = LINUX_TRY(RegularFile::create(payer, std::move(node), place, std::move(label)));
    file->readable = file->writable = true;
    return install(call, std::move(file), flags.has(kCloseOnExecFlag) ? kOpenCloseOnExec : 0);
}

// F_ADD_SEALS, F_GET_SEALS. kBusy: it is mapped where it could be written through.
Outcome seal_file(OpenFile& file, std::uint32_t command, std::uint64_t argument) {
    std::atomic<std::uint32_t>* const seals = file.node() == nullptr ? nullptr : file.node()->seals();
    if (seals == nullptr) return refuse(kInvalid);
    if (command == kFcntlGetSeals) return seals->load();
    const auto wanted = static_cast<std::uint32_t>(argument);
    if (!file.writable) return refuse(kPerm);
    if ((argument & ~std::uint64_t{kSealedAll}) != 0) return refuse(kInvalid);
    std::uint32_t before = seals->load();
    if ((before & kSealedSeals) != 0) return refuse(kPerm);
    // (1) No mapping that could write is made from here on (map_source). (2) If there is one already the seal goes again.
    while (!seals->compare_exchange_weak(before, before | wanted)) {
        if ((before & kSealedSeals) != 0) return refuse(kPerm);
    }
    const bool forbids_writing = (wanted & kSealedWrite) != 0 && (before & kSealedWrite) == 0;
    if (!forbids_writing) return 0;
    const MapSource source = LINUX_TRY(file.map_source());
    // The label's own holder and `source` have a reference each; so has whoever is about to map it, and every mapping.
    if (source.writing_label && source.writing_label->references() > 2) { // (2)
        seals->fetch_and(~(wanted & ~before));
        return refuse(kBusy);
    }
    return 0;
}

} // namespace aios::linux_abi
