// See sched_host.hpp.
#include "tests/support/sched_host.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace aios {

std::atomic<long> test::unparks{0};
std::atomic<std::uint64_t> test::held_clock{0};

namespace {

// The parking place of a thread, in Thread::personality_data.
struct Place {
    std::mutex mutex;
    std::condition_variable woken;
    bool token = false;
    bool occupied = false; // its thread sleeps here
};
Place& place_of(Thread& thread) { return *static_cast<Place*>(thread.personality_data); }

thread_local Thread* t_current = nullptr;

class Owner final : public sched::ThreadOwner {
public:
    explicit Owner(sched::ShareGroup& group) : group_(group) {}
    sched::ShareGroup& share_group() override { return group_; }
    mm::AddressSpace* address_space() override { return nullptr; }
    void thread_exited(Thread&) override {}
    void retain() override { references_.retain(); }
    void release() override {
        if (references_.release()) delete this;
    }

private:
    virtual ~Owner() = default;
    sched::ShareGroup& group_;
    RefCount references_;
};

} // namespace

namespace sched {
struct BootThreads {
    static Ref<Thread> make(ShareGroup* group) {
        auto owner = Ref<ThreadOwner>::adopt(new Owner(group != nullptr ? *group : root_group()));
        auto thread = Ref<Thread>::adopt(*mm::make<Thread>(Reservation(), std::move(owner), "host"));
        thread->personality_data = new Place;
        thread->state_ = ThreadState::running;
        return thread;
    }
};

ShareGroup& root_group() {
    static ShareGroup root(nullptr, 100);
    return root;
}

void park(Deadline deadline, Ref<Thread>* next) {
    if (next != nullptr && *next) {
        unpark(**next);
        next->reset();
    }
    Place& place = place_of(Thread::current());
    std::unique_lock lock(place.mutex);
    const auto has_token = [&] { return place.token; };
    place.occupied = true;
    if (deadline == kNever) {
        place.woken.wait(lock, has_token);
    } else if (const std::uint64_t now = now_ns(); now < deadline) {
        place.woken.wait_for(lock, std::chrono::nanoseconds(deadline - now), has_token);
    }
    place.token = place.occupied = false;
}

void unpark(Thread& thread) {
    ++test::unparks;
    Place& place = place_of(thread);
    std::lock_guard lock(place.mutex);
    place.token = true;
    place.woken.notify_one();
}

void yield() { std::this_thread::yield(); }
std::uint64_t now_ns() { return time::now_ns(); }

// Under the threads' lend_locks, as in the kernel.
void lend_from(Thread& payer) {
    Thread::current().billed = payer.billed;
    Thread::current().is_lent = true;
    Thread::current().lent_ns = 0;
}
void lend_end(Thread& server, Thread& payer) {
    payer.debt_ns.fetch_add(server.lent_ns);
    server.billed = &server.owner()->share_group();
    server.is_lent = false;
}
void lend_change(Thread& server, ShareGroup& billed) { server.billed = &billed; }

namespace upcall {
bool may_stop_in_call(Thread&) { return true; }
} // namespace upcall

// A host thread runs whenever it likes: nobody is handed a CPU, so the one that was woken is never ours.
bool claim(Thread& next) {
    unpark(next);
    return false;
}
bool lend_and_claim(Thread& server) {
    server.billed = Thread::current().billed;
    server.is_lent = true;
    server.lent_ns = 0;
    return claim(server);
}
void hand_over(Thread&, Deadline, sync::SpinLock<sync::Rank::channel>&, Thread*) { AIOS_UNREACHABLE(); }
} // namespace sched

namespace time {
std::uint64_t now_ns() {
    if (const std::uint64_t held = test::held_clock; held != 0) return held;
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count());
}
} // namespace time

namespace sync {
void assert_may_block() {}
namespace upcall {
void park() { sched::park(sched::kNever); }
void unpark(void* thread) { sched::unpark(*static_cast<Thread*>(thread)); }
} // namespace upcall
} // namespace sync

void* arch::current_thread() { return t_current; }

Thread::SleepTimer::SleepTimer(Thread& owner)
    : TimerEntry([](TimerEntry&, std::uint64_t) { return time::kNever; }), thread(owner) {}
Thread::Thread(mm::OnHeap, Reservation charge, Ref<sched::ThreadOwner> owner, const char* name)
    : Object(kType, std::move(charge)), owner_(std::move(owner)), own_group_(owner_->share_group()),
      address_space_(nullptr), name_(name) {
    billed = &own_group_;
}
Thread::~Thread() { delete static_cast<Place*>(personality_data); }
Thread& Thread::current() {
    AIOS_ASSERT(t_current != nullptr);
    return *t_current;
}
bool Thread::has_current() { return t_current != nullptr; }
void Thread::interrupt() {
    interrupted_ = true;
    sched::unpark(*this);
}
void Thread::kill() {
    killed_ = true;
    interrupt();
}

namespace test {

AsThread::AsThread(sched::ShareGroup* group) : thread_(sched::BootThreads::make(group)) { t_current = thread_.get(); }
AsThread::~AsThread() {
    sched::upcall::thread_exits(*thread_);
    t_current = nullptr;
}

struct HostThread::State {
    Ref<Thread> thread;
    std::thread runner;
    std::atomic<bool> has_ended{false};
};

HostThread::HostThread(std::function<void()> function, sched::ShareGroup* group) : state_(new State) {
    state_->thread = sched::BootThreads::make(group);
    state_->runner = std::thread([state = state_, function = std::move(function)] {
        Thread* const thread = state->thread.get();
        t_current = thread;
        function();
        sched::upcall::thread_exits(*thread);
        t_current = nullptr;
        state->has_ended = true;
    });
}
HostThread::~HostThread() {
    join();
    delete state_;
}
Thread& HostThread::thread() { return *state_->thread; }
void HostThread::join() {
    if (state_->runner.joinable()) state_->runner.join();
}

bool HostThread::ends_by_itself() {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!state_->has_ended && std::chrono::steady_clock::now() < limit)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const bool good = state_->has_ended;
    if (!good) thread().kill();
    join();
    return good;
}

void HostThread::await_parked() {
    Place& place = place_of(*state_->thread);
    for (;; std::this_thread::yield()) {
        std::lock_guard lock(place.mutex);
        if (place.occupied && !place.token) return;
    }
}

Ref<Quota> plenty() { return *Quota::create_root({1ull << 30, 1u << 20, 1u << 16, 1u << 16}); }

} // namespace test
} // namespace aios
