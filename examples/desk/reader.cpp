// A reader answers questions from the memory: it holds a read capability on the region, maps it, and searches in place.
#include <chrono>
#include <optional>
#include <thread>

#include "base/bytes.hpp"
#include "runtime/application/agent.hpp"
#include "runtime/ipc/slots_codec.hpp"
#include "runtime/kernel/mapping.hpp"
#include "runtime/memory/search.hpp"

namespace aios::desk {
namespace {

constexpr int kMaxTries = 100; // while memoryd seals the region, 50 ms apart

class Reader {
public:
    explicit Reader(Mapping region) : region_(std::move(region)) {}

    application::Reply answer(const ipc::Incoming& request) {
        const auto asked = ipc::from_slots<messages::owned::QuestionAnswer>(request.intent.slots);
        if (!asked)
            return ipc::refuse(request.intent, asked.error(), "question.answer needs the slot question, a text");
        const auto found = search(asked->question);
        if (!found) return ipc::failure(request.intent, found.error(), "the memory cannot be searched");
        messages::owned::ProposedAnswer proposed{.cited = {found->cited.begin(), found->cited.end()},
                                                 .answered = found->answered,
                                                 .passages = {},
                                                 .confidence = found->confidence};
        for (const auto& passage : found->passages) {
            proposed.passages.push_back({.file = bytes_of(passage.file),
                                         .first = passage.first,
                                         .last = passage.last,
                                         .score = passage.score,
                                         .text = bytes_of(passage.text)});
        }
        return ipc::inform(request.intent, proposed);
    }

private:
    static ipc::ByteString bytes_of(std::string_view text) {
        const Bytes bytes = as_bytes(text);
        return {bytes.begin(), bytes.end()};
    }

    Result<memory::Answer> search(std::string_view question) {
        Result<memory::Answer> answer = fail(Error::busy);
        for (int attempt = 0; attempt < kMaxTries; ++attempt) {
            if (!view_ || view_->changed()) {
                view_.reset();
                if (auto opened = memory::IndexView::open(region_.bytes()); opened) {
                    view_.emplace(std::move(*opened));
                } else if (opened.error() != Error::busy) {
                    return fail(opened.error());
                }
            }
            if (view_) answer = memory::search(*view_, question);
            if (answer || answer.error() != Error::busy) return answer;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return answer;
    }

    Mapping region_;
    std::optional<memory::IndexView> view_;
};

} // namespace
} // namespace aios::desk

int main() {
    using namespace aios;
    application::Agent agent;
    auto region = Mapping::map(agent.self(), agent.handle(StartupRole::region), kProtectRead);
    if (!region) {
        agent.tell_parent("failed", "a reader has no readable memory region", false);
        return 1;
    }
    desk::Reader reader(std::move(*region));
    agent.offer({.intent = "question.answer",
                 .description = "answers a question by quoting passages of the documents in memory",
                 .inputs = {{"question", ipc::ValueType::text}},
                 .preconditions = {"memory.ready", "question.asked"},
                 .effects = {"answer.proposed"},
                 .cost = 2},
                [&](auto& request) { return reader.answer(request); });
    return agent.run();
}
