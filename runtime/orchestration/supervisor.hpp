// Supervisor: starts the units of a description in the order of their needs, in parallel where it can; gives each only
// its grants; lets identityd name it; waits for ready messages; restarts by policy; and at the end stops them in
// reverse order. initd supervises the services with it and agentsupervisor the crew. No C library is needed; one
// thread.
//
// Everything comes through one event queue: a finished spawn, a message of a unit to its parent, the end of a unit. The
// run is over when a unit says "done" or "failed", or when a unit has failed for good.
#pragma once

#include "crypto/sha2.hpp"
#include "runtime/kernel/console.hpp"
#include "runtime/orchestration/units.hpp"

namespace aios::orchestration {

using orchestration::kMaxUnits;
using orchestration::SystemDescription;
using orchestration::Unit;
using orchestration::UnitStates;

inline constexpr std::uint64_t kStatusWell = 0x10; // exit codes of the node, see docs/design/boot.md
inline constexpr std::uint64_t kStatusFailed = 0x11;
inline constexpr std::uint64_t kStopPatience = 2'000'000'000; // ns until a killed unit is left behind

constexpr std::uint32_t number_of(StartupRole role) { return static_cast<std::uint32_t>(role); }

struct UnitHandles {
    OwnedHandle operation; // spawn under way
    OwnedHandle agent;
    OwnedHandle parent;       // receive side of the unit's channel to us
    bool stop_wanted = false; // killed for a restart
    std::uint32_t failed_starts = 0;
};

// Events carry which unit and what.
enum class EventKind : std::uint64_t { spawned = 1, message = 2, ended = 3 };
constexpr std::uint64_t event_key(EventKind kind, std::size_t unit) {
    return static_cast<std::uint64_t>(kind) << 32 | unit;
}

// Where the handles come from that units are granted.
class HandleSource {
public:
    // The handle from which a grant of that role derives; not_found if there is none.
    virtual Result<Handle> handle_for(std::uint32_t role) = 0;
    // The description was read; what it asks for beyond units (a region) can be made.
    virtual Result<> prepare(const SystemDescription& description) = 0;

protected:
    ~HandleSource() = default;
};

class Supervisor {
public:
    // `name` is for messages, `path` the description in the bundle. All must outlive the supervisor.
    Supervisor(const StartupBlock& startup, std::string_view name, std::string_view path, HandleSource& source)
        : startup_(startup), name_(name), path_(path), source_(source), states_(description_) {}

    struct End {
        bool is_ok;
        std::string_view text; // a sentence, valid as long as the supervisor
    };
    End run();

private:
    // supervisor_start.cpp
    Result<> prepare(); // queue, description, region
    Result<> start_unit(std::size_t unit);
    Result<> spawned(std::size_t unit); // the operation is done
    [[nodiscard]] bool awaits_identity(const Unit& unit);
    // supervisor_identity.cpp
    Result<> register_identity(std::size_t unit);
    // supervisor.cpp
    void start_what_can();
    void try_again(std::size_t unit, Error error);
    void handle(const EventPacket& packet);
    void read_messages(std::size_t unit);
    void read_message(std::size_t unit, Bytes bytes);
    void ended(std::size_t unit);
    void stop_all();
    void fail_with(std::string_view what, std::string_view unit, Error error);
    template <typename... Args>
    void finish(bool is_ok, FormatString<std::type_identity_t<Args>...> format, const Args&... args) {
        if (!finished_) sentence_ = format_to(text_, format, args...); // the first reason counts
        is_ok_ = is_ok_ && is_ok;
        finished_ = true;
    }

    [[nodiscard]] Handle self() const { return find_handle(startup_, StartupRole::self); }
    [[nodiscard]] std::string_view name_of(std::size_t unit) const { return description_.units[unit].name; }

    const StartupBlock& startup_;
    std::string_view name_, path_;
    HandleSource& source_;
    SystemDescription description_;
    UnitStates states_;
    UnitHandles units_[kMaxUnits];
    std::uint32_t starts_[kMaxUnits]{}; // of each unit so far; the program is told (--start=N)
    crypto::Sha256::Digest manifest_{}; // of the system description
    OwnedHandle queue_;
    OwnedHandle description_file_; // its mapping lasts as long as it does
    bool finished_ = false;
    bool is_ok_ = true;
    char text_[256];
    std::string_view sentence_;
    std::byte message_[kMaxMessageBytes];
};

} // namespace aios::orchestration
