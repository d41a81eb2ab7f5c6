// The desk: reads the questions of the job, asks the planner for a graph that leads from what is known to a checked
// answer, runs the graph with the agents that the broker chooses, and tells the host each answer, route and refusal.
// Questions are worked on by several threads at once.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <format>
#include <mutex>
#include <thread>

#include "base/bytes.hpp"
#include "examples/desk/job.hpp"
#include "runtime/clients/host.hpp"
#include "runtime/clients/planner.hpp"
#include "runtime/kernel/trace.hpp"

namespace aios::desk {
namespace {

using messages::IntentOf, messages::owned::AnswerCheck, messages::owned::CheckedAnswer;
using messages::owned::ProposedAnswer, messages::owned::QuestionAnswer;

constexpr unsigned kWorkers = 3;
constexpr int kMaxTries = 4;                         // agents that fail at one step
constexpr std::uint64_t kRestart = 20'000'000'000;   // ns for one that has gone to be started again
constexpr std::size_t kMaxPassages = 10;             // of an answer, as the host takes them
constexpr std::uint64_t kPatience = 600'000'000'000; // ns for one step, unless it is as long as the documents are
constexpr std::string_view kTakeIn = "documents.take_in";
constexpr std::string_view kNoAnswer = "no answer in these documents";

struct Failure {
    std::string sentence;
};
template <typename T>
using Outcome = std::expected<T, Failure>;

// What is known of one question while its graph runs.
struct Blackboard {
    std::string question;
    std::vector<messages::owned::Passage> passages;
    std::vector<std::size_t> cited; // places in passages
    bool answered = false;
    bool checked = false;
    std::string agent; // who answered
};

class Desk {
public:
    explicit Desk(application::Agent& agent)
        : agent_(agent), job_(agent.handle(StartupRole::job)), port_(agent.handle(StartupRole::host_port)) {}

    Outcome<std::size_t> run() {
        const auto questions = read_questions();
        if (!questions) return std::unexpected(Failure{"the questions of the job cannot be read"});
        if (questions->empty()) return std::unexpected(Failure{"the job has no questions"});
        // The first question's plan takes the documents in; the others start from there.
        auto first = plan({"documents.available", "question.asked"});
        if (!first) return std::unexpected(first.error());
        if (auto done = work_on(0, (*questions)[0], *first); !done) return std::unexpected(done.error());
        if (questions->size() > 1) {
            auto rest = plan({"memory.ready", "question.asked"});
            if (!rest) return std::unexpected(rest.error());
            if (auto done = work_on_all(*questions, *rest); !done) return std::unexpected(done.error());
        }
        visit();
        return questions->size();
    }

private:
    Result<std::vector<std::string>> read_questions() {
        std::vector<std::string> questions;
        for (const JobFile& file : TRY(list_files(job_, kQuestions))) {
            questions.push_back(TRY(read_file(agent_.self(), job_, file.path)));
        }
        return questions;
    }

    Outcome<orchestration::Graph> plan(const std::vector<std::string>& facts) {
        auto broker = broker_peer();
        std::string why_not;
        auto planner = application::find(broker, {.intent = "plan.make"}, &why_not);
        if (!planner) return std::unexpected(Failure{"no planner: " + why_not});
        tell_route("plan.make", *planner);
        auto graph = clients::make_plan(planner->peer, {.goal = {"answer.checked"}, .initial = facts},
                                        application::now_ns() + kPatience, &why_not);
        if (!graph && why_not.empty())
            return std::unexpected(
                Failure{"the planner did not answer: " + std::string(error_info(graph.error()).sentence)});
        if (!graph) return std::unexpected(Failure{"there is no plan: " + why_not});
        (void)clients::tell_host(port_, messages::owned::Plan{.text = graph->describe()});
        return std::move(*graph);
    }

    Outcome<bool> work_on_all(const std::vector<std::string>& questions, const orchestration::Graph& graph) {
        std::atomic<std::size_t> next{1};
        std::mutex mutex;
        std::string sentence;
        std::vector<std::thread> workers;
        for (unsigned i = 0; i < kWorkers; ++i) {
            workers.emplace_back([&] {
                for (std::size_t at = next++; at < questions.size(); at = next++) {
                    if (const auto done = work_on(at, questions[at], graph); !done) {
                        const std::lock_guard guard(mutex);
                        sentence = done.error().sentence;
                        next = questions.size();
                    }
                }
            });
        }
        for (std::thread& worker : workers) {
            worker.join();
        }
        if (!sentence.empty()) return std::unexpected(Failure{sentence});
        return true;
    }

    // Runs the graph for one question and tells the host the answer.
    Outcome<bool> work_on(std::size_t index, const std::string& question, const orchestration::Graph& graph) {
        (void)begin_trace(question); // what is done for it stands together in the audit log
        Blackboard board;
        board.question = question;
        orchestration::GraphRun run(graph);
        while (!run.is_complete()) {
            const auto nodes = run.startable();
            if (nodes.empty()) return std::unexpected(Failure{"the plan cannot go on"});
            run.started(nodes.front());
            if (const auto done = run_step(graph.nodes[nodes.front()].intent, board); !done)
                return std::unexpected(done.error());
            run.done(nodes.front());
        }
        tell_answer(index, board);
        return true;
    }

    // Asks one agent after the other. When all is lost, the sentence is what the first one answered: that later none
    // was left to be asked only follows from it.
    Outcome<bool> run_step(const std::string& intent, Blackboard& board) {
        std::string first_failure;
        std::string none_found;
        std::uint64_t not_agent = 0;
        const std::uint64_t start = application::now_ns();
        for (int failed = 0; failed < kMaxTries;) {
            auto broker = broker_peer();
            auto found = application::find(broker, {.intent = intent, .not_agent = not_agent}, &none_found);
            bool is_gone = true;
            if (found) {
                tell_route(intent, *found);
                const auto done = ask(*found, intent, board);
                if (done) return true;
                is_gone = done.error().is_gone;
                if (first_failure.empty()) first_failure = done.error().sentence;
            }
            not_agent = found ? found->agent_id : 0;
            if (!is_gone)
                ++failed;
            else if (application::now_ns() - start > kRestart)
                break;
            std::this_thread::sleep_for(std::chrono::milliseconds(250)); // a restart takes its time
        }
        return std::unexpected(Failure{first_failure.empty() ? none_found : first_failure});
    }

    struct NotDone {
        std::string sentence;
        bool is_gone = false; // the other side ended; it may come back
    };

    // Taking documents in lasts as long as they are: whoever dies meanwhile closes the channel, and the run as a whole
    // has its own limit.
    static std::expected<void, NotDone> ask(application::Found& found, const std::string& intent, Blackboard& board) {
        const std::uint64_t deadline = intent == kTakeIn ? kNoDeadline : application::now_ns() + kPatience;
        const auto answer = found.peer.call(request_for(intent, board), {}, deadline);
        const auto not_done = [](std::string sentence, bool is_gone) {
            return std::unexpected(NotDone{std::move(sentence), is_gone});
        };
        if (!answer) {
            const bool is_gone = answer.error() == Error::peer_closed || answer.error() == Error::revoked;
            const std::string_view why = error_info(answer.error()).sentence;
            return not_done(std::format("{} did not answer {}: {}", found.agent, intent, why), is_gone);
        }
        if (!answer->intent.is_positive())
            return not_done(std::format("{} refused {}: {}", found.agent, intent, answer->intent.reason), false);
        if (!take(intent, found.agent, answer->intent.slots, board))
            return not_done(std::format("the answer of {} to {} cannot be read", found.agent, intent), false);
        return {};
    }

    static ipc::Intent request_for(const std::string& intent, const Blackboard& board) {
        if (intent == IntentOf<QuestionAnswer>::kName) return ipc::make_request(QuestionAnswer{board.question});
        if (intent == IntentOf<AnswerCheck>::kName) return ipc::make_request(AnswerCheck{board.passages});
        ipc::Intent request;
        request.name = intent;
        return request;
    }

    // Puts what an agent answered onto the blackboard. Whoever answers may send anything.
    static Result<> take(const std::string& intent, const std::string& agent, const ipc::Slots& slots,
                         Blackboard& board) {
        if (intent == IntentOf<QuestionAnswer>::kName) {
            auto answer = TRY(ipc::from_slots<ProposedAnswer>(slots));
            if (answer.passages.size() > kMaxPassages) return fail(Error::too_large);
            for (const std::uint64_t at : answer.cited)
                if (at >= answer.passages.size()) return fail(Error::bad_format);
            board.answered = answer.answered;
            board.passages = std::move(answer.passages);
            board.cited = {answer.cited.begin(), answer.cited.end()};
            board.agent = agent;
        }
        if (intent == IntentOf<AnswerCheck>::kName) {
            const auto [valid] = TRY(ipc::from_slots<CheckedAnswer>(slots));
            if (valid.size() != board.passages.size()) return fail(Error::bad_format);
            // A passage whose quotation is not in its lines is not shown; without any cited one left there is no
            // answer.
            std::vector<messages::owned::Passage> kept;
            std::vector<std::size_t> cited;
            for (std::size_t i = 0; i < board.passages.size(); ++i) {
                if (!valid[i]) continue;
                if (std::ranges::contains(board.cited, i)) cited.push_back(kept.size());
                kept.push_back(std::move(board.passages[i]));
            }
            board.passages = std::move(kept);
            board.cited = std::move(cited);
            board.answered = board.answered && !board.cited.empty();
            board.checked = true;
        }
        return {};
    }

    void tell_answer(std::size_t index, const Blackboard& board) {
        std::string text;
        for (const std::size_t at : board.cited) {
            if (!board.answered) break;
            if (!text.empty()) text += "\n\n";
            text += as_text(board.passages[at].text);
        }
        if (!board.answered) text = kNoAnswer;
        const Bytes shown = as_bytes(text);
        const auto told = clients::tell_host(port_, messages::owned::Answer{.question = index,
                                                                            .answered = board.answered,
                                                                            .text = {shown.begin(), shown.end()},
                                                                            .agent = board.agent,
                                                                            .passages = board.passages});
        if (!told) std::fprintf(stderr, "desk: answer %zu could not be sent to the host\n", index);
    }

    void tell_route(std::string_view intent, const application::Found& found) {
        (void)clients::tell_host(port_, messages::owned::Route{.intent = std::string(intent),
                                                               .agent = found.agent,
                                                               .why = found.why,
                                                               .candidates = found.candidates});
    }

    // Tells the visitor to read the region, for which it has no capability, and reports what came of it.
    void visit() {
        auto broker = broker_peer();
        auto visitor = application::find(broker, {.intent = "region.read"});
        if (!visitor) return;
        tell_route("region.read", *visitor);
        const auto answer =
            visitor->peer.call(ipc::make_request(messages::owned::RegionRead{}), {}, application::now_ns() + kPatience);
        const std::string text = !answer                        ? "the visitor did not answer"
                                 : answer->intent.is_positive() ? "the visitor read a region without a capability"
                                                                : answer->intent.reason;
        (void)clients::tell_host(
            port_,
            messages::owned::Refusal{.agent = visitor->agent, .text = text, .call = "memory_map", .object = "memory"});
    }

    ipc::Peer broker_peer() const {
        const Handle broker = agent_.handle(StartupRole::broker);
        return ipc::Peer(derive(broker, rights::send | rights::derive | rights::transfer).value_or(OwnedHandle()));
    }

    application::Agent& agent_;
    Handle job_, port_;
};

} // namespace
} // namespace aios::desk

int main() {
    using namespace aios;
    application::Agent agent;
    agent.tell_parent("ready", agent.name());
    desk::Desk desk(agent);
    const auto done = desk.run();
    const std::string text = done ? std::format("{} questions answered", *done) : done.error().sentence;
    (void)clients::tell_host(agent.handle(StartupRole::host_port),
                             messages::owned::Done{.ok = done.has_value(), .text = text});
    agent.tell_parent(done ? "done" : "failed", text, done.has_value());
    return done ? 0 : 1;
}
