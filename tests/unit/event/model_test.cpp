// Event queues beside a model that is as simple as the rules are told: sources with levels, registrations of all modes,
// queues in queues, and ends of everything, in seeded random walks. After each step every answer, every packet in its
// order and the level of every queue agree.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "kernel/event/event.hpp"
#include "tests/support/kernel_host.hpp"
#include "tests/support/sched_host.hpp"
#include "tests/unit/event/thing.hpp"

namespace aios {
namespace {

using event::EventQueue;
using test::make_thing;
using test::Thing;

constexpr std::uint64_t kModes[] = {0, kModeLevel, kModeEdge, kModeOnce};
constexpr std::uint64_t kStateSignals =
    kSignalReadable | kSignalWritable | kSignalReadClosed | kSignalClosed | kSignalError;

// --- the model -------------------------------------------------------------------------------------------------------

struct ModelQueue;

struct ModelSource {
    std::uint64_t levels = 0;
    std::vector<struct ModelRegistration*> listeners;
    std::size_t most = event::kMaxRegistrations;
    ModelQueue* queue = nullptr; // whose own source it is
};

struct ModelRegistration {
    ModelQueue* queue;
    ModelSource* source;
    std::uint64_t key, signals, mode;
    int through, registrant; // the handle and the agent that it ends with
    std::uint64_t pending = 0, count = 0;
    bool is_armed = true;
};

struct ModelQueue {
    ModelSource own;
    std::vector<std::unique_ptr<ModelRegistration>> registrations;
    std::deque<ModelRegistration*> ready;
    ModelQueue() {
        own.most = event::kMaxOfQueue;
        own.queue = this;
    }
    ModelRegistration* find(std::uint64_t key) {
        for (auto& each : registrations)
            if (each->key == key) return each.get();
        return nullptr;
    }
    // The queues that this one stands in, by its registrations: at most one, if the rules are kept.
    [[nodiscard]] std::vector<ModelQueue*> outer() const {
        std::vector<ModelQueue*> found;
        for (const ModelRegistration* each : own.listeners)
            found.push_back(each->queue);
        return found;
    }
    // The longest chain of queues that ends here; deeper than `limit` for a circle.
    [[nodiscard]] unsigned depth(unsigned limit) const {
        unsigned deepest = 0;
        for (const auto& each : registrations)
            if (limit != 0 && each->source->queue != nullptr)
                deepest = std::max(deepest, each->source->queue->depth(limit - 1));
        return deepest + 1;
    }
};

void tell(ModelSource& source, std::uint64_t signals, bool is_pulse, std::uint64_t count);

// True: the queue became readable.
bool deliver(ModelRegistration& to, std::uint64_t signals, std::uint64_t count) {
    if (!to.is_armed) return false;
    to.pending |= signals;
    to.count += count;
    auto& ready = to.queue->ready;
    if (std::find(ready.begin(), ready.end(), &to) != ready.end()) return false;
    ready.push_back(&to);
    to.queue->own.levels = kSignalReadable;
    return ready.size() == 1;
}

std::uint64_t wanted(const ModelRegistration& by, bool is_pulse) {
    return by.mode == 0 && !is_pulse ? by.signals & ~kSignalWritable : by.signals;
}

void notify(ModelSource& source, std::uint64_t signals, bool is_pulse, std::uint64_t count,
            std::vector<ModelQueue*>& readable) {
    for (ModelRegistration* each : source.listeners)
        if ((wanted(*each, is_pulse) & signals) != 0 && deliver(*each, wanted(*each, is_pulse) & signals, count))
            readable.push_back(each->queue);
}

void tell(ModelSource& source, std::uint64_t signals, bool is_pulse, std::uint64_t count) {
    std::vector<ModelQueue*> readable;
    notify(source, signals, is_pulse, count, readable);
    while (!readable.empty()) {
        ModelQueue& next = *readable.back();
        readable.pop_back();
        notify(next.own, kSignalReadable, false, 1, readable);
    }
}

void tell_what_is_set(ModelRegistration& to) {
    const std::uint64_t now = to.source->levels & wanted(to, false);
    if (now != 0 && deliver(to, now, 1)) tell(to.queue->own, kSignalReadable, false, 1);
}

// As the ABI says it of each signal.
EventPacket look_at(ModelRegistration& from, bool& repeats) {
    EventPacket packet{from.key, 0, from.count};
    repeats = false;
    std::uint64_t kept = 0;
    for (std::uint64_t signal = 1; signal <= kSignalError; signal <<= 1) {
        if ((from.signals & signal) == 0) continue;
        const bool is_set = (from.source->levels & signal) != 0, was_told = (from.pending & signal) != 0;
        const bool is_state = (kStateSignals & signal) != 0;
        bool is_told = was_told, again = false;
        if (from.mode == 0 && signal == kSignalReadable) is_told = again = is_set;
        if (from.mode == kModeLevel) {
            is_told = is_set || (was_told && !is_state);
            again = is_set;
        }
        if (from.mode == kModeEdge && is_state) is_told = was_told && is_set;
        if (from.mode == kModeOnce) is_told = is_set || (was_told && !is_state);
        if (is_told) packet.signals |= signal;
        if (again) kept |= signal;
    }
    if (from.mode == kModeOnce && packet.signals != 0) from.is_armed = false;
    repeats = kept != 0;
    from.pending = kept;
    from.count = repeats ? 1 : 0;
    return packet;
}

std::vector<EventPacket> take(ModelQueue& queue, std::size_t most) {
    std::vector<EventPacket> packets;
    for (std::size_t left = queue.ready.size(); left != 0 && packets.size() < most; --left) {
        ModelRegistration* from = queue.ready.front();
        queue.ready.pop_front();
        bool repeats;
        if (const EventPacket packet = look_at(*from, repeats); packet.signals != 0) packets.push_back(packet);
        if (repeats) queue.ready.push_back(from);
    }
    queue.own.levels = queue.ready.empty() ? 0 : kSignalReadable;
    return packets;
}

void end(ModelRegistration& registration) {
    ModelQueue& queue = *registration.queue;
    std::erase(registration.source->listeners, &registration);
    std::erase(queue.ready, &registration);
    queue.own.levels = queue.ready.empty() ? 0 : kSignalReadable;
    std::erase_if(queue.registrations, [&](auto& each) { return each.get() == &registration; });
}

std::optional<Error> add(ModelQueue& queue, ModelSource& source, ModelRegistration made) {
    if (ModelRegistration* old = queue.find(made.key)) {
        if (made.mode != kModeOnce || old->mode != kModeOnce || old->source != &source || old->through != made.through)
            return Error::already_exists;
        old->signals = made.signals;
        old->pending &= made.signals;
        old->is_armed = true;
        tell_what_is_set(*old);
        return std::nullopt;
    }
    if (source.listeners.size() >= source.most) return Error::no_space;
    if (source.queue != nullptr && !source.queue->outer().empty()) return Error::busy;
    queue.registrations.push_back(std::make_unique<ModelRegistration>(made));
    ModelRegistration& added = *queue.registrations.back();
    source.listeners.push_back(&added);
    if (source.queue != nullptr) {
        const ModelQueue* top = &queue;
        for (int i = 0; i < 20 && !top->outer().empty(); ++i)
            top = top->outer().front();
        if (top->depth(20) > 5) { // so deep, or in a circle
            end(added);
            return Error::too_deep;
        }
    }
    tell_what_is_set(added);
    return std::nullopt;
}

// --- both, side by side ----------------------------------------------------------------------------------------------

constexpr int kThings = 5, kQueues = 9, kHandles = 3, kRegistrants = 3;

// An object, its model, and handles on it that registrations are made through.
template <typename Real, typename Model>
struct Pair {
    Ref<Real> real;
    std::unique_ptr<Model> model;
    Handle root = kNoHandle;
    Handle handles[kHandles] = {};
};

class Walk {
public:
    explicit Walk(unsigned seed) : random_(seed), payer_(test::plenty()), table_(*cap::Table::create(*payer_, 1)) {
        for (auto& thing : things_)
            make(thing);
        for (auto& queue : queues_)
            make(queue);
    }
    ~Walk() {
        for (auto& registrant : registrants_)
            registrant.end_all();
        table_->close_all();
    }

    void step() {
        switch (roll(18)) {
        case 0:
        case 1:
        case 2: {
            auto& thing = things_[roll(kThings)];
            const std::uint64_t signal = some_signal();
            thing.model->levels |= signal;
            tell(*thing.model, signal, false, 1);
            thing.real->source.set(signal);
            return;
        }
        case 3:
        case 4: {
            auto& thing = things_[roll(kThings)];
            const std::uint64_t signal = some_signal();
            thing.model->levels &= ~signal;
            thing.real->source.clear(signal);
            return;
        }
        case 5:
        case 6: {
            auto& thing = things_[roll(kThings)];
            const std::uint64_t signal = some_signal(), count = 1 + roll(3);
            tell(*thing.model, signal, true, count);
            thing.real->source.post(signal, count);
            return;
        }
        case 7:
        case 8:
        case 9:
            return register_with(things_[roll(kThings)]);
        case 10:
        case 11:
            return register_with(queues_[roll(kQueues)]);
        case 12:
            return cancel();
        case 13:
        case 14:
        case 15:
            return poll();
        default:
            return end_something();
        }
    }

    void check() {
        for (int i = 0; i < kQueues; ++i)
            ASSERT_EQ(queues_[i].real->event_source()->levels(), queues_[i].model->own.levels) << i;
    }
    int added = 0, told = 0, nested = 0, too_deep = 0, busy = 0;

private:
    unsigned roll(unsigned below) { return static_cast<unsigned>(random_() % below); }
    std::uint64_t some_signal() { return 1ull << roll(9); }
    template <typename Model>
    static ModelSource& source_of(Model& model) {
        if constexpr (std::is_same_v<Model, ModelQueue>)
            return model.own;
        else
            return model;
    }
    template <typename P>
    void make(P& pair) {
        if constexpr (std::is_same_v<decltype(pair.real), Ref<Thing>>)
            pair.real = make_thing();
        else
            pair.real = *EventQueue::create(*payer_);
        pair.model = std::make_unique<std::remove_reference_t<decltype(*pair.model)>>();
        pair.root = *table_->insert_new(pair.real, rights::all);
        for (Handle& handle : pair.handles)
            handle = *table_->derive(pair.root, rights::wait);
    }
    template <typename P>
    void register_with(P& pair) {
        auto& queue = queues_[roll(kQueues)];
        if (static_cast<void*>(&queue) == static_cast<void*>(&pair)) return;
        const int registrant = static_cast<int>(roll(kRegistrants));
        const Handle handle = roll(4) == 0 ? kNoHandle : pair.handles[roll(kHandles)]; // none: as the kernel does
        const std::uint64_t key = roll(8), mode = kModes[roll(4)];
        std::uint64_t signals = some_signal() | some_signal() | some_signal();
        if (roll(3) != 0) signals |= kSignalReadable;
        ModelSource& source = source_of(*pair.model);
        const auto expected =
            ::aios::add(*queue.model, source,
                        {queue.model.get(), &source, key, signals, mode, static_cast<int>(handle), registrant});
        Ref<cap::DerivationNode> node;
        if (handle != kNoHandle) node = table_->lookup_any(handle, ObjectType::any, rights::wait)->node;
        const auto result =
            queue.real->add(*payer_, *pair.real, signals | mode, key, std::move(node), &registrants_[registrant]);
        ASSERT_EQ(result.has_value(), !expected.has_value()) << (expected ? error_info(*expected).name : "fine");
        if (expected) ASSERT_EQ(result.error(), *expected);
        added += !expected;
        nested += !expected && source.queue != nullptr;
        too_deep += expected == Error::too_deep;
        busy += expected == Error::busy;
    }
    void cancel() {
        auto& queue = queues_[roll(kQueues)];
        const std::uint64_t key = roll(8);
        ModelRegistration* found = queue.model->find(key);
        if (found != nullptr) end(*found);
        ASSERT_EQ(queue.real->cancel(key).has_value(), found != nullptr);
    }
    void poll() {
        auto& queue = queues_[roll(kQueues)];
        const std::size_t most = 1 + roll(5);
        EventPacket packets[5];
        const auto expected = take(*queue.model, most);
        const auto taken = queue.real->wait({packets, most}, 0, {});
        ASSERT_EQ(taken ? *taken : 0u, expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            ASSERT_EQ(packets[i].key, expected[i].key);
            ASSERT_EQ(packets[i].signals, expected[i].signals);
            ASSERT_EQ(packets[i].count, expected[i].count);
        }
        told += static_cast<int>(expected.size());
    }
    template <typename F>
    void end_where(F&& which) {
        for (auto& queue : queues_)
            for (bool more = true; more;) {
                more = false;
                for (auto& each : queue.model->registrations)
                    if (which(*each)) {
                        end(*each);
                        more = true;
                        break;
                    }
            }
    }
    // A handle, an agent, a source or a queue.
    void end_something() {
        const bool is_queue = roll(2) != 0;
        auto& thing = things_[roll(kThings)];
        auto& queue = queues_[roll(kQueues)];
        switch (roll(4)) {
        case 0:
        case 1: {
            Handle& handle = (is_queue ? queue.handles : thing.handles)[roll(kHandles)];
            end_where([&](auto& each) { return each.through == static_cast<int>(handle); });
            ASSERT_TRUE(table_->close(handle));
            handle = *table_->derive(is_queue ? queue.root : thing.root, rights::wait);
            return;
        }
        case 2: {
            if (roll(4) != 0) return;
            const int registrant = static_cast<int>(roll(kRegistrants));
            end_where([&](auto& each) { return each.registrant == registrant; });
            registrants_[registrant].end_all();
            return;
        }
        default:
            if (is_queue)
                renew(queue);
            else
                renew(thing);
        }
    }
    template <typename P>
    void renew(P& pair) {
        ModelSource& source = source_of(*pair.model);
        end_where([&](auto& each) { return each.source == &source || &each.queue->own == &source; });
        for (const Handle handle : pair.handles)
            ASSERT_TRUE(table_->close(handle));
        ASSERT_TRUE(table_->close(pair.root));
        pair.real.reset();
        make(pair);
    }

    std::mt19937 random_;
    Ref<Quota> payer_;
    Ref<cap::Table> table_;
    event::Registrant registrants_[kRegistrants];
    Pair<Thing, ModelSource> things_[kThings];
    Pair<EventQueue, ModelQueue> queues_[kQueues];
};

TEST(EventModel, random_walks_agree) {
    test::AsThread me;
    int added = 0, told = 0, nested = 0, too_deep = 0, busy = 0;
    for (unsigned seed = 0; seed < 40; ++seed) {
        Walk walk(seed);
        for (int i = 0; i < 3000; ++i) {
            walk.step();
            walk.check();
            ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << ", step " << i;
        }
        added += walk.added, told += walk.told, nested += walk.nested, too_deep += walk.too_deep, busy += walk.busy;
    }
    // The walks go where the rules are.
    EXPECT_GT(added, 5000);
    EXPECT_GT(told, 5000);
    EXPECT_GT(nested, 500);
    EXPECT_GT(too_deep, 100);
    EXPECT_GT(busy, 500);
}

// Queues in queues alone, many and dense: exactly what would make a circle or a chain of more than five is refused.
TEST(EventModel, circles_and_chains_that_are_too_deep_are_refused_and_nothing_else) {
    test::AsThread me;
    constexpr unsigned kMany = 14;
    int made = 0, refused = 0;
    for (unsigned seed = 0; seed < 20; ++seed) {
        std::mt19937 random(seed);
        Ref<Quota> payer = test::plenty();
        std::vector<Ref<EventQueue>> queues;
        for (unsigned i = 0; i < kMany; ++i)
            queues.push_back(*EventQueue::create(*payer));
        int outer[kMany];
        std::fill(outer, outer + kMany, -1);
        // From scratch, by what the rule says: no queue comes to itself, and no way up has more than five queues.
        const auto is_fine = [&] {
            for (unsigned from = 0; from < kMany; ++from) {
                unsigned length = 0;
                for (int at = static_cast<int>(from); at >= 0; at = outer[at])
                    if (++length > 5) return false; // a circle has no end
            }
            return true;
        };
        for (int step = 0; step < 3000; ++step) {
            const unsigned inner = random() % kMany, into = random() % kMany;
            if (random() % 3 == 0) {
                if (outer[inner] < 0) continue;
                ASSERT_TRUE(queues[static_cast<unsigned>(outer[inner])]->cancel(inner));
                outer[inner] = -1;
                continue;
            }
            if (inner == into) continue;
            const auto result = queues[into]->add(*payer, *queues[inner], kSignalReadable, inner, {});
            if (outer[inner] >= 0) {
                ASSERT_FALSE(result);
                ASSERT_EQ(result.error(), outer[inner] == static_cast<int>(into) ? Error::already_exists : Error::busy);
                continue;
            }
            outer[inner] = static_cast<int>(into);
            const bool fine = is_fine();
            ASSERT_EQ(result.has_value(), fine) << "seed " << seed << ", step " << step;
            if (!fine) {
                ASSERT_EQ(result.error(), Error::too_deep);
                outer[inner] = -1;
            }
            ++(fine ? made : refused);
        }
        for (unsigned i = 0; i < kMany; i += 2) // in whatever order they go
            queues[i].reset();
    }
    EXPECT_GT(made, 2000);
    EXPECT_GT(refused, 2000);
}

} // namespace
} // namespace aios
