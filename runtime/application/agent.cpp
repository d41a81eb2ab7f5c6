#include "runtime/application/agent.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "runtime/kernel/parent.hpp"

namespace aios::application {
namespace {

// Room for requests that wait. A message may be as large as the kernel takes.
constexpr std::uint64_t kQueueMessages = 64, kQueueBytes = 256 * 1024;

std::vector<clients::SlotType> slot_types(const std::vector<SlotType>& slots) {
    std::vector<clients::SlotType> types;
    for (const SlotType& slot : slots)
        types.push_back({slot.name, static_cast<std::uint64_t>(slot.type)});
    return types;
}

// For scenarios that look at what others do when an agent crashes: --crash-after=N crashes at the Nth request that it
// answers or puts to the broker, --crash-always also after a restart (--start=K says which start this is). Glibc hands
// the arguments to constructors, so that no agent has to pass them on.
std::uint64_t crash_after = 0;
std::atomic<std::uint64_t> requests = 0;
void count_request() {
    if (++requests != crash_after) return;
    std::printf("crashes at request %llu, as it was told\n", static_cast<unsigned long long>(crash_after));
    std::abort();
}

// What an agent prints leaves it line by line, so that an agent that is killed takes no line with it.
[[gnu::constructor]] void print_by_the_line() { static_cast<void>(std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ)); }

[[gnu::constructor]] void read_arguments(int count, char** arguments, char**) {
    constexpr std::string_view kCrash = "--crash-after=";
    bool is_restart = false, always = false;
    for (int i = 1; i < count; ++i) {
        const std::string_view argument = arguments[i];
        if (argument.starts_with(kCrash)) crash_after = std::strtoull(arguments[i] + kCrash.size(), nullptr, 10);
        if (argument.starts_with("--start=")) is_restart = argument != "--start=1";
        if (argument == "--crash-always") always = true;
    }
    if (is_restart && !always) crash_after = 0;
}

} // namespace

std::uint64_t now_ns() { return sys::clock_read(static_cast<std::uint64_t>(Clock::monotonic)).value_or(0); }

Agent::Agent() : startup_(startup_block()) {
    if (startup_ == nullptr) {
        std::fputs("this program is an AIOS agent: it runs inside AIOS, started by its supervisor\n", stderr);
        std::exit(2);
    }
    AgentInfo info{};
    if (sys::agent_info(self(), &info)) {
        name_.assign(info.name, strnlen(info.name, sizeof(info.name)));
        id_ = info.id;
    }
    if (const Handle broker = handle(StartupRole::broker); broker != kNoHandle) {
        broker_.emplace(OwnedHandle(broker)); // lives as long as the program
    }
}

void Agent::offer(Offer offer, Handler handler) {
    serve(offer.intent, std::move(handler));
    offers_.push_back(std::move(offer));
}

void Agent::serve(std::string intent, Handler handler) { served_.push_back({std::move(intent), std::move(handler)}); }

void Agent::use_channel(Handle receive_side) { server_.emplace(OwnedHandle(receive_side)); }

Result<> Agent::register_offer(const Offer& offer) {
    if (!broker_) return fail(Error::not_found);
    const clients::IntentOffer offered{
        .action = {offer.intent, offer.preconditions, offer.effects, offer.cost},
        .inputs = slot_types(offer.inputs),
        .intent = offer.intent,
        .capacity = offer.capacity,
        .description = offer.description,
    };
    std::string why_not;
    const auto taken = clients::offer(*broker_, offered, server_->sender_grant(), &why_not);
    if (!taken && !why_not.empty())
        std::fprintf(stderr, "%s: the broker refused the offer of %s: %s\n", name_.c_str(), offer.intent.c_str(),
                     why_not.c_str());
    return taken;
}

Result<> Agent::announce() {
    if (!server_) server_.emplace(TRY(ipc::Server::create(self(), kQueueMessages, kQueueBytes)));
    for (const Offer& offer : offers_) {
        TRY(register_offer(offer));
    }
    tell_parent("ready", name_);
    return {};
}

void Agent::answer(ipc::Incoming& request) {
    count_request();
    const auto served = std::ranges::find(served_, request.intent.name, &Served::intent);
    Reply reply =
        served == served_.end()
            ? Reply(ipc::refuse(request.intent, Error::not_found, name_ + " does not offer " + request.intent.name))
            : served->handler(request);
    if (request.reply_to != 0) {
        (void)server_->reply(request.reply_to, reply.intent, reply.grants); // the caller may be gone
    } else if (const auto wanted = std::ranges::find(request.handles, kRoleAnswer, &ipc::ReceivedHandle::role);
               wanted != request.handles.end()) {
        (void)ipc::send_answer(wanted->handle.get(), reply.intent, reply.grants); // the same
    }
}

Result<> Agent::serve_one(std::uint64_t deadline) {
    ipc::Incoming request = TRY(server_->next(deadline));
    answer(request);
    return {};
}

Result<> Agent::offer_now(Offer offer, Handler handler) {
    serve(offer.intent, std::move(handler));
    return register_offer(offer);
}

int Agent::run() {
    if (const auto announced = announce(); !announced) return end_with(announced.error());
    return serve_all();
}

int Agent::serve_all() {
    Result<> served;
    while (served || served.error() == Error::interrupted) {
        served = serve_one(kNoDeadline);
    }
    return end_with(served.error());
}

int Agent::end_with(Error error) {
    if (error == Error::peer_closed) return 0;
    const std::string_view sentence = error_info(error).sentence;
    std::fprintf(stderr, "%s: ends: %.*s\n", name_.c_str(), static_cast<int>(sentence.size()), sentence.data());
    return 1;
}

Result<Found> Agent::find(const Wanted& wanted, std::string* why_not) {
    if (!broker_) return fail(Error::not_found);
    return application::find(*broker_, wanted, why_not);
}

Result<Found> find(ipc::Peer& broker, const Wanted& wanted, std::string* why_not) {
    count_request();
    return clients::find(broker, wanted, why_not);
}

Result<std::vector<orchestration::Action>> Agent::actions() {
    if (!broker_) return fail(Error::not_found);
    std::vector<orchestration::Action> actions = TRY(clients::list_actions(*broker_));
    for (const orchestration::Action& action : actions)
        TRY(orchestration::check_action(action));
    return actions;
}

void Agent::tell_parent(std::string_view kind, std::string_view text, bool is_ok) {
    const Handle parent = handle(StartupRole::parent);
    if (parent != kNoHandle) aios::tell_parent(parent, {.type = kind, .text = text, .ok = is_ok});
}

} // namespace aios::application
