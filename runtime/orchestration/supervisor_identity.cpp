// Asks identityd to give a new unit its identity: a message with the intent identity.register (abi/messages.cddl), a
// handle on the agent, and a handle on a channel for the answer. Nobody waits: identityd may be the very unit that has
// to be restarted.
//
//  (1) The channel is made, and its receive side, which stays here, is watched for an answer and for its end.
//  (2) Its send side goes with the message. Then the handle with both sides is closed: from here on the only sender is
//      whoever holds the message, first the queue of identityd, then identityd.
//  (3) An answer comes; or identityd ends with the message in its hands and the channel closes: then the next identityd
//      is asked, who tells the same of an agent that is registered already. A message that nobody took stays in
//      identityd's queue, which outlives it.
#include "messages/view.hpp"
#include "runtime/orchestration/supervisor.hpp"

namespace aios::orchestration {
namespace {

constexpr auto kRequest = static_cast<std::uint64_t>(messages::Performative::request);
constexpr auto kInform = static_cast<std::uint64_t>(messages::Performative::inform);
constexpr std::uint64_t kAnswerBytes = 4096;

} // namespace

Result<> Supervisor::ask_for_identity(std::size_t index) {
    const Unit& unit = description_.units[index];
    UnitHandles& handles = units_[index];
    std::byte slots_buffer[3968], buffer[4096];
    const Bytes slots = TRY(messages::encode(
        slots_buffer, messages::view::IdentityRegister{.offers = std::span(unit.offers.data(), unit.offers.size()),
                                                       .manifest = manifest_}));
    messages::view::IntentMessage intent{.performative = kRequest,
                                         .name = messages::IntentOf<messages::view::IdentityRegister>::kName,
                                         .conversation = index,
                                         .reply_by = kNoDeadline,
                                         .trace = 0,
                                         .slots = {},
                                         .error = {},
                                         .reason = {}};
    intent.slots.item = slots;
    const Bytes encoded = TRY(messages::encode(buffer, intent));

    const OwnedHandle both = TRY(owned(sys::channel_create(self(), 1, kAnswerBytes)));
    handles.answer = TRY(derive(both.get(), rights::receive | rights::wait));
    TRY(sys::event_register(queue_.get(), handles.answer.get(), kSignalReadable | kSignalClosed,
                            event_key(EventKind::identified, index)));
    const HandleGrant grants[] = {
        {handles.agent.get(), (rights::identify | rights::inspect | rights::wait).bits(), 0},
        {both.get(), rights::send.bits(), kRoleAnswer},
    };
    Message request{};
    request.bytes = reinterpret_cast<std::uint64_t>(encoded.data()); // SAFETY: for the kernel
    request.size = encoded.size();
    request.handles = reinterpret_cast<std::uint64_t>(grants); // SAFETY: for the kernel
    request.handle_count = std::size(grants);
    const Handle identityd = TRY(source_.handle_for(number_of(StartupRole::identity)));
    const auto sent = sys::ipc_send(identityd, &request);
    const std::uint64_t now = now_ns();
    if (handles.asked_since_ns == kNoDeadline) handles.asked_since_ns = now;
    if (!sent && sent.error() == Error::would_block) { // a full queue: again in a moment
        close_answer(index);
        handles.answer_due_ns = now + kStartPause;
        return {};
    }
    handles.answer_due_ns = handles.asked_since_ns + kIdentityPatience;
    return sent ? Result<>() : fail(sent.error());
}

void Supervisor::close_answer(std::size_t unit) {
    if (units_[unit].answer) (void)sys::event_cancel(queue_.get(), event_key(EventKind::identified, unit));
    units_[unit].answer.reset();
    units_[unit].answer_due_ns = kNoDeadline;
}

Result<> Supervisor::identified(std::size_t unit) {
    UnitHandles& handles = units_[unit];
    if (!handles.answer || handles.stop_wanted) return {}; // an old packet, or nobody cares any more
    Message answer{};
    answer.bytes = reinterpret_cast<std::uint64_t>(message_); // SAFETY: for the kernel
    answer.size = sizeof(message_);
    HandleGrant dropped[kMaxMessageHandles];
    answer.handles = reinterpret_cast<std::uint64_t>(dropped); // SAFETY: for the kernel
    answer.handle_count = kMaxMessageHandles;
    const auto received = sys::ipc_recv(handles.answer.get(), &answer);
    if (!received && received.error() == Error::would_block) return {};
    close_answer(unit);
    if (received) {
        for (std::uint64_t i = 0; i < answer.handle_count; ++i) {
            (void)sys::handle_close(dropped[i].handle); // nobody sends us handles
        }
        const auto told = TRY(messages::decode<messages::view::IntentMessage>(Bytes(message_, answer.size)));
        if (told.performative != kInform) return fail(Error::bad_state);
        may_run(unit);
        return {};
    }
    return ask_for_identity(unit);
}

std::uint64_t Supervisor::next_due() const {
    std::uint64_t next = kNoDeadline;
    for (const UnitHandles& handles : units_) {
        next = handles.answer_due_ns < next ? handles.answer_due_ns : next;
        next = handles.ready_due_ns < next ? handles.ready_due_ns : next;
    }
    return next;
}

void Supervisor::give_up_late_answers() {
    const std::uint64_t now = now_ns();
    for (std::size_t unit = 0; unit < units_.size(); ++unit) {
        UnitHandles& handles = units_[unit];
        if (handles.answer_due_ns > now) continue;
        const bool may_ask_again = !handles.answer && now - handles.asked_since_ns < kIdentityPatience;
        handles.answer_due_ns = kNoDeadline;
        const auto asked = may_ask_again ? ask_for_identity(unit) : fail(Error::timed_out);
        if (!asked) not_started(unit, asked.error());
    }
}

} // namespace aios::orchestration
