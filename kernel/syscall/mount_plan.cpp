#include "kernel/syscall/mount_plan.hpp"

#include <algorithm>

#include "base/path.hpp"
#include "kernel/fs/section.hpp"

namespace aios::syscall {

namespace {

constexpr Rights kPrivateRights = rights::read | rights::write | rights::inspect | rights::derive |
                                  rights::transfer; // and execute if the other has it
constexpr Rights kShownRights = rights::read | rights::inspect;

} // namespace

cap::Permitted<MountPlan::Mount> MountPlan::read(Call& call, const MountGrant& grant, char* path, char* from) const {
    constexpr std::uint32_t kFlags = kMountPrivate | kMountShown;
    if ((grant.flags & ~kFlags) != 0 || grant.flags == kMountShown) return fail(Error::bad_argument);
    if ((grant.rights & ~rights::all.bits()) != 0) return fail(Error::bad_argument);
    const Rights wanted(grant.rights);
    const auto found = TRY(call.lookup<fs::Tree>(grant.tree, wanted | rights::read | rights::transfer));
    TRY(UserIn<char>(grant.path).read_array(0, path, grant.path_bytes));
    TRY(UserIn<char>(grant.from).read_array(0, from, grant.from_bytes));
    Mount mount;
    mount.tree = found.object;
    mount.node = found.node;
    mount.rights = wanted | rights::read;
    mount.flags = grant.flags;
    mount.path = {path, grant.path_bytes};
    mount.from = {from, grant.from_bytes};
    if (!mount.path.starts_with('/')) return fail(Error::bad_argument);
    mount.path.remove_prefix(1);
    if (!mount.path.empty() && !is_path(mount.path)) return fail(Error::bad_argument);
    if (!mount.from.empty() && !is_path(mount.from)) return fail(Error::bad_argument);
    return mount;
}

cap::Permitted<> MountPlan::fetch(Call& call, const SpawnRequest& request, AgentPlan& plan) {
    if (request.mount_count > kMaxMounts) return fail(Error::too_large);
    parent_ = &call.agent.table();
    if (request.mount_count == 0) return {};
    // For each a path, as it comes and as the plan has it, and where it is from.
    constexpr std::size_t kRoom = kMaxPathBytes + 1;
    text_ = TRY(mm::OwnedBytes::make(call.quota(), 3 * kRoom * request.mount_count));
    char* const text = reinterpret_cast<char*>(text_.data()); // SAFETY: bytes as characters
    char* const own = text + 2 * kRoom * request.mount_count;
    std::size_t own_bytes = 0;
    for (std::size_t i = 0; i < request.mount_count; ++i) {
        const MountGrant grant = TRY(UserIn<MountGrant>(request.mounts).read(i));
        if (grant.path_bytes > kMaxPathBytes || grant.from_bytes > kMaxPathBytes) return fail(Error::too_large);
        mounts_[i] = TRY(read(call, grant, text + 2 * i * kRoom, text + (2 * i + 1) * kRoom));
        const std::string_view path = mounts_[i].path;
        for (std::size_t before = 0; before < i; ++before)
            if (mounts_[before].path == path) return fail(Error::bad_argument);
        std::ranges::copy(path, own + own_bytes);
        own_bytes += path.size();
        own[own_bytes++] = '\0';
    }
    count_ = request.mount_count;
    plan.mounts = own;
    plan.mount_bytes = own_bytes;
    return {};
}

Result<> MountPlan::give(Agent& agent, StartupBlock& block) {
    if (block.count + count_ > kMaxStartupHandles) return fail(Error::too_large);
    for (std::size_t i = 0; i < count_; ++i) {
        Mount& mount = mounts_[i];
        Ref<fs::Tree> tree;
        Rights given = mount.rights;
        if ((mount.flags & kMountPrivate) != 0) {
            fs::SectionPlace place = TRY(mount.tree->place_of(mount.from, agent.quota()));
            tree = TRY(fs::create_private_tree(agent.quota(), std::move(place)));
            given = kPrivateRights | (mount.rights & rights::execute);
        } else if (mount.from.empty()) {
            tree = mount.tree;
        } else {
            tree = TRY(fs::create_subtree(agent.quota(), mount.tree, mount.from));
        }
        // Both end when the capability does that they come from.
        if ((mount.flags & kMountShown) != 0) mount.shown = TRY(parent_->insert_new(tree, kShownRights, mount.node));
        const Handle handle = TRY(agent.table().insert_new(std::move(tree), given, mount.node));
        block.entries[block.count++] = {handle, static_cast<std::uint32_t>(StartupRole::mount), given.bits()};
    }
    return {};
}

void MountPlan::show(Call& call, const SpawnRequest& request) const {
    for (std::size_t i = 0; i < count_; ++i) {
        if (mounts_[i].shown == kNoHandle) continue;
        // SAFETY: the structure was read from there; should the caller take it away meanwhile, it loses the handle.
        const std::uint64_t field = request.mounts + i * sizeof(MountGrant) + offsetof(MountGrant, shown);
        if (!UserOut<Handle>(field).write(mounts_[i].shown)) (void)call.agent.table().close(mounts_[i].shown);
    }
}

void MountPlan::take_back(Call& call) {
    for (Mount& mount : mounts_)
        if (mount.shown != kNoHandle) (void)call.agent.table().close(std::exchange(mount.shown, kNoHandle));
}

} // namespace aios::syscall
