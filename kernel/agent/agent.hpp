// Agents and processes. An agent is the principal: capability table, quota, identity, CPU share, supervisor, state; it
// owns processes (address space, personality, threads). The parent pays for the Agent object and one of
// Resource::agents; all else that an agent needs is paid by its own quota, which was split from the parent's and goes
// home when everything is gone.
//
// Life: created (its program is loading, or it waits for its identity), running, stopping (end() was called, or the
// last process left: threads leave at their next call boundary, descendants are ended), dead. How what ends is taken
// down, by whom and who pays for it is told in reaper.hpp. Locks: Rank::agent_tree (parents and children), Rank::agent
// (one agent's state, its processes and their threads).
#pragma once

#include "abi/call_types.hpp"
#include "abi/restart.hpp"
#include "kernel/agent/operation.hpp"
#include "kernel/audit/account.hpp"
#include "kernel/cap/table.hpp"
#include "kernel/event/event.hpp"
#include "kernel/ipc/channel.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/quota/quota.hpp"
#include "kernel/sched/thread.hpp"

namespace aios {

class Agent;
class Process;

using AgentLock = sync::SpinLock<sync::Rank::agent>;
// Guards every parent's lists of children. reaper.cpp.
using AgentTreeLock = sync::SpinLock<sync::Rank::agent_tree>;
extern AgentTreeLock g_agent_tree_lock;

// A name of the contract (padded with NUL) as text.
[[nodiscard]] inline std::string_view name_text(const char (&name)[kMaxNameBytes]) {
    std::size_t length = 0;
    while (length < kMaxNameBytes && name[length] != '\0')
        ++length;
    return {name, length};
}

// What runs in a process besides native calls. The kernel knows no personality by name; each registers a factory.
class Personality {
public:
    virtual ~Personality() = default;
    // The process needs it no more: after ended(), or without it. One that others look at may stay until they let go.
    virtual void release() { mm::destroy(this); }
    // A call with number below 4096. Result into the frame. Interrupts on; may block.
    virtual void call(Thread& thread, arch::TrapFrame& frame) = 0;
    // A fault of the process's own code. true: handled (signal frame set up), false: the agent ends and its supervisor
    // hears.
    virtual bool exception(Thread& thread, arch::TrapFrame& frame, std::uint64_t address) = 0;
    // The column `restart` of a call of this personality.
    [[nodiscard]] virtual Restart restart_of(std::uint64_t number) const = 0;
    // On the way back to user mode with an interrupt pending (not a kill): deliver signals.
    virtual void interrupted(Thread& thread, arch::TrapFrame& frame) = 0;
    virtual Result<> thread_created(Thread& thread) = 0;
    virtual void thread_exited(Thread& thread) = 0; // e.g. clear_child_tid and its futex wake
    // The process is over: its threads and its memory are gone, and it is released next. Thread context, no locks.
    virtual void ended(EndReason reason, std::uint64_t status) = 0;
    // A page that the thread needs cannot be had, by `reason`. true: the process pays for that alone, and is on its way
    // out; false: the agent ends.
    virtual bool page_is_lost(Thread& thread, EndReason reason, std::uint64_t address) = 0;
};

// What a program needs to start, given to the personality's factory.
struct ProgramStart {
    Ref<mm::Pages> image;  // the executable's contents
    const char* path;      // NUL-ended
    const char* arguments; // strings, each ended by NUL
    std::size_t argument_bytes;
    const char* environment;
    std::size_t environment_bytes;
    const char* directory; // NUL-ended, where the program starts; empty: "/"
    const char* mounts;    // AgentPlan::mounts
    std::size_t mount_bytes;
    const StartupBlock* startup; // handles; addresses in it are filled by whoever builds the stack
};
// Loads the image into the process's (empty) address space, builds the first stack and answers the first thread's
// registers. Runs on the process's first thread, with its address space active.
struct ProgramEntry {
    Personality* personality; // owned by the process from now on (destroyed by mm::destroy)
    arch::TrapFrame frame;
};
using PersonalityFactory = Result<ProgramEntry> (*)(Process& process, const ProgramStart& start);
void register_personality(PersonalityKind kind, PersonalityFactory factory); // at boot
[[nodiscard]] PersonalityFactory personality_factory(PersonalityKind kind);  // nullptr: unsupported
void register_native_personality();                                          // at boot; native.cpp

class Process final : public Object, public sched::ThreadOwner {
public:
    static constexpr ObjectType kType = ObjectType::process;
    // A process of the agent; its memory is `memory`, which another may use too (vfork), it owns `personality` (may be
    // nullptr until its first thread has loaded a program). One that never gets a thread is ended by exit(). Charged to the
    // agent's quota. killed: the agent is ending. `goes_on`: its maker is busy with it until made(), and until then it is not taken
    // down, though it has no thread and the agent may end.
    enum class Making : bool { done, goes_on };
    static Result<Ref<Process>> create(Agent& agent, Ref<mm::AddressSpace> memory, Personality* personality,
                                       Making making = Making::done);
    void made(); // once; it has a thread by then, or has been ended by exit()

    [[nodiscard]] Agent& agent() const { return *agent_; }
    [[nodiscard]] mm::AddressSpace& memory() const { return *memory_; }
    [[nodiscard]] Personality& personality() const { return *personality_; }
    [[nodiscard]] Personality* personality_or_null() const { return personality_; } // nullptr: it is loading its first
    [[nodiscard]] std::uint32_t thread_count() const { return thread_count_.load(std::memory_order_relaxed); }
    // Once: by the first thread when it has loaded its program, or by whoever made the process before it has a thread.
    void set_personality(Personality* personality) { personality_ = personality; }

    // One more thread, not started; charged to the agent (Resource::threads and memory). killed: the process is ending.
    Result<Ref<Thread>> create_thread(const arch::TrapFrame& frame, std::uint64_t fs_base);
    // The same, but the thread starts in the kernel. See Thread::create_in_kernel.
    Result<Ref<Thread>> create_kernel_thread(void (*entry)(void*), void* argument);
    // Ends all threads of the process; when the last has left, the process and (if it was the last process) the agent
    // end. The first reason counts.
    void exit(EndReason reason, std::uint64_t status);
    [[nodiscard]] static Process& current(); // of the current thread; asserts that there is one
    [[nodiscard]] static Process* current_or_null();
    sched::ShareGroup& share_group() override;
    mm::AddressSpace* address_space() override { return memory_.get(); }
    void thread_exited(Thread& thread) override;
    void retain() override { Object::retain(); }
    void release() override { Object::release(); }

    Process(mm::OnHeap, Reservation charge, Ref<Agent> agent, Ref<mm::AddressSpace> memory, Personality* personality);
    ~Process() override;

private:
    friend class Agent;
    friend struct Reaper;
    void last_reference_gone() override;
    Result<> adopt(Thread& thread, Reservation& piece);
    void kill_threads();
    [[nodiscard]] AgentLock& lock() const; // the agent's
    [[nodiscard]] bool has_threads_locked() const AIOS_REQUIRES(lock()) {
        lock().assert_held();
        return !threads_.is_empty() || !leaving_.is_empty();
    }

    Ref<Agent> agent_;
    Ref<mm::AddressSpace> memory_;
    Personality* personality_; // set before there is a second thread
    std::atomic<std::uint32_t> thread_count_{0};
    IntrusiveList<Thread, &Thread::owner_node> threads_ AIOS_GUARDED_BY(lock());
    IntrusiveList<Thread, &Thread::owner_node> leaving_ AIOS_GUARDED_BY(lock()); // killed, not gone yet
    bool exiting_ AIOS_GUARDED_BY(lock()) = false;                               // no new threads
    bool has_run_ AIOS_GUARDED_BY(lock()) = false;                               // had a thread
    bool is_being_made_ AIOS_GUARDED_BY(lock()) = false;
    EndReason reason_ AIOS_GUARDED_BY(lock()) = EndReason::none;
    std::uint64_t status_ AIOS_GUARDED_BY(lock()) = 0;
    ListNode agent_node_; // under it too
};

// A new agent as its maker describes it: everything decoded and checked, capabilities derived. Nothing here is user
// memory.
struct AgentPlan {
    PersonalityKind personality = PersonalityKind::native;
    std::uint32_t flags = 0; // kSpawn...
    std::uint32_t cpu_weight = 100;
    sched::CpuBudget cpu_budget{};
    QuotaGrant quota{};
    char name[kMaxNameBytes] = {};
    Ref<mm::Pages> image;
    // Whether nobody can change the image, and `program` is the root over its pages (a bundle entry). If not, the child
    // gets a copy of the image, which is measured as it is made.
    bool is_measured = false;
    std::uint8_t program[32] = {};
    // Path (NUL-ended), argument strings, environment strings, directory (NUL-ended).
    const char* path = nullptr;
    std::size_t path_bytes = 0; // without the NUL
    const char* arguments = nullptr;
    std::size_t argument_bytes = 0;
    const char* environment = nullptr;
    std::size_t environment_bytes = 0;
    const char* directory = nullptr;
    std::size_t directory_bytes = 0; // without the NUL
    // Where what the startup block has under role `mount` is, in its order: paths without the slash in front, NUL-ended.
    const char* mounts = nullptr;
    std::size_t mount_bytes = 0;
    cap::Capability capabilities[kMaxStartupHandles - 1];
    std::uint32_t roles[kMaxStartupHandles - 1] = {};
    std::size_t capability_count = 0;
    // Puts what the plan's flags ask for into the new agent's table; nullptr: nothing.
    Result<> (*fill_table)(Agent& agent, StartupBlock& block, AgentPlan& plan) = nullptr;
    Ref<Operation> operation; // completes when the program is loaded, or fails; may be null
};

// Who an agent is: see AgentInfo. Constant from birth.
struct MeasuredIdentity {
    std::uint8_t identity[32] = {};
    std::uint8_t program[32] = {};
    std::uint8_t parent[32] = {};
};
// identity.cpp. The digest over name, program and parent.
void measure_identity(std::string_view name, MeasuredIdentity& identity);
// Replaces the plan's image, which somebody may still change, by a copy that `payer` pays and nobody else has, and
// measures that. quota_exceeded, out_of_memory, killed.
Result<> copy_image(Payer& payer, AgentPlan& plan);

// docs/design/upcalls.md. Both on the reaper's thread, under no lock.
namespace upcall {
void agent_is_dead(const AgentInfo& account);       // its last account; answered by kernel/observe
void first_agent_is_dead(const AgentInfo& account); // the run is over; answered by kernel/node
} // namespace upcall

// How an agent ends by a page that cannot be had: damaged, or nobody pays for it. `none`: an error that a program can mend.
[[nodiscard]] EndReason end_reason_of(Error error);

class Agent final : public Object, public ipc::Party, private QuotaListener {
public:
    static constexpr ObjectType kType = ObjectType::agent;
    // What an agent's self handle allows, and what the parent's handle on its child allows.
    static constexpr Rights kSelfRights = rights::map | rights::spawn | rights::thread | rights::time |
                                          rights::inspect | rights::wait | rights::derive | rights::charge |
                                          rights::hint;
    static constexpr Rights kChildRights = rights::inspect | rights::kill | rights::supervise | rights::identify |
                                           rights::control | rights::hint | rights::wait | rights::derive |
                                           rights::transfer;

    // The first agent; it has no parent and its quota is `quota`. `fill_table` puts startup handles into its table.
    static Result<Ref<Agent>> create_first(Ref<Quota> quota, AgentPlan& plan,
                                           Result<> (*fill_table)(Agent& agent, StartupBlock& block, AgentPlan& plan));
    // A child of `parent`, already started (its first thread loads the program). Nothing is left behind when it fails.
    // Errors: bad_argument (plan), unsupported (personality), too_large (kMaxAgentDepth), already_exists (a living
    // child of that name), quota_exceeded, out_of_memory, revoked (a capability), killed.
    static Result<Ref<Agent>> spawn(Agent& parent, AgentPlan& plan);
    [[nodiscard]] static Agent& current(); // of the current thread; asserts that there is one

    [[nodiscard]] cap::Table& table() const { return *table_; } // for its own threads: not once it is dead
    [[nodiscard]] Quota& quota() const { return *quota_; }      // likewise
    [[nodiscard]] const char* name() const { return name_; }
    [[nodiscard]] AgentState state() const;
    [[nodiscard]] AgentInfo info();
    [[nodiscard]] sched::ShareGroup& share_group() { return group_; }
    // Whether its memory may be writable and executable at once.
    [[nodiscard]] mm::Jit jit() const { return (flags_ & kSpawnJit) != 0 ? mm::Jit::yes : mm::Jit::no; }
    [[nodiscard]] const MeasuredIdentity& identity() const { return identity_; }
    // What it registered in event queues, whoever they belong to.
    [[nodiscard]] event::Registrant& registrant() { return registrant_; }
    [[nodiscard]] audit::Account& audit() const { return *audit_; } // for its own threads: not once it is settled
    // Ends the agent and all its descendants; asynchronous: threads leave at their next call boundary. Idempotent, the
    // first reason counts. Any thread context without locks.
    void end(EndReason reason, std::uint64_t status, std::uint64_t address);
    // Stops the agent and all its descendants, those too that are born meanwhile, until resume(); sched/gate.cpp tells
    // how. When it returns none of them executes an instruction of its program; calls under way come to their next gate.
    // A descendant that was stopped by itself stays so. Once is as good as often. bad_state: it is ending.
    // Any thread context without locks; waits for other CPUs, not for threads.
    Result<> pause();
    Result<> resume();
    // A fault: recorded, told to the supervisor and on the console of the node. Current thread's agent.
    void note_fault(std::uint64_t vector, std::uint64_t address, std::uint64_t instruction);
    // The same, then end().
    void fault(EndReason reason, std::uint64_t vector, std::uint64_t address, std::uint64_t instruction);
    // Once: already_exists. bad_state when it is ending. Lets it run if it waits for it.
    Result<> set_identity(const IdentityRecord& record);
    // Gets more quota out of its parent's, all of `amounts` or nothing. bad_argument: `parent` is not its parent;
    // quota_exceeded; bad_state: it is ending; killed: the parent is.
    Result<> take_grant(Agent& parent, const QuotaGrant& amounts);
    // How long (ns) console text of this size has to wait for the agent's rate.
    [[nodiscard]] std::uint64_t console_delay(std::uint64_t bytes);

    // ipc::Party
    [[nodiscard]] std::uint64_t principal() const override { return id(); }
    [[nodiscard]] cap::Table* handle_table() override { return table_.get(); }
    [[nodiscard]] Payer& payer() override { return *quota_; }
    Result<> accept(mm::Grant& grant, std::uint64_t address) override;
    void message_sent() override { sent_.fetch_add(1, std::memory_order_relaxed); }
    void message_received() override { received_.fetch_add(1, std::memory_order_relaxed); }
    void count_sent() { message_sent(); }
    void count_received() { message_received(); }

    event::Source* event_source() override { return &events_; } // kSignalEnded, kSignalFault
    void handle_removed(Rights) override { events_.drop_ended(); }
    void revoked_for(std::uint64_t) override { events_.drop_ended(); }

    // For walks over agents, each after its parent, under no lock: the one behind `at` among `top` and all below it;
    // empty: there is none. One that ends meanwhile does not end the walk.
    static Ref<Agent> next_below(const Agent& top, const Agent& at);
    // All agents that are not dead: observe, at power-off. `function(AgentInfo)`, under no lock.
    static void for_each(void (*function)(const AgentInfo& info));

    Agent(mm::OnHeap, Reservation charge, Reservation piece, Ref<Agent> parent, Ref<Quota> quota,
          const AgentPlan& plan);
    ~Agent() override;

private:
    friend class Process;
    friend struct Reaper;
    struct Launch;
    static Result<Ref<Agent>> make(Agent* parent, Ref<Quota> quota, AgentPlan& plan,
                                   Result<> (*fill_table)(Agent& agent, StartupBlock& block, AgentPlan& plan));
    static void launch(void* argument); // first thread
    Result<> link();
    [[nodiscard]] Error load_error(Error error) const;
    void last_reference_gone() override;
    [[nodiscard]] AgentInfo info_locked() AIOS_REQUIRES(lock_);
    [[nodiscard]] std::uint64_t id_key() const { return id(); }
    [[nodiscard]] std::string_view name_key() const { return name_text(name_); }
    // The reaper's last two steps: everything is taken down; everything is given back.
    void settle();
    void finish();
    void quota_is_home() override;

    Reservation piece_; // one of the parent's Resource::agents
    Ref<Agent> parent_;
    Ref<Quota> quota_;
    Ref<cap::Table> table_;
    Ref<audit::Account> audit_;
    char name_[kMaxNameBytes]; // constant
    const std::uint32_t flags_;
    const std::uint32_t depth_; // ancestors
    MeasuredIdentity identity_; // constant once it is linked
    sched::ShareGroup group_;
    event::Source events_;
    event::Registrant registrant_;
    std::atomic<std::uint64_t> sent_{0}, received_{0};
    sched::WaitQueue identity_waiters_;

    mutable AgentLock lock_;
    AgentState state_ AIOS_GUARDED_BY(lock_) = AgentState::created;
    EndReason reason_ AIOS_GUARDED_BY(lock_) = EndReason::none;
    std::uint64_t status_ AIOS_GUARDED_BY(lock_) = 0;
    std::uint64_t address_ AIOS_GUARDED_BY(lock_) = 0;
    bool is_registered_ AIOS_GUARDED_BY(lock_) = false;
    IdentityRecord registered_ AIOS_GUARDED_BY(lock_){};
    Ref<Operation> operation_ AIOS_GUARDED_BY(lock_);
    IntrusiveList<Process, &Process::agent_node_> processes_ AIOS_GUARDED_BY(lock_);
    std::uint32_t process_objects_ AIOS_GUARDED_BY(lock_) = 0; // also those that have left the list but still exist
    std::uint64_t console_tokens_ AIOS_GUARDED_BY(lock_);
    std::uint64_t console_time_ AIOS_GUARDED_BY(lock_) = 0;
    bool is_settled_ AIOS_GUARDED_BY(lock_) = false; // `last_` is its account: table and quota are not ours any more
    AgentInfo last_ AIOS_GUARDED_BY(lock_){};

    // The tree. Nodes are covered by the lock of the lists that they stand in.
    bool born_ AIOS_GUARDED_BY(g_agent_tree_lock) = false; // linked: somebody may know of it
    TreeNode sibling_;
    ListNode untold_node_;
    TreeNode name_node_;
    IntrusiveTree<Agent, &Agent::sibling_, &Agent::id_key> children_ AIOS_GUARDED_BY(g_agent_tree_lock);
    IntrusiveList<Agent, &Agent::untold_node_>
        untold_children_ AIOS_GUARDED_BY(g_agent_tree_lock); // those that have not been ended with us
    IntrusiveTree<Agent, &Agent::name_node_, &Agent::name_key> named_children_ AIOS_GUARDED_BY(g_agent_tree_lock);
    // The reaper's, under the lock of its queue:
    ListNode reap_node_;
    bool reap_queued_ = false; // stands in the queue
    bool reap_held_ = false;   // a thread takes steps for it
    bool reap_again_ = false;  // something changed meanwhile
    ListNode patience_node_;   // settled, and the quota is not home yet
    std::uint64_t patience_ends_ = 0;
    // Of the thread that takes steps for it:
    bool closed_ = false;
    std::atomic<bool> quota_home_{false};

public: // for list types
    using ReapList = IntrusiveList<Agent, &Agent::reap_node_>;
    using PatienceList = IntrusiveList<Agent, &Agent::patience_node_>;
};

void start_reaper(); // once the scheduler runs

inline AgentLock& Process::lock() const { return agent_->lock_; }

} // namespace aios
