// Calls about handles of whatever kind. The table of capabilities does the work (kernel/cap). See call.hpp.
#include "kernel/syscall/call.hpp"

namespace aios::syscall::calls {

Answer handle_close(Call& call, Handle handle) {
    TRY(call.agent.table().close(handle));
    return 0;
}

Answer handle_derive(Call& call, Handle handle, std::uint64_t wanted) {
    if ((wanted & ~std::uint64_t{rights::all.bits()}) != 0) return fail(Error::bad_argument);
    const Handle derived = TRY(call.agent.table().derive(handle, Rights(static_cast<std::uint32_t>(wanted))));
    call.record->detail[0] = wanted;
    call.record->detail[1] = handle;
    call.record->detail[2] = derived;
    return derived;
}

Answer handle_revoke(Call& call, Handle handle) {
    TRY(call.agent.table().revoke(handle));
    call.record->detail[1] = handle;
    return 0;
}

Answer handle_info(Call& call, Handle handle, UserInOut<HandleInfo> out) {
    const auto found = TRY(call.agent.table().lookup_any(handle, ObjectType::any, rights::none));
    HandleInfo info{};
    info.type = static_cast<std::uint32_t>(found.object->type());
    info.rights = found.rights.bits();
    info.object = found.object->id();
    info.size = found.object->info_size();
    info.depth = found.node->depth();
    TRY(out.out().write(info));
    return 0;
}

} // namespace aios::syscall::calls
