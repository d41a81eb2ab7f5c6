// Calls about file trees: native programs read whole files as memory objects. See call.hpp.
#include "kernel/fs/tree.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/object/memory_object.hpp"
#include "kernel/syscall/call.hpp"

namespace aios::syscall::calls {

// A handle on the contents of a file. It can be mapped to be read, and executed where the tree's capability says so;
// writing goes through the personality's files. It is derived from the tree's: it ends when that is revoked.
Answer tree_open(Call& call, Handle, UserIn<char> path, std::uint64_t length) {
    if (length == 0) return fail(Error::bad_argument);
    if (length > kMaxPathBytes) return fail(Error::too_large);
    char text[kMaxPathBytes];
    TRY(path.read_array(0, text, length));
    Ref<fs::Node> node = TRY(call.object<fs::Tree>().open({text, length}, call.quota()));
    if (node->info().kind != fs::NodeKind::file) return fail(Error::bad_argument);
    Ref<mm::Pages> pages = TRY(node->pages());
    constexpr Rights kept = rights::read | rights::execute | rights::derive | rights::transfer | rights::inspect;
    const Rights rights = (call.first.rights & kept) | rights::map | rights::inspect;
    Ref<MemoryObject> memory = TRY(MemoryObject::create(call.quota(), std::move(pages)));
    return call.agent.table().insert_new(std::move(memory), rights, call.first.node);
}

Answer tree_list(Call& call, Handle, std::uint64_t index, UserInOut<TreeEntry> out) {
    TreeEntry entry{};
    TRY(call.object<fs::Tree>().list(index, entry, call.quota()));
    TRY(out.out().write(entry));
    return 0;
}

Answer tree_change(Call& call, Handle, std::uint64_t position, UserInOut<TreeChange> out) {
    const Reservation room = TRY(Reservation::make(call.quota(), Resource::memory, mm::cost_of<TreeChange>));
    const auto change = TRY(mm::own<TreeChange>());
    TRY(call.object<fs::Tree>().change(position, *change));
    TRY(out.out().write(*change));
    return 0;
}

Answer tree_create_temporary(Call& call, Handle) {
    TRY(call.check_self());
    // Who makes a tree decides whether what is written there may be run.
    constexpr Rights rights =
        rights::read | rights::write | rights::execute | rights::inspect | rights::derive | rights::transfer;
    return call.give(TRY(fs::create_temporary_tree(call.quota())), rights);
}

} // namespace aios::syscall::calls
