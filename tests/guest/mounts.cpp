// Mounts of Linux programs, as who starts them sees it: what is refused, what is shown, and that all of it comes back.
#include "tests/guest/settle.hpp"

using namespace aios;
using namespace guest;

namespace {

// Mounts of a Linux program. What is refused leaves nothing behind; what the parent is shown outlives the child.
void test_mounts() {
    const SpawnOptions options = with(ARGS("exit\0"
                                           "0"));
    const Handle bundle = handle(StartupRole::bundle);
    const OwnedHandle temporary(GET(sys::tree_create_temporary(self)));
    const OwnedHandle bare(GET(sys::handle_derive(bundle, rights::read.bits())));
    constexpr std::string_view kRoot = "/", kOther = "/bin", kDirectory = "etc", kNone = "none",
                               kOwn = "etc/not-a-program";
    MountGrant mounts[2];
    const auto attempt = [&](auto change) {
        for (MountGrant& mount : mounts)
            mount = {bundle, rights::read.bits(), 0, address_of(kRoot.data()), kRoot.size(), 0, 0, kNoHandle};
        mounts[1].path = address_of(kOther.data());
        mounts[1].path_bytes = kOther.size();
        SpawnRequest request = make_request(kChild, options);
        request.personality = static_cast<std::uint32_t>(PersonalityKind::linux_abi);
        request.mounts = address_of(mounts);
        request.mount_count = 1;
        change(request, mounts[0]);
        return finish_spawn(sys::agent_spawn(self, &request));
    };
    const AgentInfo before = settled();
    using R = SpawnRequest;
    using M = MountGrant;
    const auto refused = [&](auto change, Error error, int line) {
        guest::expect_error(attempt(change), error, "agent_spawn", line);
    };
    refused([](R& r, M&) { r.personality = 0; }, Error::bad_argument, __LINE__); // a native program has no name space
    refused([](R& r, M&) { r.mount_count = kMaxMounts + 1; }, Error::too_large, __LINE__);
    for (const std::uint64_t address : kBadAddresses) {
        refused([&](R& r, M&) { r.mounts = address; }, Error::bad_address, __LINE__);
        refused([&](R&, M& m) { m.path = address; }, Error::bad_address, __LINE__);
        refused(
            [&](R&, M& m) {
                m.from = address;
                m.from_bytes = 4;
            },
            Error::bad_address, __LINE__);
    }
    const auto from = [](M& m, std::string_view path) {
        m.from = address_of(path.data());
        m.from_bytes = path.size();
    };
    refused([](R&, M& m) { m.tree = kNoHandle; }, Error::bad_handle, __LINE__);
    refused([](R&, M& m) { m.tree = self; }, Error::wrong_type, __LINE__);
    refused([&](R&, M& m) { m.tree = bare.get(); }, Error::missing_right, __LINE__); // it cannot be handed on
    refused([](R&, M& m) { m.rights = rights::write.bits(); }, Error::missing_right, __LINE__);
    refused([](R&, M& m) { m.rights = 1u << 30; }, Error::bad_argument, __LINE__);
    refused([](R&, M& m) { m.flags = kMountShown; }, Error::bad_argument, __LINE__); // only what is private is shown
    refused([](R&, M& m) { m.flags = 4; }, Error::bad_argument, __LINE__);
    refused([](R&, M& m) { m.path_bytes = 0; }, Error::bad_argument, __LINE__);
    refused([](R&, M& m) { m.path_bytes = kMaxPathBytes + 1; }, Error::too_large, __LINE__);
    refused([](R&, M& m) { m.from_bytes = kMaxPathBytes + 1; }, Error::too_large, __LINE__);
    refused([&](R&, M& m) { m.path = address_of(kOwn.data()); }, Error::bad_argument, __LINE__); // no slash in front
    refused([&](R&, M& m) { from(m, "/"); }, Error::bad_argument, __LINE__);
    refused([&](R&, M& m) { from(m, kNone); }, Error::not_found, __LINE__);
    refused([&](R&, M& m) { from(m, kOwn); }, Error::wrong_type, __LINE__);
    refused([&](R& r, M&) { mounts[1].path_bytes = 1, r.mount_count = 2; }, Error::bad_argument, __LINE__); // twice
    refused(
        [&](R&, M& m) {
            m.tree = temporary.get();
            m.flags = kMountPrivate;
        },
        Error::unsupported, __LINE__);
    // The second fails when the first was shown already.
    refused(
        [&](R& r, M& m) {
            m.flags = kMountPrivate | kMountShown;
            from(mounts[1], kNone);
            r.mount_count = 2;
        },
        Error::not_found, __LINE__);
    CHECK(settles(before));
    // The program is none of Linux and dies at once; its tree is there for who was shown it, and then all is given back.
    {
        const OwnedHandle child(GET(attempt([&](R&, M& m) {
            m.flags = kMountPrivate | kMountShown;
            from(m, kDirectory);
        })));
        CHECK(mounts[0].shown != kNoHandle);
        const OwnedHandle shown(mounts[0].shown);
        (void)wait_dead(child.get());
        static TreeChange change;
        CHECK_ERROR(sys::tree_change(shown.get(), 0, &change), not_found);
        // What the program never looked at cannot be looked at now: who would have paid for it has gone.
        constexpr std::string_view kFile = "not-a-program";
        CHECK_ERROR(sys::tree_open(shown.get(), kFile.data(), kFile.size()), killed);
        CHECK_ERROR(sys::tree_open(shown.get(), kOwn.data(), kOwn.size()), not_found);
    }
    // What is shown ends with the capability that it comes from.
    {
        const OwnedHandle lent(GET(
            sys::handle_derive(bundle, (rights::read | rights::execute | rights::transfer | rights::derive).bits())));
        const OwnedHandle child(GET(attempt([&](R&, M& m) {
            m.tree = lent.get();
            m.flags = kMountPrivate | kMountShown;
        })));
        const OwnedHandle shown(mounts[0].shown);
        GET(sys::handle_revoke(lent.get()));
        static TreeChange change;
        CHECK_ERROR(sys::tree_change(shown.get(), 0, &change), revoked);
        (void)wait_dead(child.get());
    }
    CHECK(settles(before));
}

} // namespace

int aios_main(const StartupBlock& block) {
    init(block, "mounts");
    at_start = info_of(self);
    run("mounts", test_mounts);
    return finish();
}
