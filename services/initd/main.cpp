// initd: the first agent. It holds every capability of the node, supervises the services of etc/system.cbor, gives each
// only what its description grants, and powers the node off when the job is done or has failed. A native program
// without a C library.
#include <new>

#include "runtime/orchestration/supervisor.hpp"

namespace aios::init {
namespace {

constexpr std::uint64_t kStatusWell = 0,
                        kStatusFailed = 1; // for node_power; docs/design/boot.md has the machine's exit codes
constexpr std::uint64_t kChannelMessages = 256, kChannelBytes = 1 << 20;

// Channels between services that initd makes at first use: whoever is granted the send role reaches whoever is granted
// the receive role.
struct WellKnownChannel {
    std::uint32_t send_role;
    std::uint32_t receive_role;
    OwnedHandle channel;
};

using orchestration::number_of;

class NodeHandles final : public orchestration::HandleSource {
public:
    explicit NodeHandles(const StartupBlock& startup) : startup_(startup) {}

    Result<Handle> handle_for(std::uint32_t wanted) override {
        for (WellKnownChannel& known : channels_) {
            if (wanted != known.send_role && wanted != known.receive_role) continue;
            if (!known.channel) {
                known.channel = TRY(owned(
                    sys::channel_create(find_handle(startup_, StartupRole::self), kChannelMessages, kChannelBytes)));
            }
            return known.channel.get();
        }
        Handle handle = find_handle(startup_, static_cast<StartupRole>(wanted));
        if (wanted == number_of(StartupRole::region) || wanted == number_of(StartupRole::region_writer))
            handle = region_.get();
        return handle != kNoHandle ? Result<Handle>(handle) : fail(Error::not_found);
    }

    Result<> prepare(const orchestration::SystemDescription& description) override {
        if (description.region_bytes == 0) return {};
        region_ = TRY(owned(sys::agent_pool_alloc(find_handle(startup_, StartupRole::self), description.region_bytes)));
        return {};
    }

private:
    const StartupBlock& startup_;
    WellKnownChannel channels_[3] = {
        {number_of(StartupRole::broker), number_of(StartupRole::broker_server), {}},
        {number_of(StartupRole::identity), number_of(StartupRole::identity_server), {}},
        {number_of(StartupRole::memory_writer), number_of(StartupRole::memory_server), {}}};
    OwnedHandle region_;
};

// Too large for a first stack.
struct Node {
    explicit Node(const StartupBlock& startup)
        : handles(startup), supervisor(startup, "initd", "etc/system.cbor", handles) {}
    NodeHandles handles;
    orchestration::Supervisor supervisor;
};

bool run(const StartupBlock& startup) {
    const auto place =
        sys::agent_mem_alloc(find_handle(startup, StartupRole::self), sizeof(Node), kProtectRead | kProtectWrite);
    if (!place) {
        console_print("initd: no memory for its own tables: {}\n", error_info(place.error()).sentence);
        return false;
    }
    auto* node = ::new (reinterpret_cast<void*>(*place)) Node(startup); // SAFETY: fresh pages of that size
    const auto end = node->supervisor.run();
    if (!end.is_ok) console_print("initd: {}\n", end.text);
    return end.is_ok;
}

} // namespace
} // namespace aios::init

int aios_main(const aios::StartupBlock& startup) {
    using namespace aios;
    console_handle = find_handle(startup, StartupRole::console);
    const std::uint64_t status = init::run(startup) ? init::kStatusWell : init::kStatusFailed;
    (void)sys::node_power(find_handle(startup, StartupRole::power), static_cast<std::uint64_t>(PowerAction::off),
                          status);
    return static_cast<int>(status);
}
