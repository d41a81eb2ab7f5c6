// The checker refuses answers whose quotation is not in the cited lines. It trusts no reader and no index: it looks
// into the documents themselves.
#include <map>

#include "base/bytes.hpp"
#include "examples/desk/job.hpp"
#include "runtime/ipc/slots_codec.hpp"
#include "runtime/memory/passages.hpp"

namespace aios::desk {
namespace {

constexpr std::size_t kMaxCachedBytes = 4 << 20;

class Checker {
public:
    explicit Checker(application::Agent& agent) : agent_(agent) {}

    application::Reply check(const ipc::Incoming& request) {
        const auto asked = ipc::from_slots<messages::owned::AnswerCheck>(request.intent.slots);
        if (!asked)
            return ipc::refuse(request.intent, asked.error(),
                               "answer.check needs the slot passages, an array of well-formed passages");
        messages::owned::CheckedAnswer verdicts;
        for (const messages::owned::Passage& passage : asked->passages) {
            const auto verdict = is_in_cited_lines(passage);
            if (!verdict) return ipc::refuse(request.intent, verdict.error(), "the file of a passage cannot be read");
            verdicts.valid.push_back(*verdict);
        }
        return ipc::inform(request.intent, verdicts);
    }

private:
    Result<bool> is_in_cited_lines(const messages::owned::Passage& passage) {
        if (passage.first < 1 || passage.last < passage.first || passage.last > UINT32_MAX) return false;
        const auto document = read(std::string(as_text(passage.file)));
        if (!document) return document.error() == Error::not_found ? Result<bool>(false) : fail(document.error());
        const std::string_view lines = memory::lines_of(**document, static_cast<std::uint32_t>(passage.first),
                                                        static_cast<std::uint32_t>(passage.last));
        return lines.find(as_text(passage.text)) != std::string_view::npos;
    }

    Result<const std::string*> read(const std::string& name) {
        if (const auto found = cache_.find(name); found != cache_.end()) return &found->second;
        std::string text =
            TRY(read_file(agent_.self(), agent_.handle(StartupRole::job), std::string(kDocuments) + name));
        if (cached_bytes_ + text.size() > kMaxCachedBytes) {
            cache_.clear();
            cached_bytes_ = 0;
        }
        cached_bytes_ += text.size();
        return &cache_.emplace(name, std::move(text)).first->second;
    }

    application::Agent& agent_;
    std::map<std::string, std::string> cache_;
    std::size_t cached_bytes_ = 0;
};

} // namespace
} // namespace aios::desk

int main() {
    using namespace aios;
    application::Agent agent;
    desk::Checker checker(agent);
    agent.offer({.intent = "answer.check",
                 .description = "checks that every quotation of an answer is in the lines that it cites",
                 .inputs = {{"passages", ipc::ValueType::array}},
                 .preconditions = {"answer.proposed"},
                 .effects = {"answer.checked"},
                 .cost = 1},
                [&](auto& request) { return checker.check(request); });
    return agent.run();
}
