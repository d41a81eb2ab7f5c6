// The mounts of a spawn request: what is to be in a Linux program's name space, and where.
#pragma once

#include "kernel/fs/tree.hpp"
#include "kernel/mm/owned.hpp"
#include "kernel/syscall/call.hpp"

namespace aios::syscall {

class MountPlan {
public:
    // Reads and checks what the request asks for, and has the plan name the paths. bad_argument: two of one path, a path
    // that is none, flags; missing_right: rights that the handle has not; too_large; quota_exceeded.
    cap::Permitted<> fetch(Call& call, const SpawnRequest& request, AgentPlan& plan);
    // Puts them into the new agent's table and startup block, and what the parent is shown into the parent's table.
    // unsupported: a private one of a tree that can be changed; not_found, wrong_type: no such directory.
    Result<> give(Agent& agent, StartupBlock& block);
    // Tells the parent its handles, or closes them again.
    void show(Call& call, const SpawnRequest& request) const;
    void take_back(Call& call);

private:
    struct Mount {
        Ref<fs::Tree> tree;
        Ref<cap::DerivationNode> node;
        Rights rights;
        std::uint32_t flags = 0;
        std::string_view path, from;
        Handle shown = kNoHandle;
        ~Mount() = default;
    };
    cap::Permitted<Mount> read(Call& call, const MountGrant& grant, char* path, char* from) const;

    cap::Table* parent_ = nullptr;
    mm::OwnedBytes text_;
    Mount mounts_[kMaxMounts];
    std::size_t count_ = 0;
};

} // namespace aios::syscall
