// The folders of the program: what it sees of the job bundle, what it may change, and telling the host what it changed.
#pragma once

#include "messages/view.hpp"
#include "runtime/kernel/calls.hpp"
#include "runtime/kernel/handle.hpp"

namespace aios::runner {

// The program's root is a private tree over the bundle, unless the host says what "/" is. In it lie the folders that the
// host names: read-only as the bundle has them, or private ones, whose changes are shown.
class Folders {
public:
    // bad_argument: a path that is none; too_large: more than a program can have.
    [[nodiscard]] Result<> set_up(const messages::view::ProgramRun& what, Handle bundle);
    void mount_in(SpawnRequest& request);
    // After the spawn: takes what is shown. Without it that goes unseen.
    void take_shown();
    // What is other in the folders than in the bundle, at most so many bytes of files (too_large): holes cost a program
    // nothing. The trees are let go, so that the program's quota goes home.
    [[nodiscard]] Result<> tell_changes(Handle host, std::uint64_t most);

private:
    [[nodiscard]] Result<> add(Bytes paths, std::uint32_t flags, Handle bundle);
    [[nodiscard]] Result<> tell_folder(Handle host, Handle tree, std::string_view path);

    MountGrant mounts_[kMaxMounts] = {};
    OwnedHandle shown_[kMaxMounts];
    std::size_t count_ = 0;
    std::uint64_t left_ = 0; // bytes that may be told
};

} // namespace aios::runner
