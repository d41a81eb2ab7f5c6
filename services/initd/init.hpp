// initd: starts the services of etc/system.cbor in the order of their needs, in parallel where it can; waits for ready
// messages, restarts by policy, and at the end stops them in reverse order and powers the node off. A native program
// without a C library; one thread.
//
// initd holds every capability of the node and gives each unit only the grants of its description. Everything comes
// through one event queue: a finished spawn, a message of a unit to its parent, the end of a unit.
#pragma once

#include "crypto/sha2.hpp"
#include "runtime/kernel/console.hpp"
#include "runtime/orchestration/units.hpp"

namespace aios::init {

using orchestration::kMaxUnits;
using orchestration::SystemDescription;
using orchestration::Unit;
using orchestration::UnitStates;

inline constexpr std::uint64_t kStatusWell = 0x10; // exit codes of the node, see docs/design/boot.md
inline constexpr std::uint64_t kStatusFailed = 0x11;
inline constexpr std::uint64_t kStopPatience = 2'000'000'000; // ns until a killed unit is left behind

// Channels that initd makes at first use: whoever is granted the send role reaches whoever is granted the receive role.
struct WellKnownChannel {
    std::uint32_t send_role;
    std::uint32_t receive_role;
    OwnedHandle channel;
};
inline constexpr std::uint32_t kRoleIdentity = 66;       // to identityd
inline constexpr std::uint32_t kRoleIdentityServer = 67; // identityd alone
inline constexpr std::uint64_t kChannelMessages = 256, kChannelBytes = 1 << 20;

struct UnitHandles {
    OwnedHandle operation; // spawn under way
    OwnedHandle agent;
    OwnedHandle parent;       // receive side of the unit's channel to us
    bool stop_wanted = false; // killed for a restart
};

// Events carry which unit and what.
enum class EventKind : std::uint64_t { spawned = 1, message = 2, ended = 3 };
constexpr std::uint64_t event_key(EventKind kind, std::size_t unit) {
    return static_cast<std::uint64_t>(kind) << 32 | unit;
}

class Init {
public:
    explicit Init(const StartupBlock& startup) : startup_(startup), states_(description_) {}
    std::uint64_t run(); // answers the node's exit code

private:
    // start.cpp
    Result<> prepare(); // queue, description, region
    Result<> start_unit(std::size_t unit);
    Result<> spawned(std::size_t unit); // the operation is done
    Result<Handle> handle_for(std::uint32_t role);
    // identity.cpp
    Result<> register_identity(std::size_t unit);
    // main.cpp
    void start_what_can();
    void handle(const EventPacket& packet);
    void read_messages(std::size_t unit);
    void read_message(std::size_t unit, Bytes bytes);
    void ended(std::size_t unit);
    void stop_all();
    void fail_with(std::string_view what, std::string_view unit, Error error);

    [[nodiscard]] Handle self() const { return find_handle(startup_, StartupRole::self); }
    [[nodiscard]] std::string_view name_of(std::size_t unit) const { return description_.units[unit].name; }

    const StartupBlock& startup_;
    SystemDescription description_;
    UnitStates states_;
    UnitHandles units_[kMaxUnits];
    WellKnownChannel channels_[2] = {
        {static_cast<std::uint32_t>(StartupRole::broker), static_cast<std::uint32_t>(StartupRole::broker_server), {}},
        {kRoleIdentity, kRoleIdentityServer, {}}};
    crypto::Sha256::Digest manifest_{}; // of the system description
    OwnedHandle queue_;
    OwnedHandle region_;
    bool finished_ = false;
    std::uint64_t status_ = kStatusWell;
    std::byte message_[kMaxMessageBytes];
};

} // namespace aios::init
