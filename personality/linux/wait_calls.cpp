// wait4 and waitid: what a process hears of its children. Zombies and news stand in the parent's own tree, by number; a walk
// over them takes a few under one hold of the table's lock and goes on behind the last.
#include "personality/linux/process_file.hpp"
#include "personality/linux/signals.hpp"

namespace aios::linux_abi {
namespace {

struct Question {
    enum class Whose : std::uint8_t { any, one, group } whose = Whose::any;
    std::int32_t number = 0;
    std::uint32_t options = 0;
};
struct Answer {
    std::int32_t pid = 0;
    ChildNews news = ChildNews::none;
    std::uint32_t status = 0; // as wait4 tells it
    std::uint64_t cpu_ns = 0;
};
enum class Look : std::uint8_t { answered, not_yet, no_child };

bool is_asked_for(const Question& question, const ProcessEntry& child) {
    if (question.whose == Question::Whose::one && child.pid != question.number) return false;
    if (question.whose == Question::Whose::group && child.group->number != question.number) return false;
    // Children that end with another signal than SIGCHLD are "clone children".
    if ((question.options & kWaitAll) != 0) return true;
    return ((question.options & kWaitClone) != 0) == (child.exit_signal != kSigChild);
}

bool is_wanted(const Question& question, ChildNews news) {
    switch (news) {
    case ChildNews::ended:
        return (question.options & kWaitExited) != 0;
    case ChildNews::stopped:
        return (question.options & kWaitStopped) != 0;
    case ChildNews::continued:
        return (question.options & kWaitContinued) != 0;
    case ChildNews::none:
        return false;
    }
    AIOS_UNREACHABLE();
}

// Looks at the children of `parent`: those with news first, then whether there is one to wait for at all.
class Looker {
public:
    Looker(ProcessTable& family, ProcessEntry& parent, const Question& question)
        : family_(family), parent_(parent), question_(question) {}

    Look look(Answer& answer) {
        ProcessEntry* zombie = nullptr;
        const Look found = walk<true>(answer, zombie);
        if (zombie != nullptr) family_.discard(*zombie);
        if (found == Look::answered) return found;
        return walk<false>(answer, zombie) == Look::answered ? Look::not_yet : Look::no_child;
    }

private:
    template <bool with_news>
    Look walk(Answer& answer, ProcessEntry*& zombie) {
        std::int32_t next = question_.whose == Question::Whose::one ? question_.number : ProcessTable::kFirst;
        for (;;) {
            ProcessTable::Lock::Guard guard(family_.lock);
            ProcessEntry* child = with_news ? parent_.tellers.lower_bound(next) : parent_.children.lower_bound(next);
            for (unsigned i = 0; i < ProcessTable::kAtOnce && child != nullptr; ++i) {
                if (question_.whose == Question::Whose::one && child->pid != question_.number) return Look::no_child;
                if (is_asked_for(question_, *child)) {
                    if (!with_news) return Look::answered;
                    if (is_wanted(question_, child->news)) {
                        zombie = take_locked(*child, answer);
                        return Look::answered;
                    }
                }
                next = child->pid + 1;
                child = with_news ? parent_.tellers.next(*child) : parent_.children.next(*child);
            }
            if (child == nullptr) return Look::no_child;
        }
    }

    ProcessEntry* take_locked(ProcessEntry& child, Answer& answer) AIOS_REQUIRES(family_.lock) {
        family_.lock.assert_held();
        answer = {child.pid, child.news, child.status, child.cpu_ns + child.children_cpu_ns};
        if ((question_.options & kWaitKeep) != 0) return nullptr;
        if (child.news == ChildNews::ended) {
            family_.take_zombie_locked(child);
            return &child;
        }
        child.news = ChildNews::none;
        parent_.tellers.erase(child);
        return nullptr;
    }

    ProcessTable& family_;
    ProcessEntry& parent_;
    const Question& question_;
};

// Blocks until there is an answer; pid 0: none yet, and kWaitNoHang was asked for. kNoChild, kInterrupted.
std::expected<Answer, Errno> wait_for(Call& call, const Question& question) {
    ProcessTable& family = call.process.family();
    Looker looker(family, call.process.entry(), question);
    Answer answer;
    Look found = looker.look(answer);
    if (found == Look::not_yet && (question.options & kWaitNoHang) == 0) {
        const auto is_over = [&] { return (found = looker.look(answer)) != Look::not_yet; };
        if (family.waiters_of(call.process.pid()).wait(sched::kNever, is_over) == sched::Outcome::interrupted)
            return interrupted_call(call, AfterHandler::restarts);
    }
    if (found == Look::no_child) return std::unexpected(kNoChild);
    return found == Look::answered ? answer : Answer{};
}

Errno write_usage(UserOut<Usage> to, std::uint64_t ns) {
    if (to.is_null()) return Errno{};
    Usage usage{};
    usage.user = {static_cast<std::int64_t>(ns / 1'000'000'000), static_cast<std::int64_t>(ns % 1'000'000'000 / 1000)};
    return to.write(usage) ? Errno{} : kFault;
}

} // namespace

Outcome call_wait4(Call& call, std::int32_t pid, UserOut<std::uint32_t> status,
                   Flags<kWaitNoHang | kWaitStopped | kWaitContinued | kWaitNoThread | kWaitAll | kWaitClone> options,
                   UserOut<Usage> usage) {
    if (pid == INT32_MIN) return refuse(kNoProcess);
    Question question;
    question.options = static_cast<std::uint32_t>(options.bits) | kWaitExited;
    if (pid > 0) {
        question.whose = Question::Whose::one;
        question.number = pid;
    } else if (pid != -1) {
        question.whose = Question::Whose::group;
        question.number = -pid;
        if (pid == 0) question.number = call.process.group();
    }
    const Answer answer = LINUX_TRY(wait_for(call, question));
    if (answer.pid == 0) return 0;
    if (!status.is_null()) LINUX_TRY(status.write(answer.status));
    if (const Errno error = write_usage(usage, answer.cpu_ns); error != Errno{}) return refuse(error);
    return answer.pid;
}

Outcome call_waitid(
    Call& call, std::int32_t kind, std::int32_t id, UserOut<ChildInfo> out,
    Flags<kWaitNoHang | kWaitStopped | kWaitExited | kWaitContinued | kWaitKeep | kWaitNoThread | kWaitAll | kWaitClone>
        options,
    UserOut<Usage> usage) {
    constexpr std::int32_t kAll = 0, kPid = 1, kGroup = 2, kProcessFile = 3; // P_ALL ...
    if (!options.has(kWaitExited | kWaitStopped | kWaitContinued)) return refuse(kInvalid);
    Question question;
    question.options = static_cast<std::uint32_t>(options.bits);
    switch (kind) {
    case kAll:
        break;
    case kPid:
        if (id <= 0) return refuse(kInvalid);
        question.whose = Question::Whose::one;
        question.number = id;
        break;
    case kGroup:
        if (id < 0) return refuse(kInvalid);
        question.whose = Question::Whose::group;
        question.number = id != 0 ? id : call.process.group();
        break;
    case kProcessFile: {
        if (id < 0) return refuse(kInvalid);
        const auto file = LINUX_TRY(file_of(call, Descriptor(static_cast<std::uint64_t>(id))));
        question.whose = Question::Whose::one;
        question.number = LINUX_TRY(process_of(*file));
        if (file->non_blocking) question.options |= kWaitNoHang;
        break;
    }
    default:
        return refuse(kInvalid);
    }
    const Answer answer = LINUX_TRY(wait_for(call, question));
    if (const Errno error = write_usage(usage, answer.cpu_ns); error != Errno{}) return refuse(error);
    // A descriptor that does not wait says so itself.
    if (answer.pid == 0 && kind == kProcessFile && !options.has(kWaitNoHang)) return refuse(kAgain);
    if (out.is_null()) return 0;
    ChildInfo info{};
    if (answer.pid != 0) {
        const SentSignal news = child_signal(kSigChild, answer.pid, answer.news, answer.status);
        info.signal = kSigChild;
        info.code = news.code;
        info.pid = answer.pid;
        info.status = static_cast<std::int32_t>(news.value);
    }
    LINUX_TRY(out.write(info));
    return 0;
}

} // namespace aios::linux_abi
