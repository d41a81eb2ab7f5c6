#include "tests/unit/orchestration/fake_kernel.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "messages/owned.hpp"

namespace aios::test {

struct Letter {
    std::vector<std::byte> bytes;
    std::vector<std::pair<std::shared_ptr<Object>, std::uint32_t>> handles; // object, role
};
struct Channel : Object {
    std::deque<Letter> letters;
    int senders = 0;
};
struct Queue : Object {};
struct Plain : Object {};
struct Operation : Object {
    std::shared_ptr<FakeAgent> agent;
    Error error{};
};

namespace {

FakeKernel* current = nullptr;

#define CALL(number, name, document_name, object, right, audit, restart, charge, arguments)                            \
    constexpr std::uint64_t k_##name = number;
#include "abi/calls.def"
#undef CALL

template <typename T>
T* pointer(std::uint64_t address) {
    return reinterpret_cast<T*>(address); // SAFETY: the caller's own address, as the stubs put it
}

std::int64_t refused(Error error) { return -static_cast<std::int64_t>(error); }

} // namespace

FakeKernel::FakeKernel(std::vector<std::byte> description) : description_(std::move(description)), before_(current) {
    current = this;
    auto identity = std::make_shared<Channel>();
    identity->senders = 1; // the supervisor's
    handles_[kIdentity] = {identity, ~0ull};
}

FakeKernel::~FakeKernel() { current = before_; }

StartupBlock FakeKernel::startup() const {
    StartupBlock block{};
    block.version = 1;
    block.count = 3;
    block.entries[0] = {kSelf, static_cast<std::uint32_t>(StartupRole::self), ~0u};
    block.entries[1] = {kBundle, static_cast<std::uint32_t>(StartupRole::bundle), ~0u};
    block.entries[2] = {kConsole, static_cast<std::uint32_t>(StartupRole::console), ~0u};
    return block;
}

Handle FakeKernel::hold(std::shared_ptr<Object> object, std::uint64_t rights) {
    if (auto channel = std::dynamic_pointer_cast<Channel>(object); channel && (rights & rights::send.bits()) != 0)
        add_sender(channel, 1);
    handles_[next_handle_] = {std::move(object), rights};
    return next_handle_++;
}

void FakeKernel::close(Handle handle) {
    const auto found = handles_.find(handle);
    if (found == handles_.end()) throw std::logic_error("a handle that is not open is closed");
    const Held held = found->second;
    handles_.erase(found);
    std::erase_if(registrations_, [&](const auto& each) { return each.second.through == handle; });
    if (auto channel = std::dynamic_pointer_cast<Channel>(held.object);
        channel && (held.rights & rights::send.bits()) != 0)
        add_sender(channel, -1);
}

template <typename T>
std::shared_ptr<T> FakeKernel::find(Handle handle) {
    const auto found = handles_.find(handle);
    auto object = found == handles_.end() ? nullptr : std::dynamic_pointer_cast<T>(found->second.object);
    if (object == nullptr) throw std::logic_error("a call on a handle that is not open, or of another type");
    return object;
}

void FakeKernel::add_sender(const std::shared_ptr<Channel>& channel, int change) {
    channel->senders += change;
    if (channel->senders == 0) set_level(*channel, kSignalClosed);
}

void FakeKernel::set_level(Object& object, std::uint64_t signals) {
    object.level |= signals;
    for (auto& [key, registration] : registrations_) {
        if (registration.object.get() == &object) registration.pending |= signals & registration.signals;
    }
}

void FakeKernel::at(std::uint64_t time_ns, std::function<void()> what) {
    later_.push({time_ns, order_++, std::move(what)});
}

std::shared_ptr<FakeAgent> FakeKernel::newest(const std::string& name) const {
    for (auto agent = agents_.rbegin(); agent != agents_.rend(); ++agent) {
        if ((*agent)->name == name) return *agent;
    }
    return nullptr;
}

std::size_t FakeKernel::living() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(agents_, [](const auto& agent) { return agent->is_alive(); }));
}

std::uint64_t FakeKernel::refused_starts(const std::string& name) const {
    const auto found = refused_.find(name);
    return found == refused_.end() ? 0 : found->second;
}

// --- agents

std::int64_t FakeKernel::spawn(const SpawnRequest& request) {
    const std::string name(request.name, strnlen(request.name, sizeof(request.name)));
    if (on_spawn) on_spawn(name);
    if (const auto before = newest(name); before && before->is_alive())
        throw std::logic_error("a second " + name + " while the first one lives");
    auto agent = std::make_shared<FakeAgent>();
    agent->name = name;
    agent->start = ++starts_[name];
    agent->script = script ? script(name, agent->start) : Script{};
    agent->memory = request.quota.memory_bytes;
    agent->tokens = request.quota.tokens;
    agent->may_hint = (request.flags & kSpawnWithoutHints) == 0;
    agent->awaits_identity = (request.flags & kSpawnAwaitIdentity) != 0;
    if (agent->script.spawn_error != Error{} || memory_limit - memory_used_ < agent->memory ||
        token_limit < agent->tokens) {
        ++refused_[name];
        trace_ += "refuse " + name + ", ";
        return refused(agent->script.spawn_error != Error{} ? agent->script.spawn_error : Error::quota_exceeded);
    }
    memory_used_ += agent->memory;
    const auto* grants = pointer<const HandleGrant>(request.handles);
    for (std::uint32_t i = 0; i < request.handle_count; ++i) {
        if (grants[i].role == static_cast<std::uint32_t>(StartupRole::parent))
            agent->parent = find<Channel>(grants[i].handle);
        if (grants[i].role == static_cast<std::uint32_t>(StartupRole::identity_server)) agent->is_identityd = true;
    }
    trace_ += "start " + name + ", ";
    agents_.push_back(agent);
    auto operation = std::make_shared<Operation>();
    operation->agent = agent;
    at(now_ + agent->script.load_ns, [this, operation] {
        FakeAgent& loading = *operation->agent;
        if (loading.script.load_error != Error{} || !loading.is_alive()) {
            ++refused_[loading.name];
            operation->error = loading.script.load_error != Error{} ? loading.script.load_error : Error::killed;
            end(operation->agent, EndReason::killed, 0);
        } else {
            loading.is_loaded = true;
        }
        set_level(*operation, kSignalDone);
        if (loading.is_alive() && !loading.awaits_identity) runs(operation->agent);
    });
    return static_cast<std::int64_t>(hold(operation, ~0ull));
}

void FakeKernel::runs(const std::shared_ptr<FakeAgent>& agent) {
    agent->state = AgentState::running;
    const Script& life = agent->script;
    if (life.ready_ns) {
        at(now_ + *life.ready_ns, [this, agent] {
            if (!agent->is_alive()) return;
            agent->said_ready = true;
            trace_ += "ready " + agent->name + ", ";
            say(agent, "ready");
            serve_identities();
        });
    }
    if (life.end_ns) {
        at(now_ + *life.end_ns, [this, agent] {
            if (!agent->is_alive()) return;
            if (!agent->script.last_words.empty()) say(agent, agent->script.last_words.c_str());
            end(agent, agent->script.end_reason, agent->script.end_status);
        });
    }
}

void FakeKernel::end(const std::shared_ptr<FakeAgent>& agent, EndReason reason, std::uint64_t status) {
    if (!agent->is_alive()) return;
    trace_ += (agent->kill_called ? "kill " : "end ") + agent->name + ", ";
    agent->state = AgentState::dead;
    agent->reason = reason;
    agent->status = status;
    agent->end_ns = now_;
    at(now_ + return_ns, [this, bytes = agent->memory] { memory_used_ -= bytes; });
    for (const auto& answer : agent->answers_in_hand) {
        add_sender(answer, -1);
    }
    agent->answers_in_hand.clear();
    if (agent->is_identityd) is_serving_ = false;
    set_level(*agent, kSignalEnded);
}

void FakeKernel::say(const std::shared_ptr<FakeAgent>& agent, const char* kind, bool is_ok) {
    auto bytes = messages::encode(messages::owned::UnitMessage{kind, agent->name + " says so", is_ok}).value();
    agent->parent->letters.push_back({std::move(bytes), {}});
    set_level(*agent->parent, kSignalReadable);
}

void FakeKernel::info(Handle handle, AgentInfo& out) {
    out = {};
    if (handle == kSelf) {
        out.quota.memory_bytes = memory_limit;
        out.quota.tokens = token_limit;
        out.memory_bytes = memory_used_;
        return;
    }
    const auto agent = find<FakeAgent>(handle);
    out.state = static_cast<std::uint32_t>(agent->state);
    out.end_reason = static_cast<std::uint32_t>(agent->reason);
    out.end_status = agent->status;
    out.memory_peak_bytes = agent->memory;
    out.quota.tokens = agent->tokens;
    out.used.tokens = agent->script.tokens;
}

// --- identityd

// Takes the next request when one waits and an identityd is there to take it.
void FakeKernel::serve_identities() {
    const auto channel = find<Channel>(kIdentity);
    const auto server = std::ranges::find_if(
        agents_, [](const auto& agent) { return agent->is_identityd && agent->is_alive() && agent->said_ready; });
    if (server == agents_.end() || is_serving_ || channel->letters.empty() || !identityd_answers) return;
    Letter letter = std::move(channel->letters.front());
    channel->letters.pop_front();
    is_serving_ = true;
    auto subject = std::dynamic_pointer_cast<FakeAgent>(letter.handles.at(0).first);
    auto answer = std::dynamic_pointer_cast<Channel>(letter.handles.at(1).first);
    if (letter.handles[1].second != kRoleAnswer) throw std::logic_error("a request without a way for its answer");
    (*server)->answers_in_hand.push_back(answer); // its sender was counted when the message was sent
    at(now_ + register_ns, [this, identityd = *server, subject, answer] {
        if (identityd->is_alive()) serve_identity(identityd, subject, answer);
    });
}

void FakeKernel::serve_identity(const std::shared_ptr<FakeAgent>& server, std::shared_ptr<FakeAgent> subject,
                                std::shared_ptr<Channel> answer) {
    const auto crash = identityd_crashes.find(++identity_requests_);
    const auto crashes_at = [&](CrashPhase phase) {
        return crash != identityd_crashes.end() && crash->second == phase;
    };
    if (crashes_at(CrashPhase::before_registering)) return end(server, EndReason::fault, 6);
    if (!identityd_refuses && subject->is_alive() && !subject->has_identity) {
        subject->has_identity = true;
        if (subject->is_loaded) runs(subject);
    }
    if (crashes_at(CrashPhase::before_answering)) return end(server, EndReason::fault, 6);
    messages::owned::IntentMessage told;
    told.performative =
        static_cast<std::uint64_t>(identityd_refuses ? messages::Performative::refuse : messages::Performative::inform);
    told.slots.item = messages::encode(messages::owned::NoSlots{}).value();
    std::vector<std::byte> bytes = messages::encode(told).value();
    answer->letters.push_back({std::move(bytes), {}});
    set_level(*answer, kSignalReadable);
    std::erase(server->answers_in_hand, answer);
    add_sender(answer, -1);
    if (crashes_at(CrashPhase::after_answering)) return end(server, EndReason::fault, 6);
    is_serving_ = false;
    serve_identities();
}

// --- channels and events

std::int64_t FakeKernel::send(Channel& channel, const Message& message) {
    if (channel.letters.size() >= identity_room) return refused(Error::would_block);
    Letter letter;
    const auto* bytes = pointer<const std::byte>(message.bytes);
    letter.bytes.assign(bytes, bytes + message.size);
    const auto* grants = pointer<const HandleGrant>(message.handles);
    for (std::uint64_t i = 0; i < message.handle_count; ++i) {
        auto object = find<Object>(grants[i].handle);
        if (auto sent = std::dynamic_pointer_cast<Channel>(object);
            sent && (grants[i].rights & rights::send.bits()) != 0)
            add_sender(sent, 1);
        letter.handles.emplace_back(std::move(object), grants[i].role);
    }
    channel.letters.push_back(std::move(letter));
    set_level(channel, kSignalReadable);
    serve_identities();
    return 0;
}

std::int64_t FakeKernel::receive(Channel& channel, Message& message) {
    if (channel.letters.empty()) return refused(channel.senders == 0 ? Error::peer_closed : Error::would_block);
    const Letter letter = std::move(channel.letters.front());
    channel.letters.pop_front();
    if (channel.letters.empty()) channel.level &= ~kSignalReadable;
    std::memcpy(pointer<std::byte>(message.bytes), letter.bytes.data(), letter.bytes.size());
    message.size = letter.bytes.size();
    message.handle_count = 0;
    return 0;
}

std::int64_t FakeKernel::wait(EventPacket* packets, std::uint64_t capacity, std::uint64_t deadline) {
    for (;;) {
        std::uint64_t count = 0;
        for (auto& [key, registration] : registrations_) {
            if (registration.pending == 0 || count == capacity) continue;
            packets[count++] = {key, registration.pending, 1};
            registration.pending = 0;
        }
        if (count != 0) return static_cast<std::int64_t>(count);
        const std::uint64_t next = later_.empty() ? ~0ull : later_.top().time;
        if (deadline <= next && deadline != kNoDeadline) {
            if (deadline > horizon_ns) throw Quiet();
            now_ = std::max(now_, deadline);
            return refused(Error::timed_out);
        }
        if (next > horizon_ns || later_.empty()) throw Quiet();
        const auto what = later_.top().what;
        now_ = next;
        later_.pop();
        what();
    }
}

std::int64_t FakeKernel::call(std::uint64_t number, const std::uint64_t (&a)[6]) {
    switch (number) {
    case k_clock_read:
        return static_cast<std::int64_t>(now_);
    case k_handle_close:
        close(a[0]);
        return 0;
    case k_handle_derive:
        return static_cast<std::int64_t>(hold(find<Object>(a[0]), a[1]));
    case k_handle_info: {
        const auto found = handles_.find(a[0]);
        const bool is_program = std::dynamic_pointer_cast<Plain>(found->second.object)->level != 0;
        *pointer<HandleInfo>(a[1]) = {};
        pointer<HandleInfo>(a[1])->size = is_program ? program_bytes : description_.size();
        return 0;
    }
    case k_agent_spawn:
        return spawn(*pointer<const SpawnRequest>(a[1]));
    case k_agent_supervisor_register: {
        auto agent = find<FakeAgent>(a[0]);
        registrations_[a[2]] = {agent, kSignalEnded, a[2], agent->level & kSignalEnded, a[0]};
        return 0;
    }
    case k_agent_hint:
        find<FakeAgent>(a[0])->hint = a[1];
        return 0;
    case k_agent_kill: {
        const auto agent = find<FakeAgent>(a[0]);
        agent->kill_called = true;
        at(now_ + kMs / 2, [this, agent] { end(agent, EndReason::killed, 0); });
        return 0;
    }
    case k_agent_info:
        info(a[0], *pointer<AgentInfo>(a[1]));
        return 0;
    case k_agent_mem_alloc:
        memory_.push_back(std::make_unique<std::byte[]>(a[1]));
        return reinterpret_cast<std::int64_t>(memory_.back().get()); // SAFETY: an address crosses as a word
    case k_memory_map:
        return reinterpret_cast<std::int64_t>(description_.data()); // SAFETY: the same
    case k_channel_create:
        return static_cast<std::int64_t>(hold(std::make_shared<Channel>(), ~0ull));
    case k_ipc_send:
        return send(*find<Channel>(a[0]), *pointer<const Message>(a[1]));
    case k_ipc_recv:
        return receive(*find<Channel>(a[0]), *pointer<Message>(a[1]));
    case k_queue_create:
        return static_cast<std::int64_t>(hold(std::make_shared<Queue>(), ~0ull));
    case k_event_register: {
        auto object = find<Object>(a[1]);
        registrations_[a[3]] = {object, a[2], a[3], object->level & a[2], a[1]};
        return 0;
    }
    case k_event_cancel:
        return registrations_.erase(a[1]) != 0 ? 0 : refused(Error::not_found);
    case k_event_wait:
        return wait(pointer<EventPacket>(a[1]), a[2], a[3]);
    case k_get_async_result: {
        const auto operation = find<Operation>(a[0]);
        auto* out = pointer<AsyncResult>(a[1]);
        *out = {};
        out->error = static_cast<std::uint64_t>(operation->error);
        if (operation->error == Error{}) out->value = hold(operation->agent, ~0ull);
        return 0;
    }
    case k_console_write:
        console_.append(pointer<const char>(a[1]), a[2]);
        return 0;
    case k_tree_open: {
        const std::string_view path(pointer<const char>(a[1]), a[2]);
        auto file = std::make_shared<Plain>();
        file->level = path.starts_with("bin/") ? 1 : 0;
        return static_cast<std::int64_t>(hold(file, ~0ull));
    }
    default: // ipc_call among them: a supervisor must not wait in anybody
        throw std::logic_error("a supervisor makes a call that it must not make: " + std::to_string(number));
    }
}

} // namespace aios::test

std::int64_t aios::sys::detail::call(std::uint64_t number, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                                     std::uint64_t d, std::uint64_t e, std::uint64_t f) {
    return aios::test::current->call(number, {a, b, c, d, e, f});
}
