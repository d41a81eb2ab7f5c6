// The checker refuses answers whose quotation is not in the cited lines. It trusts no reader and no index: it looks
// into the documents themselves.
#include <map>

#include "examples/desk/job.hpp"
#include "runtime/memory/passages.hpp"

namespace aios::desk {
namespace {

constexpr std::size_t kMaxCachedBytes = 4 << 20;

class Checker {
public:
    explicit Checker(application::Agent& agent) : agent_(agent) {}

    application::Reply check(const ipc::Incoming& request) {
        const auto passages = request.intent.slots.array("passages");
        if (!passages)
            return ipc::refuse(request.intent, passages.error(), "answer.check needs the slot passages, an array");
        ipc::Array verdicts;
        for (const ipc::Value& passage : **passages) {
            const auto verdict = is_in_cited_lines(passage);
            if (!verdict)
                return ipc::refuse(request.intent, verdict.error(),
                                   "a passage is not well-formed, or its file cannot be read");
            verdicts.emplace_back(*verdict);
        }
        return ipc::inform(request.intent, {{"valid", std::move(verdicts)}});
    }

private:
    Result<bool> is_in_cited_lines(const ipc::Value& passage) {
        const ipc::Array& parts = *TRY(passage.array());
        if (parts.size() != 5) return fail(Error::bad_format);
        const std::string_view file = text_of(TRY(parts[0].bytes()));
        const std::int64_t first = TRY(parts[1].integer()), last = TRY(parts[2].integer());
        const std::string_view quotation = text_of(TRY(parts[4].bytes()));
        if (first < 1 || last < first || last > UINT32_MAX) return false;
        const auto document = read(std::string(file));
        if (!document) return document.error() == Error::not_found ? Result<bool>(false) : fail(document.error());
        const std::string_view lines =
            memory::lines_of(**document, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last));
        return lines.find(quotation) != std::string_view::npos;
    }

    static std::string_view text_of(Bytes bytes) {
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; // SAFETY: bytes as characters
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
