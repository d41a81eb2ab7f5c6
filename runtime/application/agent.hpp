// The frame of an agent or service: it says what it offers, and run() does the rest (registers with the broker, tells
// its parent that it is ready, receives requests one after the other, answers them).
//
//   int main() {
//       aios::application::Agent agent;
//       agent.offer({.intent = "time.tell", .description = "tells the time"}, [](auto& request) {
//           return aios::ipc::inform(request.intent, {{"ns", 5}});
//       });
//       return agent.run();
//   }
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/clients/broker.hpp"
#include "runtime/ipc/channel.hpp"
#include "runtime/kernel/startup.hpp"
#include "runtime/orchestration/graph.hpp"

namespace aios::application {

struct SlotType {
    std::string name;
    ipc::ValueType type;
};

// What an agent offers. Preconditions, effects and cost are for the planner; without effects the offer is not part of
// plans.
struct Offer {
    std::string intent;
    std::string description = {};
    std::vector<SlotType> inputs = {};
    std::vector<std::string> preconditions = {};
    std::vector<std::string> effects = {};
    double cost = 1;
    std::uint64_t capacity = 1;
};

// A handler's answer: an intent, and handles that go with it.
struct Reply {
    Reply(ipc::Intent answer) : intent(std::move(answer)) {}
    Reply(ipc::Intent answer, ipc::Grants handles) : intent(std::move(answer)), grants(std::move(handles)) {}
    ipc::Intent intent;
    ipc::Grants grants;
};
using Handler = std::function<Reply(ipc::Incoming& request)>;

using Wanted = messages::owned::IntentFind;
using clients::Found;

// Asks the broker. On refusal `why_not` (if given) gets the broker's sentence. A Peer serves one thread: threads that
// ask make their own.
Result<Found> find(ipc::Peer& broker, const Wanted& wanted, std::string* why_not = nullptr);

class Agent {
public:
    Agent(); // ends the program with a sentence where it was not started by AIOS

    // What the unit's setting `offers` does not name is refused by the broker, and then run() ends the agent.
    void offer(Offer offer, Handler handler);
    // A handler for intents that are not offered through the broker (services with a channel of their own).
    void serve(std::string intent, Handler handler);
    // Serve this channel instead of one of one's own: for services whose channel their parent made.
    void use_channel(Handle receive_side);

    // Registers the offers, tells the parent "ready", serves until nobody can send any more. Answers the exit status.
    int run();
    // The same in parts, for agents that do something else in between or beside it.
    Result<> announce();
    int serve_all();
    Result<> serve_one(std::uint64_t deadline);
    // Offers one more intent, after announce(). What the broker answers: missing_right if the unit may not.
    Result<> offer_now(Offer offer, Handler handler);

    // find() through the agent's own broker channel.
    Result<Found> find(const Wanted& wanted, std::string* why_not = nullptr);
    // All actions that agents offer for plans.
    Result<std::vector<orchestration::Action>> actions();
    // "ready", "done", "failed" or "progress" to the parent.
    void tell_parent(std::string_view kind, std::string_view text, bool is_ok = true);

    [[nodiscard]] Handle self() const { return handle(StartupRole::self); }
    [[nodiscard]] Handle handle(StartupRole role) const { return find_handle(*startup_, role); }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::uint64_t id() const { return id_; }

private:
    struct Served {
        std::string intent;
        Handler handler;
    };
    Result<> register_offer(const Offer& offer);
    void answer(ipc::Incoming& request);
    int end_with(Error error);
    const StartupBlock* startup_;
    std::string name_;
    std::uint64_t id_ = 0;
    std::optional<ipc::Peer> broker_;
    std::optional<ipc::Server> server_;
    std::vector<Offer> offers_;
    std::vector<Served> served_;
};

[[nodiscard]] std::uint64_t now_ns(); // monotonic

} // namespace aios::application
