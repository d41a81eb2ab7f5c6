// Agents nested as deep as it goes. The deepest registers the director's channel in the director's queue, so that
// something of it stays behind in a queue that is not its own when the whole chain dies at once.
//
// Handles do not go down the chain from parent to child, which would end at the depth of derivations: the first of the
// chain hands each its set by a message.
#include "tests/hostile/attack.hpp"

using namespace hostile;

namespace {

constexpr auto kReportRole = static_cast<StartupRole>(110); // channel: send to the first of the chain
constexpr auto kInboxRole = static_cast<StartupRole>(111);  // channel: what the first of the chain hands out
constexpr std::uint64_t kMemoryEach = 200 << 10;
constexpr std::uint64_t kHandlesEach = 40;
constexpr unsigned kSet = 4; // handles of a set, at most

enum class Report : char { next, deepest };

const HandleGrant kNothing{};

void send(Handle channel, Report what, const HandleGrant* handles, unsigned count) {
    Message message{};
    message.bytes = address_of(&what);
    message.size = 1;
    message.handles = address_of(handles);
    message.handle_count = count;
    while (!sys::ipc_send(channel, &message))
        (void)wait_for(channel, kSignalWritable);
}

// Waits for a message and takes its handles.
Report receive(Handle channel, HandleGrant* handles) {
    Report what{};
    Message message{};
    do {
        (void)wait_for(channel, kSignalReadable, 1000);
        message.bytes = address_of(&what);
        message.size = 1;
        message.handles = address_of(handles);
        message.handle_count = kSet;
    } while (!sys::ipc_recv(channel, &message));
    return what;
}

// The next of the chain, with all of this one's quota but a little.
bool spawn_next(Handle bundle, Handle inbox, Handle reports, Handle board) {
    const HandleGrant grants[] = {grant(inbox, rights::receive | rights::wait, kInboxRole),
                                  grant(reports, rights::send | rights::wait, kReportRole),
                                  grant(board, rights::read | rights::write | rights::map, kBoardRole)};
    const AgentInfo own = info_of(self);
    if (own.quota.memory_bytes < own.memory_bytes + 2 * kMemoryEach || own.quota.agents == 0) return false;
    SpawnOptions options;
    options.quota = {own.quota.memory_bytes - own.memory_bytes - kMemoryEach, own.quota.handles - kHandlesEach,
                     own.quota.threads - 2, own.quota.agents - 1};
    options.handles = grants;
    options.handle_count = 3;
    SpawnRequest request = make_request("bin/chain", options);
    request.tree = bundle;
    auto child = finish_spawn(sys::agent_spawn(self, &request));
    return child && child->leak() != kNoHandle;
}

// The first: hands every link its set, until one says that it is the deepest.
void lead(const Attack& attack) {
    const Handle reports = *sys::channel_create(self, 4, 4096);
    Handle inbox = *sys::channel_create(self, 4, 4096);
    const Handle bundle = handle(StartupRole::bundle), board = handle(kBoardRole);
    if (!spawn_next(bundle, inbox, reports, board)) return;
    for (;;) {
        HandleGrant none[kSet];
        const bool deepest = receive(reports, none) == Report::deepest;
        attack.count();
        const Handle next_inbox = *sys::channel_create(self, 4, 4096);
        const HandleGrant set[] = {
            grant(bundle, rights::read | rights::execute | rights::derive | rights::transfer, StartupRole::bundle),
            grant(next_inbox, rights::receive | rights::wait | rights::derive | rights::transfer, kInboxRole),
            grant(reports, rights::send | rights::wait | rights::derive | rights::transfer, kReportRole),
            grant(board, rights::read | rights::write | rights::map | rights::derive | rights::transfer, kBoardRole)};
        const HandleGrant last[] = {grant(handle(kQueueRole), rights::write, kQueueRole),
                                    grant(handle(kSourceRole), rights::wait, kSourceRole)};
        send(inbox, Report::next, deepest ? last : set, deepest ? 2 : 4);
        if (deepest) return;
        (void)sys::handle_close(inbox);
        inbox = next_inbox;
    }
}

void follow() {
    const Handle reports = handle(kReportRole), inbox = handle(kInboxRole);
    HandleGrant set[kSet];
    send(reports, Report::next, &kNothing, 0);
    (void)receive(inbox, set);
    if (spawn_next(set[0].handle, set[1].handle, set[2].handle, set[3].handle)) return;
    // Nobody below: the set that comes into the next one's inbox, the director's queue and channel, is for this one.
    send(reports, Report::deepest, &kNothing, 0);
    (void)receive(Handle{set[1].handle}, set);
    (void)sys::event_register(set[0].handle, set[1].handle, kSignalReadable | kSignalClosed, 77);
}

} // namespace

int aios_main(const StartupBlock& block) {
    const Attack attack(block, "chain");
    if (find_handle(block, kReportRole) == kNoHandle)
        lead(attack);
    else
        follow();
    rest();
}
