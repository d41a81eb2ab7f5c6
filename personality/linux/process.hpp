// The Linux side of a process: its Personality. State that Linux keeps a process: break, files, signal actions; a
// thread: LinuxThread. Locks: `lock` (Rank::process, a mutex) guards files, working directory, break and signal
// actions; `thread_lock` (Rank::thread_list, a spinlock) guards the list of threads, so that a signal finds its thread
// alive; futexes have their own (futex.hpp).
#pragma once

#include <atomic>

#include "kernel/agent/agent.hpp"
#include "kernel/agent/elf.hpp"
#include "kernel/mm/owned.hpp"
#include "personality/linux/arguments.hpp"
#include "personality/linux/exec.hpp"
#include "personality/linux/files.hpp"
#include "personality/linux/futex.hpp"
#include "personality/linux/identity.hpp"
#include "personality/linux/limits.hpp"
#include "personality/linux/process_table.hpp"
#include "personality/linux/signal_files.hpp"

namespace aios::linux_abi {

// Signal actions; made when the first is set. Charged.
struct ActionTable {
    explicit ActionTable(Reservation reservation) : charge(std::move(reservation)) {}
    Reservation charge;
    SignalAction of[kSignalCount]{};
    ~ActionTable() = default;
};

// Where on the first stack the kernel has put what the program was given: what /proc/PID tells of it. Constant.
struct ProgramPlace {
    std::uint64_t vdso = 0;
    std::uint64_t stack = 0;
    std::uint64_t arguments = 0, argument_bytes = 0;
    std::uint64_t environment = 0, environment_bytes = 0;
    std::uint64_t auxiliary = 0, auxiliary_bytes = 0;
};

// What a process has said of itself by prctl and personality; each is kept and told.
struct SelfDescription {
    std::atomic<std::int32_t> parent_death_signal{0}; // sent when the process that made it ends
    std::atomic<bool> is_dumpable{true}, gains_nothing{false}, has_no_huge_pages{false};
    std::atomic<std::uint32_t> domain{0};
    std::atomic<std::uint32_t> barriers{0}; // the commands of membarrier that it has registered for
    enum class Heir : std::uint8_t { child, program };
    void follow(const SelfDescription& from, Heir heir); // fork, execve
};

struct SignalTimers;

class LinuxProcess final : public Personality {
public:
    // The agent's first process.
    static Result<mm::Owned<LinuxProcess>> create_first(Process& process, const ProgramStart& start);
    // For fork and execve: of the same agent, without an entry in the table, without files.
    static Result<mm::Owned<LinuxProcess>> create(Process& process, ProcessTable& family, std::string_view executable);

    void call(Thread& thread, arch::TrapFrame& frame) override;
    bool exception(Thread& thread, arch::TrapFrame& frame, std::uint64_t address) override;
    [[nodiscard]] Restart restart_of(std::uint64_t number) const override;
    void interrupted(Thread& thread, arch::TrapFrame& frame) override;
    Result<> thread_created(Thread& thread) override;
    void thread_exited(Thread& thread) override;
    void ended(EndReason reason, std::uint64_t status) override;
    bool page_is_lost(Thread& thread, EndReason reason, std::uint64_t address) override;
    // Others may look at it by a view (process_view.hpp): it goes with the last.
    void retain() { references_.retain(); }
    void release() override {
        if (references_.release()) mm::destroy(this);
    }
    ~LinuxProcess() override;

    // Ends the process, by whatever a program can do. An execve that is under way already goes on: false.
    bool leave(EndReason reason, std::uint64_t status);

    [[nodiscard]] Process& process() { return process_; }
    [[nodiscard]] Agent& agent() { return process_.agent(); }
    [[nodiscard]] Quota& quota() { return process_.agent().quota(); }
    [[nodiscard]] mm::AddressSpace& memory() { return process_.memory(); }
    [[nodiscard]] cap::Table& table() { return process_.agent().table(); }
    [[nodiscard]] ProcessTable& family() const { return *family_; }
    [[nodiscard]] const NameSpace& name_space() const { return family_->name_space; }
    [[nodiscard]] ProcessEntry& entry() const { return *entry_; } // of a process that runs
    [[nodiscard]] std::int32_t pid() const { return entry_->pid; }
    // False while its program is loaded for execve: it has no number, no thread of its own and no files yet.
    [[nodiscard]] bool has_entry() const { return entry_ != nullptr; }
    [[nodiscard]] std::int32_t group(); // the number of its process group
    [[nodiscard]] bool is_first() const { return entry_ != nullptr && entry_->pid == ProcessTable::kFirst; }

    using Lock = sync::Mutex<sync::Rank::process>;
    Lock lock;
    FileTable files AIOS_GUARDED_BY(lock);
    HeldText working_directory AIOS_GUARDED_BY(lock); // as Path
    mm::Owned<ActionTable> actions AIOS_GUARDED_BY(lock);
    std::uint64_t break_start AIOS_GUARDED_BY(lock) = 0;
    std::uint64_t break_end AIOS_GUARDED_BY(lock) = 0;    // as the program asked
    std::uint64_t break_mapped AIOS_GUARDED_BY(lock) = 0; // page-aligned end of what is mapped
    Limits limits AIOS_GUARDED_BY(lock);
    Identity identity AIOS_GUARDED_BY(lock);     // changed by set_identity()
    mm::OwnedBytes groups AIOS_GUARDED_BY(lock); // supplementary ones, ascending
    std::uint32_t group_count AIOS_GUARDED_BY(lock) = 0;
    // Of the identity, for whoever must not wait: its real and saved user, and whether mode bits of files hold it.
    std::atomic<std::uint32_t> real_user{0}, saved_user{0};
    std::atomic<bool> is_held_by_modes{false};
    std::atomic<std::uint64_t> file_bytes_limit{kLimitInfinity}; // RLIMIT_FSIZE, of `limits`
    std::atomic<std::uint64_t> signals_limit{kLimitInfinity};    // RLIMIT_SIGPENDING, likewise
    void tell_limits() AIOS_REQUIRES(lock);                      // to those two, and to the descriptors
    SelfDescription description;                                 // prctl and personality
    void set_identity(const Identity& wanted) AIOS_REQUIRES(lock);
    mm::Owned<SignalTimers> timers AIOS_GUARDED_BY(lock);  // made with the first
    bool has_no_more_timers AIOS_GUARDED_BY(lock) = false; // it is ending, or another program takes its place
    std::atomic<std::uint32_t> creation_mask{022};
    std::atomic<std::int32_t> memory_score{0};       // oom_score_adj: kept, and asked by nobody
    HeldText executable;                             // constant; absolute path
    ProgramPlace place;                              // constant once its program is loaded
    FutexTable futexes;                              // of private futexes
    std::atomic<SignalFiles*> signal_files{nullptr}; // made with the first signal descriptor, let go at the end

    using ThreadLock = sync::SpinLock<sync::Rank::thread_list>;
    ThreadLock thread_lock;
    IntrusiveTree<LinuxThread, &LinuxThread::node, &LinuxThread::tid> threads AIOS_GUARDED_BY(thread_lock);
    std::atomic<std::uint64_t> process_pending{0};                // signals sent to the process, taken by any thread
    SignalQueue queued{process_pending};                          // the real-time ones among them; under thread_lock
    std::uint64_t queued_count AIOS_GUARDED_BY(thread_lock) = 0;  // of it and its threads, without those of timers
    std::uint64_t queue_order AIOS_GUARDED_BY(thread_lock) = 0;   // of the last one that came
    SentSignal sent[kSignalCount] AIOS_GUARDED_BY(thread_lock){}; // who sent them: the last of each
    std::atomic<bool> ignores_children{false};                    // they leave no zombies
    std::atomic<bool> has_semaphore_undo{false};                  // SEM_UNDO was asked for
    std::atomic<bool> has_record_locks{false};                    // or had: closing a file drops them
    std::atomic<bool> is_stopped{false};                      // by a signal; its threads wait on their way to user mode
    std::atomic<bool> has_continued{false};                   // its parent has not been told yet
    std::uint32_t continues AIOS_GUARDED_BY(thread_lock) = 0; // how often it was told to go on
    sched::WaitQueue stopped;
    std::atomic<std::uint32_t> threads_staying{0};                      // threads that have not called exit
    std::uint64_t cpu_ns_of_ended AIOS_GUARDED_BY(thread_lock) = 0;     // of threads that are gone
    char program_name[kThreadNameBytes] AIOS_GUARDED_BY(thread_lock){}; // of its first thread, there or not
    bool has_lost_page = false;                                         // while it was loaded; its loading thread's

    // fork: what the child has of its parent, whose thread this runs on.
    std::expected<void, Errno> inherit(LinuxProcess& parent);
    void set_entry(ProcessEntry& entry) { entry_ = &entry; } // before its first thread is made
    void reset_handlers(); // every signal with a handler gets its default action; execve
    void cancel();         // it gets no thread: nobody shall hear of it
    // The data of a thread that waits for its place: list_first_thread() cannot fail any more.
    static Result<LinuxThread*> make_thread(LinuxProcess& process, Thread& thread);
    void list_first_thread(LinuxThread& thread);
    // At most kThreadNameBytes - 1 characters of it.
    void set_name(LinuxThread& thread, std::string_view name);
    bool rename_thread(std::int32_t tid, std::string_view name);             // false: it has no such thread
    void copy_name(const LinuxThread& thread, char (&to)[kThreadNameBytes]); // one of its own
    void set_program_name(std::string_view path);                            // its last component

    // execve, see exec.hpp. Whether this process is to be replaced is decided once: by the first of execve and leave().
    [[nodiscard]] bool yield_to(Ref<Replacement> replacement);

    LinuxProcess(mm::OnHeap, Process& process, Ref<ProcessTable> family, Reservation charge);

private:
    Result<> open_standard(const StartupBlock& startup);
    void note_unanswered(std::uint64_t number);
    Process& process_;
    RefCount references_;
    const Ref<ProcessTable> family_;
    ProcessEntry* entry_ = nullptr; // constant once its first thread runs
    Reservation charge_;
    enum class Fate : std::uint8_t { open, leaves, is_replaced };
    std::atomic<Fate> fate_{Fate::open};
    Ref<Replacement> replacement_; // read by ended()
    bool has_begun_ = false;       // its first thread is listed
    void hand_over(Replacement& replacement);
    void close_all();
    std::atomic<std::uint64_t> unanswered_[8]{}; // one bit a call number that was logged
    std::atomic<bool> unanswered_high_{false};
};

// What a call sees, beside its arguments.
struct Call {
    LinuxProcess& process;
    Thread& thread;
    arch::TrapFrame& frame;
    std::uint64_t number;
    [[nodiscard]] LinuxThread& data() const { return data_of(thread); }
};

// One page for copies between kernel contents and user memory, charged for the length of the call: kernel stacks are
// small, and no lock of a file's pages is held while user memory faults.
class Bounce {
public:
    static constexpr std::size_t kBytes = arch::kPageSize;
    static std::expected<Bounce, Errno> make(LinuxProcess& process); // kNoMemory
    Bounce(Bounce&& other) noexcept : charge_(std::move(other.charge_)), data_(std::exchange(other.data_, nullptr)) {}
    Bounce& operator=(Bounce&&) = delete;
    ~Bounce();
    [[nodiscard]] std::byte* data() { return data_; }
    [[nodiscard]] char* text() { return reinterpret_cast<char*>(data_); } // SAFETY: bytes as characters

private:
    Bounce(Reservation charge, std::byte* data) : charge_(std::move(charge)), data_(data) {}
    Reservation charge_;
    std::byte* data_;
};

// Nanoseconds of a TimeSpec; kInvalid if it is negative or its nanoseconds are not below 10^9. Saturates.
[[nodiscard]] std::expected<std::uint64_t, Errno> nanoseconds_of(const TimeSpec& time);

// A wait was interrupted: answers EINTR. Where no handler runs the call is made again; after a handler only where
// SA_RESTART applies to it. `deadline` of a relative wait, or 0.
[[nodiscard]] std::unexpected<Errno> interrupted_call(Call& call, AfterHandler after, std::uint64_t deadline = 0);

// F_GETLK and its kin, of `file`, which is behind `fd`. lock_calls.cpp
Outcome record_lock(Call& call, Descriptor fd, OpenFile& file, std::uint32_t command, UserInOut<FileLock> user);
// The process has closed a descriptor of the file: its record locks on it go. No locks are held.
void drop_record_locks(LinuxProcess& process, const OpenFile& file);

// F_ADD_SEALS and F_GET_SEALS. memory_file_calls.cpp
Outcome seal_file(OpenFile& file, std::uint32_t command, std::uint64_t argument);

// F_GETPIPE_SZ and F_SETPIPE_SZ; kBadFd: not a pipe.
Outcome pipe_capacity(Call& call, OpenFile& file, std::uint32_t command, std::uint64_t argument);

template <typename Signature>
struct Handler;
template <typename... A>
struct Handler<void(A...)> {
    using Type = Outcome(Call&, A...);
};

// The handlers, one a supported call; coverage.def is the table. Each file *_calls.cpp holds one subject.
using std::int32_t, std::int64_t, std::uint32_t, std::uint64_t;
#define LINUX_CALL(number, name, tier, restart, answered, arguments) Handler<void arguments>::Type call_##name;
#include "personality/linux/coverage.def"
#undef LINUX_CALL

} // namespace aios::linux_abi
