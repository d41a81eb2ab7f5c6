// msgget, msgsnd, msgrcv, msgctl. User memory is copied before a message is put in and after it was taken out, with no lock.
#include <algorithm>

#include "personality/linux/message_queue.hpp"

namespace aios::linux_abi {
namespace {

using Guard = SystemVSpace::Lock::Guard;
constexpr std::uint32_t kNoError = 010000, kExcept = 020000, kCopy = 040000; // MSG_...
constexpr std::int32_t kStatAt = 11, kInfo = 12, kStatAny = 13;              // MSG_STAT, MSG_INFO, MSG_STAT_ANY

SystemVSpace& space_of(Call& call) { return *call.process.family().system_v; }

std::expected<Ref<MessageQueue>, Errno> queue_for(Call& call, std::int32_t id, std::uint32_t wanted) {
    const Identity who = identity_of(call.process);
    SystemVSpace& space = space_of(call);
    Guard guard(space.mutex);
    MessageQueue* const queue = LINUX_TRY(space.queues.find(id));
    if (!queue->admits(who, wanted)) return std::unexpected(kAccess);
    return Ref<MessageQueue>::share(*queue);
}

std::expected<mm::Owned<QueuedMessage>, Errno> fetch(Call& call, std::uint64_t address, std::uint64_t bytes) {
    const auto type = LINUX_TRY(UserIn<std::int64_t>(address).read());
    if (type < 1) return std::unexpected(kInvalid);
    Payer& payer = call.process.quota();
    auto charge = LINUX_TRY(Reservation::make(payer, Resource::memory, mm::cost_of<QueuedMessage>));
    auto text = LINUX_TRY(mm::OwnedBytes::make(payer, bytes));
    LINUX_TRY(UserIn<std::byte>(address + sizeof(type)).read_array(0, text.data(), bytes));
    auto message = LINUX_TRY(mm::own<QueuedMessage>(std::move(text)));
    message->charge = std::move(charge);
    message->type = type;
    message->bytes = bytes;
    return message;
}

// Which message is wanted.
struct Wanted {
    std::int64_t type;
    std::uint32_t flags;
};
QueuedMessage* choose(MessageQueue& queue, const Wanted& wanted) {
    QueuedMessage* best = nullptr;
    std::int64_t index = 0;
    const std::int64_t most = wanted.type == INT64_MIN ? INT64_MAX : -wanted.type;
    for (QueuedMessage& message : queue.messages) {
        if ((wanted.flags & kCopy) != 0) {
            if (index++ == wanted.type) return &message;
        } else if (wanted.type == 0) {
            return &message;
        } else if (wanted.type > 0) {
            if ((message.type == wanted.type) != ((wanted.flags & kExcept) != 0)) return &message;
        } else if (message.type <= most && (best == nullptr || message.type < best->type)) {
            best = &message;
        }
    }
    return best;
}

// A wait of one of these calls is over: what it came to, or EINTR, which no handler restarts.
std::expected<void, Errno> outcome_of(Call& call, sched::Outcome outcome, Errno error) {
    if (outcome != sched::Outcome::ready) return interrupted_call(call, AfterHandler::ends);
    if (error != Errno{}) return std::unexpected(error);
    return {};
}

} // namespace

MessageQueue::~MessageQueue() {
    while (!messages.is_empty()) {
        QueuedMessage& message = *messages.begin();
        messages.remove(message);
        mm::destroy(&message);
    }
}

Outcome call_msgget(Call& call, std::int32_t key, std::uint32_t flags) {
    auto charge = Reservation::make(call.process.quota(), Resource::memory, mm::cost_of<MessageQueue>);
    auto made = [&]() -> std::expected<Ref<MessageQueue>, Errno> {
        if (!charge) return std::unexpected(kNoMemory);
        return Ref<MessageQueue>::adopt(LINUX_TRY(mm::make<MessageQueue>(std::move(*charge))));
    }();
    return get_ipc(call, space_of(call), &SystemVSpace::queues, key, flags, std::move(made),
                   [](const MessageQueue&) { return Errno{}; });
}

Outcome call_msgsnd(Call& call, std::int32_t id, std::uint64_t message_at, std::uint64_t bytes, std::uint32_t flags) {
    if (bytes > MessageQueue::kMostOfMessage || id < 0) return refuse(kInvalid);
    mm::Owned<QueuedMessage> message = LINUX_TRY(fetch(call, message_at, bytes));
    const Ref<MessageQueue> queue = LINUX_TRY(queue_for(call, id, kMayWrite));
    SystemVSpace& space = space_of(call);
    Errno error{};
    const auto is_over = [&] {
        Guard guard(space.mutex);
        error = queue->is_removed ? kIdRemoved : Errno{};
        if (queue->is_removed) return true;
        if (bytes > queue->most_bytes - std::min(queue->bytes, queue->most_bytes) || queue->count >= queue->most_bytes)
            return false;
        queue->messages.push_back(*message.release());
        queue->bytes += bytes;
        ++queue->count;
        queue->sender = call.process.pid();
        queue->sent = wall_seconds();
        return true;
    };
    if ((flags & kIpcNoWait) != 0) {
        if (!is_over()) return refuse(kAgain);
        if (error != Errno{}) return refuse(error);
    } else {
        LINUX_TRY(outcome_of(call, queue->writers.wait(sched::kNever, is_over), error));
    }
    queue->readers.wake_all(); // they look for different types
    return 0;
}

Outcome call_msgrcv(Call& call, std::int32_t id, std::uint64_t message_at, std::uint64_t room, std::int64_t type,
                    std::uint32_t flags) {
    if (id < 0 || static_cast<std::int64_t>(room) < 0) return refuse(kInvalid);
    if ((flags & kCopy) != 0 && ((flags & kExcept) != 0 || (flags & kIpcNoWait) == 0)) return refuse(kInvalid);
    const Ref<MessageQueue> queue = LINUX_TRY(queue_for(call, id, kMayRead));
    SystemVSpace& space = space_of(call);
    const bool copies = (flags & kCopy) != 0;
    mm::OwnedBytes copy;
    if (copies) copy = LINUX_TRY(mm::OwnedBytes::make(call.process.quota(), MessageQueue::kMostOfMessage));
    mm::Owned<QueuedMessage> taken;
    std::int64_t found_type = 0;
    std::uint64_t found_bytes = 0;
    Errno error{};
    const auto is_over = [&] {
        Guard guard(space.mutex);
        error = queue->is_removed ? kIdRemoved : Errno{};
        if (queue->is_removed) return true;
        QueuedMessage* const message = choose(*queue, {type, flags});
        if (message == nullptr) return false;
        if (message->bytes > room && (flags & kNoError) == 0) {
            error = kTooBig;
            return true;
        }
        found_type = message->type;
        found_bytes = message->bytes;
        if (copies) {
            std::copy_n(message->text.data(), found_bytes, copy.data());
            return true;
        }
        queue->messages.remove(*message);
        taken = mm::Owned<QueuedMessage>(message);
        queue->bytes -= found_bytes;
        --queue->count;
        queue->receiver = call.process.pid();
        queue->received = wall_seconds();
        return true;
    };
    if ((flags & kIpcNoWait) != 0) {
        if (!is_over()) return refuse(kNoMessage);
        if (error != Errno{}) return refuse(error);
    } else {
        LINUX_TRY(outcome_of(call, queue->readers.wait(sched::kNever, is_over), error));
    }
    if (taken) queue->writers.wake_all();
    const std::uint64_t told = std::min(found_bytes, room);
    LINUX_TRY(UserOut<std::int64_t>(message_at).write(found_type));
    const std::byte* const text = taken ? taken->text.data() : copy.data();
    LINUX_TRY(UserOut<std::byte>(message_at + sizeof(found_type)).write_array(0, text, told));
    return told;
}

namespace {

Outcome tell_limits(Call& call, std::int32_t command, std::uint64_t to) {
    struct Limits { // struct msginfo
        std::int32_t pool, map, most, most_bytes, queues, segment, headers;
        std::uint16_t segments, reserved;
    };
    Limits told{};
    SystemVSpace& space = space_of(call);
    std::uint64_t last = 0;
    {
        Guard guard(space.mutex);
        last = space.queues.last();
        if (command == kInfo) {
            for (std::size_t place = 0; place <= last; ++place) {
                const MessageQueue* const queue = space.queues.at(place);
                if (queue == nullptr) continue;
                ++told.pool;
                told.map += static_cast<std::int32_t>(queue->count);
                told.headers += static_cast<std::int32_t>(queue->bytes);
            }
        }
    }
    told.most = MessageQueue::kMostOfMessage;
    told.most_bytes = MessageQueue::kMostBytes;
    told.queues = IpcTable<MessageQueue>::kMost;
    told.segment = 16;
    told.segments = 0xffff;
    if (command == kIpcInfo) {
        told.pool = told.queues * told.most_bytes / 1024;
        told.map = told.headers = told.most_bytes;
    }
    LINUX_TRY(UserOut<Limits>(to).write(told));
    return last;
}

Outcome tell_state(Call& call, std::int32_t id, std::int32_t command, std::uint64_t to) {
    const Identity who = identity_of(call.process);
    SystemVSpace& space = space_of(call);
    MessageQueueState told{};
    std::uint64_t number = 0;
    {
        Guard guard(space.mutex);
        MessageQueue* const queue = LINUX_TRY(find_ipc(space.queues, id, command == kIpcStat ? By::number : By::place));
        if (command != kStatAny && !queue->admits(who, kMayRead)) return refuse(kAccess);
        told = {queue->permission, queue->sent,       queue->received, queue->changed,  queue->bytes,
                queue->count,      queue->most_bytes, queue->sender,   queue->receiver, {}};
        if (command != kIpcStat) number = static_cast<std::uint64_t>(queue->id);
    }
    LINUX_TRY(UserOut<MessageQueueState>(to).write(told));
    return number;
}

} // namespace

Outcome call_msgctl(Call& call, std::int32_t id, std::int32_t command, std::uint64_t argument) {
    SystemVSpace& space = space_of(call);
    if (id < 0 || command < 0) return refuse(kInvalid);
    switch (command) {
    case kIpcInfo:
    case kInfo:
        return tell_limits(call, command, argument);
    case kIpcStat:
    case kStatAt:
    case kStatAny:
        return tell_state(call, id, command, argument);
    case kIpcSet:
    case kIpcRemove:
        break;
    default:
        return refuse(kInvalid);
    }
    MessageQueueState wanted{};
    if (command == kIpcSet) wanted = LINUX_TRY(UserIn<MessageQueueState>(argument).read());
    const Identity who = identity_of(call.process);
    Ref<MessageQueue> queue;
    {
        Guard guard(space.mutex);
        MessageQueue* const found = LINUX_TRY(space.queues.find(id));
        if (!found->is_owned_by(who)) return refuse(kPerm);
        if (command == kIpcRemove) {
            queue = space.queues.remove(*found);
        } else {
            if (wanted.most_bytes > MessageQueue::kMostBytes && !who.has(Capability::resource)) return refuse(kPerm);
            queue = Ref<MessageQueue>::share(*found);
            queue->most_bytes = std::min(wanted.most_bytes, MessageQueue::kMostBytes);
            set_permission(*queue, wanted.permission);
        }
    }
    queue->readers.wake_all();
    queue->writers.wake_all();
    return 0;
}

} // namespace aios::linux_abi
