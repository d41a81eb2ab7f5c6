// A reader answers questions from the memory: it holds a read capability on the region, maps it, and searches in place.
#include <chrono>
#include <optional>
#include <thread>

#include "runtime/application/agent.hpp"
#include "runtime/kernel/mapping.hpp"
#include "runtime/memory/search.hpp"

namespace aios::desk {
namespace {

constexpr int kMaxTries = 100; // while memoryd seals the region, 50 ms apart

class Reader {
public:
    explicit Reader(Mapping region) : region_(std::move(region)) {}

    application::Reply answer(const ipc::Incoming& request) {
        const auto question = request.intent.slots.text("question");
        if (!question)
            return ipc::refuse(request.intent, question.error(), "question.answer needs the slot question, a text");
        const auto found = search(*question);
        if (!found) return ipc::failure(request.intent, found.error(), "the memory cannot be searched");
        ipc::Array passages;
        for (const auto& passage : found->passages) {
            passages.emplace_back(
                ipc::Array{bytes_of(passage.file), passage.first, passage.last, passage.score, bytes_of(passage.text)});
        }
        ipc::Array cited;
        for (const std::uint32_t index : found->cited) {
            cited.emplace_back(index);
        }
        return ipc::inform(request.intent, {{"answered", found->answered},
                                            {"confidence", found->confidence},
                                            {"cited", std::move(cited)},
                                            {"passages", std::move(passages)}});
    }

private:
    static ipc::ByteString bytes_of(std::string_view text) {
        const Bytes bytes = std::as_bytes(std::span(text));
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
