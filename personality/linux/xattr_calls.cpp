// Extended attributes: no tree has any. What is named must be there all the same, as on a Linux file system without them.
#include "personality/linux/process.hpp"

namespace aios::linux_abi {
namespace {

Outcome none_at(Call& call, UserIn<char> path, Follow follow) {
    const auto lookup = LINUX_TRY(Lookup::resolve(call, kHere, path, follow));
    LINUX_TRY(lookup.node());
    return refuse(kNotSupported);
}

Outcome none_of(Call& call, Descriptor fd) {
    const auto file = LINUX_TRY(file_of(call, fd));
    return refuse(file->path_only ? kBadFd : kNotSupported);
}

} // namespace

Outcome call_setxattr(Call& call, UserIn<char> path) { return none_at(call, path, Follow::yes); }
Outcome call_lsetxattr(Call& call, UserIn<char> path) { return none_at(call, path, Follow::no); }
Outcome call_fsetxattr(Call& call, Descriptor fd) { return none_of(call, fd); }
Outcome call_getxattr(Call& call, UserIn<char> path) { return none_at(call, path, Follow::yes); }
Outcome call_lgetxattr(Call& call, UserIn<char> path) { return none_at(call, path, Follow::no); }
Outcome call_fgetxattr(Call& call, Descriptor fd) { return none_of(call, fd); }
Outcome call_listxattr(Call& call, UserIn<char> path) { return none_at(call, path, Follow::yes); }
Outcome call_llistxattr(Call& call, UserIn<char> path) { return none_at(call, path, Follow::no); }
Outcome call_flistxattr(Call& call, Descriptor fd) { return none_of(call, fd); }
Outcome call_removexattr(Call& call, UserIn<char> path) { return none_at(call, path, Follow::yes); }
Outcome call_lremovexattr(Call& call, UserIn<char> path) { return none_at(call, path, Follow::no); }
Outcome call_fremovexattr(Call& call, Descriptor fd) { return none_of(call, fd); }

} // namespace aios::linux_abi
