// execve and execveat; exec.hpp tells how one program follows another.
#include <algorithm>
#include <cstring>

#include "base/format.hpp"
#include "kernel/mm/size_classes.hpp"
#include "personality/linux/process.hpp"
#include "personality/linux/signal_timer.hpp"
#include "personality/linux/start.hpp"

namespace aios::linux_abi {
namespace {

constexpr std::size_t kMaxArgumentBytes = 2u << 20; // strings and their pointers: a quarter of the stack, as on Linux
constexpr std::size_t kMaxStringBytes = 32 * arch::kPageSize;
constexpr unsigned kMaxScripts = 5; // interpreters of interpreters

// Strings one after another, each ended by NUL, on the heap; grows by doubling.
class StringBlock {
public:
    explicit StringBlock(Payer& payer) : payer_(&payer) {}
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] std::size_t count() const { return count_; }
    [[nodiscard]] mm::OwnedBytes take() { return std::move(data_); }
    [[nodiscard]] std::string_view view() const {
        return {reinterpret_cast<const char*>(data_.data()), bytes_}; // SAFETY: bytes as characters
    }

    Errno add(std::string_view text) {
        if (const Errno error = reserve(text.size() + 1); error != Errno{}) return error;
        std::memcpy(data_.data() + bytes_, text.data(), text.size());
        data_.data()[bytes_ + text.size()] = std::byte{};
        bytes_ += text.size() + 1;
        ++count_;
        return Errno{};
    }
    Errno add_block(std::string_view block, std::size_t count) { // strings with their ends
        if (const Errno error = reserve(block.size()); error != Errno{}) return error;
        std::memcpy(data_.data() + bytes_, block.data(), block.size());
        bytes_ += block.size();
        count_ += count;
        return Errno{};
    }
    // Page by page: it may end just before memory that is not mapped.
    Errno fetch(UserIn<std::byte> text) {
        std::size_t length = 0;
        for (;;) {
            const std::size_t part =
                std::min<std::size_t>(256, arch::kPageSize - (text.address() + length) % arch::kPageSize);
            if (const Errno error = reserve(part); error != Errno{}) return error;
            std::byte* const to = data_.data() + bytes_;
            if (!text.read_array(length, to, part)) return kFault;
            const void* const end = std::memchr(to, 0, part);
            const std::size_t got = end != nullptr ? static_cast<const std::byte*>(end) - to + 1 : part;
            bytes_ += got;
            length += got;
            if (length > kMaxStringBytes) return kTooBig;
            if (end != nullptr) break;
        }
        ++count_;
        return Errno{};
    }
    // All strings of a vector that ends with a null pointer; a null vector has none.
    Errno fetch_all(UserIn<std::uint64_t> vector) {
        if (vector.is_null()) return Errno{};
        for (std::uint64_t i = 0;; ++i) {
            const auto pointer = vector.read(i);
            if (!pointer) return kFault;
            if (*pointer == 0) return Errno{};
            if (const Errno error = fetch(UserIn<std::byte>(*pointer)); error != Errno{}) return error;
        }
    }

private:
    Errno reserve(std::size_t more) {
        if (bytes_ + more + count_ * sizeof(std::uint64_t) > kMaxArgumentBytes) return kTooBig;
        if (bytes_ + more <= room_) return Errno{};
        const std::size_t room = std::min(std::max({room_ * 2, bytes_ + more, std::size_t{1024}}), kMaxArgumentBytes);
        auto larger = mm::OwnedBytes::make(*payer_, room);
        if (!larger) return kNoMemory;
        if (bytes_ != 0) std::memcpy(larger->data(), data_.data(), bytes_);
        data_ = std::move(*larger);
        room_ = room;
        return Errno{};
    }
    Payer* payer_;
    mm::OwnedBytes data_;
    std::size_t bytes_ = 0, room_ = 0, count_ = 0;
};

std::expected<FoundProgram, Errno> program_at(Call& call, Lookup& lookup) {
    const Ref<fs::Node> node = LINUX_TRY(lookup.node());
    if (!node || node->info().kind != fs::NodeKind::file) return std::unexpected(kAccess);
    if (lookup.must_be_directory()) return std::unexpected(kNotDirectory);
    if ((node->info().mode & 0111) == 0) return std::unexpected(kAccess);
    if (const Errno error = lookup.admit(node.get(), kMayExecute); error != Errno{}) return std::unexpected(error);
    if (const Errno error = lookup.permit(rights::execute); error != Errno{}) return std::unexpected(error);
    FoundProgram found;
    found.image = LINUX_TRY(node->pages());
    char path[kPathRoom + 1] = "/";
    const std::string_view absolute = lookup.target() ? lookup.target()->path() : lookup.absolute();
    std::memcpy(path + 1, absolute.data(), absolute.size());
    found.path = LINUX_TRY(HeldText::copy(call.process.quota(), {path, absolute.size() + 1}));
    return found;
}

// What follows "#!": the interpreter's path and at most one argument. kNoExec.
struct ScriptLine {
    char text[256];
    std::size_t bytes = 0;
    std::string_view interpreter, argument;
    bool parse() {
        std::string_view rest(text + 2, bytes - 2);
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos && bytes == sizeof(text) &&
            rest.find_first_of(" \t") == std::string_view::npos)
            return false; // the path itself may have been cut
        rest = rest.substr(0, std::min(end, rest.find('\0')));
        while (rest.ends_with(' ') || rest.ends_with('\t'))
            rest.remove_suffix(1);
        rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
        if (rest.empty()) return false;
        const std::size_t gap = rest.find_first_of(" \t");
        interpreter = rest.substr(0, gap);
        if (gap == std::string_view::npos) return true;
        argument = rest.substr(gap);
        argument.remove_prefix(argument.find_first_not_of(" \t"));
        return true;
    }
};

// Follows "#!" lines: `found` becomes the interpreter, and its path and argument go before the script's name, `name`.
Errno follow_scripts(Call& call, FoundProgram& found, StringBlock& arguments, std::string_view name) {
    auto held = HeldText::copy(call.process.quota(), name);
    if (!held) return kNoMemory;
    for (unsigned depth = 0;; ++depth) {
        ScriptLine line;
        line.bytes = std::min<std::uint64_t>(found.image->bytes(), sizeof(line.text));
        if (!found.image->read(0, line.text, line.bytes)) return kIo;
        if (line.bytes < 2 || line.text[0] != '#' || line.text[1] != '!') return Errno{};
        if (depth == kMaxScripts) return kLoop;
        if (!line.parse()) return kNoExec;
        StringBlock fresh(call.process.quota());
        const std::string_view old = arguments.view();
        const std::size_t first = arguments.count() == 0 ? 0 : old.find('\0') + 1; // argv[0] goes
        Errno error = fresh.add(line.interpreter);
        if (error == Errno{} && !line.argument.empty()) error = fresh.add(line.argument);
        if (error == Errno{}) error = fresh.add(held->view());
        if (error == Errno{} && arguments.count() > 1)
            error = fresh.add_block(old.substr(first), arguments.count() - 1);
        if (error != Errno{}) return error;
        auto interpreter = find_program(call, line.interpreter);
        if (!interpreter) return interpreter.error();
        auto next = HeldText::copy(call.process.quota(), line.interpreter);
        if (!next) return kNoMemory;
        found = std::move(*interpreter);
        held = std::move(*next);
        std::swap(arguments, fresh);
    }
}

Errno errno_of_loading(Error error) {
    switch (error) {
    case Error::bad_format:
    case Error::unsupported:
    case Error::truncated:
    case Error::too_large:
    case Error::already_exists: // segments that lie where something else does
        return kNoExec;
    case Error::integrity:
        return kIo;
    case Error::missing_right:
        return kAccess;
    default:
        return errno_of(error);
    }
}

// Step (2): the first thread of the new process. It owns a reference to the replacement.
void load_and_wait(void* argument) {
    auto replacement = Ref<Replacement>::adopt(static_cast<Replacement*>(argument));
    LinuxProcess& process = *replacement->linux_process;
    Thread& thread = Thread::current();
    LinuxThread* data = nullptr;
    const auto load = [&]() -> Result<ProgramEntry> {
        data = TRY(LinuxProcess::make_thread(process, thread));
        Replacement& r = *replacement;
        // SAFETY: bytes as characters.
        const ProgramStart start{r.image,
                                 "", // its own name it has already
                                 reinterpret_cast<const char*>(r.arguments.data()),
                                 r.argument_bytes,
                                 reinterpret_cast<const char*>(r.environment.data()),
                                 r.environment_bytes,
                                 "", // it stays where it was
                                 "", // and sees what it saw
                                 0,
                                 &process.family().startup};
        return load_program(process, start);
    };
    const Result<ProgramEntry> entry = load();
    if (entry) {
        replacement->image.reset();
        replacement->arguments = {};
        replacement->environment = {};
    } else {
        replacement->error = process.has_lost_page ? kNoMemory : errno_of_loading(entry.error());
    }
    // release: pairs with the caller's acquire
    replacement->state.store(entry ? Replacement::State::loaded : Replacement::State::failed,
                             std::memory_order_release);
    replacement->caller.wake_one();
    if (entry) {
        const auto is_decided = [&] {
            const auto state = replacement->state.load(std::memory_order_acquire);
            return state == Replacement::State::begins || state == Replacement::State::abandoned;
        };
        (void)replacement->loader.wait(sched::kNever, is_decided, sched::Interruptible::no);
    }
    if (!entry || replacement->state.load(std::memory_order_acquire) == Replacement::State::abandoned) {
        mm::destroy(data);
        drop_queued(process, replacement->queued);
        replacement.reset(); // nothing on this stack may own anything when it is left for good
        Thread::exit_current();
    }
    data->blocked = replacement->blocked;
    data->pending = replacement->pending.load();
    move_queued(process, replacement->queued, process, data->queued);
    data->schedule = replacement->schedule;
    data->timer_slack = replacement->timer_slack;
    process.list_first_thread(*data);
    if (has_deliverable(process, *data)) thread.interrupt();
    const arch::TrapFrame frame = entry->frame;
    replacement.reset();
    arch::enter_user(frame);
}

// Steps (1) to (3). Answers only if it failed.
Errno replace(Call& call, FoundProgram found, std::string_view name, StringBlock& arguments, StringBlock& environment) {
    Agent& agent = call.process.agent();
    Quota& quota = call.process.quota();
    const auto prepared = [&]() -> Result<Ref<Replacement>> {
        Reservation charge = TRY(Reservation::make(quota, Resource::memory, mm::cost_of<Replacement>));
        auto made = Ref<Replacement>::adopt(TRY(mm::make<Replacement>(std::move(charge))));
        Ref<mm::AddressSpace> memory = TRY(mm::AddressSpace::create(quota, agent.jit()));
        made->process = TRY(Process::create(agent, std::move(memory), nullptr, Process::Making::goes_on));
        return made;
    }();
    if (!prepared) return prepared.error() == Error::quota_exceeded ? kNoMemory : errno_of(prepared.error());
    Replacement& r = **prepared;
    const auto begun = [&]() -> Result<> {
        auto process = TRY(LinuxProcess::create(*r.process, call.process.family(), found.path.view()));
        process->set_program_name(name); // as it was called: a link's or a script's
        r.linux_process = process.release();
        r.process->set_personality(r.linux_process);
        r.image = std::move(found.image);
        r.argument_bytes = arguments.bytes();
        r.environment_bytes = environment.bytes();
        r.arguments = arguments.take();
        r.environment = environment.take();
        r.retain(); // the thread's
        auto thread = r.process->create_kernel_thread(load_and_wait, &r);
        if (!thread) {
            r.release();
            return fail(thread.error());
        }
        (*thread)->start();
        return {};
    }();
    r.process->made();
    const auto give_up = [&](Errno error) {
        r.process->exit(EndReason::killed, 0);
        r.process.reset();
        return error;
    };
    if (!begun) return give_up(begun.error() == Error::quota_exceeded ? kAgain : errno_of(begun.error()));
    const auto is_loaded = [&] { return r.state.load(std::memory_order_acquire) != Replacement::State::loading; };
    (void)r.caller.wait(sched::kNever, is_loaded, sched::Interruptible::no);
    if (r.state.load(std::memory_order_acquire) == Replacement::State::failed) return give_up(r.error);
    r.blocked = call.data().blocked.load();
    r.pending = call.data().pending.load();
    move_queued(call.process, call.data().queued, *r.linux_process, r.queued);
    r.timer_slack = call.data().timer_slack;
    {
        ProcessTable::Lock::Guard guard(call.process.family().lock);
        r.schedule = call.data().schedule;
    }
    if (!call.process.yield_to(*prepared)) { // it ends already
        r.state.store(Replacement::State::abandoned, std::memory_order_release);
        r.loader.wake_one();
        return give_up(kInterrupted);
    }
    return Errno{};
}

Outcome execute(Call& call, FoundProgram found, std::string_view name, UserIn<std::uint64_t> arguments,
                UserIn<std::uint64_t> environment) {
    {
        StringBlock argument_block(call.process.quota()), environment_block(call.process.quota());
        Errno error = argument_block.fetch_all(arguments);
        if (error == Errno{} && argument_block.count() == 0) error = argument_block.add("");
        if (error == Errno{}) error = environment_block.fetch_all(environment);
        if (error == Errno{} && argument_block.bytes() + environment_block.bytes() > kMaxArgumentBytes) error = kTooBig;
        if (error == Errno{}) error = follow_scripts(call, found, argument_block, name);
        if (error == Errno{}) error = replace(call, std::move(found), name, argument_block, environment_block);
        if (error != Errno{}) return refuse(error);
    }
    return 0; // never seen: the thread is on its way out
}

} // namespace

std::expected<FoundProgram, Errno> find_program(Call& call, std::string_view path) {
    auto lookup = LINUX_TRY(Lookup::resolve_text(call, path, Follow::yes));
    return program_at(call, lookup);
}

// What comes to the new process stands behind all that still comes to the old one.
constexpr std::uint64_t kLaterOrder = 1ull << 32;

// Step (4): no thread of this process is left.
void LinuxProcess::hand_over(Replacement& replacement) {
    LinuxProcess& next = *replacement.linux_process;
    // Nobody else changes either process, but signals, which go by the entry. Others may look (process_view.hpp), so what is
    // handed over leaves under the one lock and arrives under the other: two of a rank are not taken.
    FileTable handed;
    HeldText directory;
    mm::Owned<ActionTable> handlers;
    mm::Owned<SignalTimers> running;
    Limits kept;
    Identity who;
    mm::OwnedBytes groups_of_it;
    std::uint32_t how_many_groups;
    {
        Lock::Guard guard(lock);
        handed.swap(files);
        std::swap(directory, working_directory);
        std::swap(handlers, actions);
        std::swap(running, timers);
        has_no_more_timers = true;
        kept = limits;
        who = identity;
        std::swap(groups_of_it, groups);
        how_many_groups = std::exchange(group_count, 0);
    }
    who.follow_program();
    if (running) { // the interval timers and those of limits go on, those of timer_create end
        for (auto& timer : running->of)
            timer = {};
    }
    {
        Lock::Guard guard(next.lock);
        std::swap(next.timers, running);
        next.files.swap(handed);
        std::swap(next.working_directory, directory);
        std::swap(next.actions, handlers);
        next.limits = kept;
        next.set_identity(who);
        next.tell_limits();
        std::swap(next.groups, groups_of_it);
        next.group_count = how_many_groups;
    }
    {
        ThreadLock::Guard guard(thread_lock);
        // No analysis: nobody sends signals to the other process yet.
        [&]() AIOS_NO_LOCK_ANALYSIS {
            std::memcpy(next.sent, sent, sizeof(sent));
            next.queue_order = queue_order + kLaterOrder;
        }();
        entry_->cpu_ns += cpu_ns_of_ended;
    }
    next.memory_score = memory_score.load();
    next.description.follow(description, SelfDescription::Heir::program);
    if (SignalFiles* const watchers = signal_files.load()) { // of descriptors that stay open
        watchers->retain();
        next.signal_files.store(watchers);
    }
    next.creation_mask = creation_mask.load();
    next.reset_handlers();
    for (std::uint32_t fd = 0; fd < kMaxFiles;) {
        Ref<OpenFile> file;
        {
            Lock::Guard guard(next.lock);
            file = next.files.remove_next(fd, FileTable::Which::close_on_exec);
        }
        if (file) drop_record_locks(*this, *file);
    }
    next.has_record_locks = has_record_locks.load();
    next.has_semaphore_undo = has_semaphore_undo.load();
    next.entry_ = entry_;
    family_->replace(*std::exchange(entry_, nullptr), next);
    move_queued(*this, queued, next, next.queued);
    next.process_pending.fetch_or(process_pending.load()); // all that came before; later ones come to `next`
    replacement.state.store(Replacement::State::begins, std::memory_order_release);
    replacement.loader.wake_one();
    replacement_.reset();
}

Outcome call_execve(Call& call, UserIn<char> path, UserIn<std::uint64_t> arguments, UserIn<std::uint64_t> environment) {
    return call_execveat(call, kHere, path, arguments, environment, Flags < kAtSymlinkNoFollow | kAtEmptyPath > (0));
}

Outcome call_execveat(Call& call, Descriptor directory, UserIn<char> path, UserIn<std::uint64_t> arguments,
                      UserIn<std::uint64_t> environment, Flags<kAtSymlinkNoFollow | kAtEmptyPath> flags) {
    if (LINUX_TRY(names_descriptor(path, flags.bits))) {
        const auto file = LINUX_TRY(file_of(call, directory));
        if (file->node() == nullptr || file->is_directory() || file->is_link()) return refuse(kAccess);
        if ((file->node()->info().mode & 0111) == 0 || !file->may(rights::execute)) return refuse(kAccess);
        char name[24];
        const std::string_view text = format_to(name, "/dev/fd/{}", directory.number);
        FoundProgram found;
        found.image = LINUX_TRY(file->node()->pages());
        char opened[kPathRoom + 1];
        found.path =
            LINUX_TRY(HeldText::copy(call.process.quota(), format_to(opened, "/{}", file->path()))); // what exe says
        return execute(call, std::move(found), text, arguments, environment);
    }
    auto lookup =
        LINUX_TRY(Lookup::resolve(call, directory, path, flags.has(kAtSymlinkNoFollow) ? Follow::no : Follow::yes));
    if (flags.has(kAtSymlinkNoFollow)) {
        const Ref<fs::Node> node = LINUX_TRY(lookup.node());
        if (node && node->info().kind == fs::NodeKind::link) return refuse(kLoop);
    }
    FoundProgram found = LINUX_TRY(program_at(call, lookup));
    return execute(call, std::move(found), lookup.text(), arguments, environment);
}

} // namespace aios::linux_abi
