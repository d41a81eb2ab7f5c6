// runner: the first agent of ./aios run-linux. It starts one Linux program in an agent of its own, which gets the job
// bundle as its root (folders.hpp), a temporary tree that it pays and three Streams and nothing else, passes its output and
// input on, tells the host what it changed and how it ended, and powers the node off. A native program without a C library.
#include "messages/view.hpp"
#include "runtime/kernel/console.hpp"
#include "services/runner/folders.hpp"
#include "services/runner/relay.hpp"

namespace aios::runner {
namespace {

constexpr std::uint64_t kOwnMemory = 8 << 20, kOwnThreads = 8;
constexpr std::uint64_t kMostHandles = 4096;
constexpr std::uint64_t kMostTold = 4; // times the node's memory, of changed files
enum Key : std::uint64_t { loaded, ended, output, errors };

// SAFETY: addresses cross the border as words.
std::uint64_t address_of(const void* place) { return reinterpret_cast<std::uint64_t>(place); }

// The name of the file, as far as it can be shown.
void set_name(SpawnRequest& request, Bytes path) {
    std::string_view name(reinterpret_cast<const char*>(path.data()), path.size()); // SAFETY: bytes as characters
    name.remove_prefix(name.rfind('/') + 1);
    for (std::size_t i = 0; i < name.size() && i + 1 < sizeof(request.name); ++i)
        request.name[i] = name[i] >= 0x20 && name[i] <= 0x7e ? name[i] : '?';
}

class Runner {
public:
    explicit Runner(const StartupBlock& startup)
        : startup_(startup), self_(find_handle(startup, StartupRole::self)),
          host_(find_handle(startup, StartupRole::host_port)) {}

    // What came of the program; an error if it could not be started.
    Result<AgentInfo> run() {
        const Bytes text = TRY(description());
        const auto what = TRY(messages::decode<messages::view::ProgramRun>(text));
        queue_ = TRY(owned(sys::queue_create(self_)));
        Ends in = TRY(make_stream(self_)), out = TRY(make_stream(self_)), err = TRY(make_stream(self_));
        constexpr std::uint64_t kLevels = kSignalReadable | kSignalClosed | kModeEdge;
        TRY(sys::event_register(queue_.get(), out.reader.get(), kLevels, output));
        TRY(sys::event_register(queue_.get(), err.reader.get(), kLevels, errors));
        limit_ = what.limit_ns == 0 ? kNoDeadline : what.limit_ns;
        child_ = TRY(start(what, in.reader.get(), out.writer.get(), err.writer.get()));
        in.reader.reset(); // the program alone has these
        out.writer.reset();
        err.writer.reset();
        if (what.input) {
            input_.host = host_;
            input_.child = child_.get();
            input_.cut = &cut_;
            input_.heads = what.terminal.empty() ? Heads::dropped : Heads::passed_on;
            input_.writer = std::move(in.writer);
            TRY(start_input(self_, input_));
        }
        in.writer.reset();
        TRY(sys::event_register(queue_.get(), child_.get(), kSignalEnded, ended));
        follow(out.reader.get(), err.reader.get());
        AgentInfo info{};
        TRY(sys::agent_info(child_.get(), &info));
        return info;
    }

    void tell(const Result<AgentInfo>& end) const {
        messages::view::ProgramEnd message{};
        if (end) {
            message.reason = end->end_reason;
            message.status = end->end_status;
            message.memory_peak_bytes = end->memory_peak_bytes;
            const bool is_killed = end->end_reason == static_cast<std::uint32_t>(EndReason::killed);
            message.cut = is_killed ? static_cast<std::uint64_t>(cut_.why()) : 0;
            message.lost = lost_ ? 0 : static_cast<std::uint64_t>(lost_.error());
        } else {
            message.error = static_cast<std::uint64_t>(end.error());
        }
        std::byte room[128];
        const auto encoded = messages::encode(room, message);
        if (encoded) (void)sys::host_send(host_, encoded->data(), encoded->size());
    }

private:
    Result<Bytes> description() {
        constexpr std::string_view kPath = "etc/program.cbor";
        const Handle bundle = find_handle(startup_, StartupRole::bundle);
        file_ = TRY(owned(sys::tree_open(bundle, kPath.data(), kPath.size())));
        HandleInfo info{};
        TRY(sys::handle_info(file_.get(), &info));
        const MapRequest request{0, info.size, 0, kProtectRead};
        const std::uint64_t at = TRY(sys::memory_map(file_.get(), &request));
        return Bytes(reinterpret_cast<const std::byte*>(at), info.size); // SAFETY: mapped as long as file_
    }

    // Everything but what this program needs for itself is the child's.
    Result<OwnedHandle> start(const messages::view::ProgramRun& what, Handle in, Handle out, Handle err) {
        AgentInfo own{};
        TRY(sys::agent_info(self_, &own));
        own_memory_ = own.quota.memory_bytes;
        const auto grant = [](Handle handle, Rights rights, StartupRole role) {
            return HandleGrant{handle, rights.bits(), static_cast<std::uint32_t>(role)};
        };
        const HandleGrant grants[] = {
            grant(in, rights::read, StartupRole::input),
            grant(out, rights::write, StartupRole::output),
            grant(err, rights::write, StartupRole::error_output),
        };
        TRY(folders_.set_up(what, find_handle(startup_, StartupRole::job)));
        SpawnRequest request{};
        folders_.mount_in(request);
        const bool has_terminal = !what.terminal.empty();
        const Bytes path = has_terminal ? what.terminal : what.path;
        request.tree = find_handle(startup_, has_terminal ? StartupRole::bundle : StartupRole::job);
        request.path = address_of(path.data());
        request.path_bytes = path.size();
        request.arguments = address_of(what.arguments.data());
        request.argument_bytes = what.arguments.size();
        request.environment = address_of(what.environment.data());
        request.environment_bytes = what.environment.size();
        request.directory = address_of(what.directory.data());
        request.directory_bytes = what.directory.size();
        request.handles = address_of(grants);
        request.handle_count = std::size(grants);
        request.personality = static_cast<std::uint32_t>(PersonalityKind::linux_abi);
        request.flags = kSpawnTemporary | (what.jit ? kSpawnJit : 0);
        request.cpu_weight = 100;
        request.quota = {own.quota.memory_bytes - own.memory_bytes - kOwnMemory, kMostHandles,
                         own.quota.threads - kOwnThreads, 0};
        set_name(request, what.path);
        const OwnedHandle started = TRY(owned(sys::agent_spawn(self_, &request)));
        folders_.take_shown();
        TRY(sys::event_register(queue_.get(), started.get(), kSignalDone, loaded));
        AsyncResult result{};
        while (!sys::get_async_result(started.get(), &result)) {
            EventPacket packet{};
            TRY(sys::event_wait(queue_.get(), &packet, 1, kNoDeadline));
        }
        if (result.error != 0) return fail(static_cast<Error>(result.error));
        return OwnedHandle(result.value);
    }

    // Until the program has ended, and its output and its changes are told to the end. When both streams have ended nothing of
    // it runs any more; it has ended as a whole when what it paid for is given back, the folders too.
    void follow(Handle out, Handle err) {
        bool has_ended = false, are_told = false;
        Relayed one = Relayed::nothing, two = Relayed::nothing;
        for (;;) {
            cut_late();
            // In turns, so that a program that never stops writing to one is heard on the other.
            if (one != Relayed::end) one = relay_output(host_, out, 1);
            if (two != Relayed::end) two = relay_output(host_, err, 2);
            if (one == Relayed::piece || two == Relayed::piece) continue;
            if (one == Relayed::end && two == Relayed::end && !std::exchange(are_told, true))
                lost_ = folders_.tell_changes(host_, kMostTold * own_memory_);
            if (has_ended && are_told) return;
            EventPacket packets[4];
            const auto count = sys::event_wait(queue_.get(), packets, std::size(packets), limit_);
            for (std::uint64_t i = 0; count && i < *count; ++i)
                has_ended = has_ended || packets[i].key == ended;
        }
    }

    // At the time limit, whatever the program does. What it changed is told as at any end.
    void cut_late() {
        if (limit_ == kNoDeadline) return;
        const auto now = sys::clock_read(static_cast<std::uint64_t>(Clock::monotonic));
        if (!now || *now < limit_) return;
        limit_ = kNoDeadline;
        cut_.cut(child_.get(), ProgramCut::out_of_time);
    }

    const StartupBlock& startup_;
    const Handle self_, host_;
    OwnedHandle queue_, child_, file_;
    Cut cut_;
    Input input_;
    std::uint64_t limit_ = kNoDeadline; // on the monotonic clock
    Folders folders_;
    std::uint64_t own_memory_ = 0; // bytes
    Result<> lost_;                // why changes were not told
};

} // namespace
} // namespace aios::runner

int aios_main(const aios::StartupBlock& startup) {
    using namespace aios;
    console_handle = find_handle(startup, StartupRole::console);
    runner::Runner runner(startup);
    const Result<AgentInfo> end = runner.run();
    runner.tell(end);
    (void)sys::node_power(find_handle(startup, StartupRole::power), static_cast<std::uint64_t>(PowerAction::off), 0);
    return 0;
}
