// The desk: reads the questions of the job, asks the planner for a graph that leads from what is known to a checked
// answer, runs the graph with the agents that the broker chooses, and tells the host each answer, route and refusal.
// Questions are worked on by several threads at once.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <format>
#include <mutex>
#include <thread>

#include "examples/desk/job.hpp"

namespace aios::desk {
namespace {

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
    ipc::Value passages = ipc::Array{};
    std::vector<std::size_t> cited;
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
        ipc::Intent request;
        request.name = "plan.make";
        request.slots = {{"initial", orchestration::texts_value(facts)},
                         {"goal", orchestration::texts_value({"answer.checked"})}};
        const auto answer = planner->peer.call(request, {}, application::now_ns() + kPatience);
        if (!answer)
            return std::unexpected(
                Failure{"the planner did not answer: " + std::string(error_info(answer.error()).sentence)});
        if (!answer->intent.is_positive())
            return std::unexpected(Failure{"there is no plan: " + answer->intent.reason});
        const ipc::Value* value = answer->intent.slots.find("graph");
        auto graph = value != nullptr ? orchestration::graph_from(*value) : fail(Error::not_found);
        if (!graph) return std::unexpected(Failure{"the planner's graph cannot be read"});
        (void)tell_host(port_, "plan", 1, [&](cbor::Encoder& out) { out.key(1).text(graph->describe()); });
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
        ipc::Intent request;
        request.name = intent;
        if (intent == "question.answer") request.slots.set("question", board.question);
        if (intent == "answer.check") request.slots.set("passages", board.passages);
        return request;
    }

    // Whoever answers may send anything: [file, first line, last line, score, text] or nothing.
    static Result<> check_form(const ipc::Value& passage) {
        const ipc::Array& parts = *TRY(passage.array());
        if (parts.size() != 5) return fail(Error::bad_format);
        TRY(parts[0].bytes());
        if (TRY(parts[1].integer()) < 0 || TRY(parts[2].integer()) < 0) return fail(Error::bad_format);
        if (!std::isfinite(TRY(parts[3].real()))) return fail(Error::bad_format);
        TRY(parts[4].bytes());
        return {};
    }

    // Puts what an agent answered onto the blackboard.
    static Result<> take(const std::string& intent, const std::string& agent, const ipc::Slots& slots,
                         Blackboard& board) {
        if (intent == "question.answer") {
            const ipc::Array& passages = *TRY(slots.array("passages"));
            if (passages.size() > kMaxPassages) return fail(Error::too_large);
            for (const ipc::Value& passage : passages) {
                TRY(check_form(passage));
            }
            std::vector<std::size_t> cited;
            for (const ipc::Value& index : *TRY(slots.array("cited"))) {
                const std::int64_t at = TRY(index.integer());
                if (at < 0 || static_cast<std::size_t>(at) >= passages.size()) return fail(Error::bad_format);
                cited.push_back(static_cast<std::size_t>(at));
            }
            board.answered = TRY(slots.boolean("answered"));
            board.passages = passages;
            board.cited = std::move(cited);
            board.agent = agent;
        }
        if (intent == "answer.check") {
            const ipc::Array& valid = *TRY(slots.array("valid"));
            ipc::Array passages = **board.passages.array();
            if (valid.size() != passages.size()) return fail(Error::bad_format);
            // A passage whose quotation is not in its lines is not shown; without any cited one left there is no
            // answer.
            ipc::Array kept;
            std::vector<std::size_t> cited;
            for (std::size_t i = 0; i < passages.size(); ++i) {
                if (!TRY(valid[i].boolean())) continue;
                if (std::ranges::contains(board.cited, i)) cited.push_back(kept.size());
                kept.push_back(std::move(passages[i]));
            }
            board.passages = std::move(kept);
            board.cited = std::move(cited);
            board.answered = board.answered && !board.cited.empty();
            board.checked = true;
        }
        return {};
    }

    void tell_answer(std::size_t index, const Blackboard& board) {
        const ipc::Array& passages = **board.passages.array();
        ipc::ByteString text;
        auto append = [&](Bytes bytes) { text.insert(text.end(), bytes.begin(), bytes.end()); };
        if (board.answered) {
            for (const std::size_t at : board.cited) {
                if (!text.empty()) append(std::as_bytes(std::span("\n\n", 2)));
                append((*passages[at].array())->at(4).bytes().value_or(Bytes()));
            }
        } else {
            append(std::as_bytes(std::span(kNoAnswer)));
        }
        const auto told = tell_host(port_, "answer", 5, [&](cbor::Encoder& out) {
            out.key(1).uint(index);
            out.key(2).boolean(board.answered);
            out.key(3).bytes(text);
            out.key(4).text(board.agent);
            out.key(5).array(passages.size());
            for (const ipc::Value& passage : passages) {
                const ipc::Array& parts = **passage.array();
                out.array(5).bytes(parts[0].bytes().value_or(Bytes()));
                out.uint(static_cast<std::uint64_t>(parts[1].integer().value_or(0)));
                out.uint(static_cast<std::uint64_t>(parts[2].integer().value_or(0)));
                out.float64(parts[3].real().value_or(0));
                out.bytes(parts[4].bytes().value_or(Bytes()));
            }
        });
        if (!told) std::fprintf(stderr, "desk: answer %zu could not be sent to the host\n", index);
    }

    void tell_route(std::string_view intent, const application::Found& found) {
        (void)tell_host(port_, "route", 4, [&](cbor::Encoder& out) {
            out.key(1).text(intent);
            out.key(2).text(found.agent);
            out.key(3).text(found.why);
            out.key(4).array(found.candidates.size());
            for (const auto& [name, score] : found.candidates) {
                out.array(2).text(name).float64(score);
            }
        });
    }

    // Tells the visitor to read the region, for which it has no capability, and reports what came of it.
    void visit() {
        auto broker = broker_peer();
        auto visitor = application::find(broker, {.intent = "region.read"});
        if (!visitor) return;
        tell_route("region.read", *visitor);
        ipc::Intent request;
        request.name = "region.read";
        const auto answer = visitor->peer.call(request, {}, application::now_ns() + kPatience);
        const std::string text = !answer                        ? "the visitor did not answer"
                                 : answer->intent.is_positive() ? "the visitor read a region without a capability"
                                                                : answer->intent.reason;
        (void)tell_host(port_, "refusal", 4, [&](cbor::Encoder& out) {
            out.key(1).text(visitor->agent);
            out.key(2).text(text);
            out.key(3).text("memory_map");
            out.key(4).text("memory");
        });
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
    (void)desk::tell_host(agent.handle(StartupRole::host_port), "done", 2, [&](cbor::Encoder& out) {
        out.key(1).boolean(done.has_value());
        out.key(2).text(text);
    });
    agent.tell_parent(done ? "done" : "failed", text, done.has_value());
    return done ? 0 : 1;
}
