// Agents and processes. An agent is the principal: capability table, quota, identity, CPU share, supervisor, state; it owns
// processes (address space, personality, threads). Locks: Rank::lifecycle, Rank::agent_tree, Rank::agent, Rank::process.
#pragma once

#include "abi/call_types.hpp"
#include "kernel/cap/table.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/quota/quota.hpp"
#include "kernel/sched/thread.hpp"

namespace aios {

class Agent;
class Process;

// What runs in a process besides native calls. The kernel knows no personality by name; each registers a factory.
class Personality {
public:
    virtual ~Personality() = default;
    // A call with number below 4096. Result into the frame. Interrupts on; may block.
    virtual void call(Thread& thread, arch::TrapFrame& frame) = 0;
    // A fault of the process's own code. true: handled (signal frame set up), false: the agent ends and its supervisor hears.
    virtual bool exception(Thread& thread, arch::TrapFrame& frame, std::uint64_t address) = 0;
    // On the way back to user mode with an interrupt pending (not a kill): deliver signals.
    virtual void interrupted(Thread& thread, arch::TrapFrame& frame) = 0;
    virtual Result<> thread_created(Thread& thread) = 0;
    virtual void thread_exited(Thread& thread) = 0; // e.g. clear_child_tid and its futex wake
};

// What a program needs to start, given to the personality's factory.
struct ProgramStart {
    Ref<mm::Pages> image;       // the executable's contents
    const char* path;           // NUL-ended
    const char* arguments;      // strings, each ended by NUL
    std::size_t argument_bytes;
    const char* environment;
    std::size_t environment_bytes;
    const StartupBlock* startup; // handles; addresses in it are filled by whoever builds the stack
};
// Loads the image into the process's (empty) address space, builds the first stack and answers the first thread's registers.
// Called on the process's own first thread, in the kernel, with its address space active: so copy_to_user reaches the new
// program's memory, and reading, verifying and copying the image is billed to the child. A failure ends the agent (EndReason::fault
// or quota or integrity) and its supervisor hears of it. kernel/agent/elf.hpp loads static ELF images for every personality.
struct ProgramEntry {
    Personality* personality; // owned by the process from now on (mm::destroy)
    arch::TrapFrame frame;
};
using PersonalityFactory = Result<ProgramEntry> (*)(Process& process, const ProgramStart& start);
void register_personality(PersonalityKind kind, PersonalityFactory factory); // at boot

class Process final : public Object, public sched::ThreadOwner {
public:
    static constexpr ObjectType kType = ObjectType::process;
    [[nodiscard]] Agent& agent() const;
    [[nodiscard]] mm::AddressSpace& memory() const;
    [[nodiscard]] Personality& personality() const;
    [[nodiscard]] std::uint32_t thread_count() const;
    // One more thread; charged to the agent (Resource::threads and memory).
    Result<Ref<Thread>> create_thread(const arch::TrapFrame& frame, std::uint64_t fs_base);
    // Ends all threads of the process; when the last has left, the process and (if it was the last process) the agent end.
    void exit(EndReason reason, std::uint64_t status);
    static Process& current(); // of the current thread; asserts that there is one

    sched::ShareGroup& share_group() override;
    mm::AddressSpace* address_space() override;
    void thread_exited(Thread& thread) override;
    void retain() override { Object::retain(); }
    void release() override { Object::release(); }

private:
    friend class Agent;
    struct State;
    State* state_ = nullptr;
    explicit Process(Reservation charge) : Object(ObjectType::process, std::move(charge)) {}
    ~Process() override;
    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
};

class Agent final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::agent;
    // The first agent, from the boot bundle, with all quota and all startup handles. Others come from agent_spawn.
    static Result<Ref<Agent>> create_first(/* boot.cpp decides */);
    [[nodiscard]] static Agent& current();

    [[nodiscard]] cap::Table& table() const;
    [[nodiscard]] Quota& quota() const;
    [[nodiscard]] const char* name() const;
    [[nodiscard]] AgentInfo info() const;
    [[nodiscard]] sched::ShareGroup& share_group();
    // Ends the agent and all its descendants; asynchronous: threads leave at their next call boundary. Idempotent.
    void end(EndReason reason, std::uint64_t status, std::uint64_t address);
    void count_sent();
    void count_received();
    // Counted by kind for the report (observe).
    void count_check(bool granted);

private:
    friend class Process;
    struct State;
    State* state_ = nullptr;
    explicit Agent(Reservation charge) : Object(ObjectType::agent, std::move(charge)) {}
    ~Agent() override;
    template <typename T, typename... A>
    friend Result<T*> mm::make(A&&...);
};

} // namespace aios
