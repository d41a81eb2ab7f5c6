// Answers come as the crew finds them; they are shown in the order of the questions. One that is early waits for those
// before it, until the run is over.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace aios::host {

class AnswerOrder {
public:
    explicit AnswerOrder(std::function<void(const std::string&)> show) : show_(std::move(show)) {}

    // The text that is to be shown for a question; each question once.
    void take(std::uint64_t question, std::string text) {
        waiting_.emplace(question, std::move(text));
        while (!waiting_.empty() && waiting_.begin()->first == next_) {
            show_first();
            ++next_;
        }
    }
    // The run is over: what still waits is shown, though some before it are missing.
    void finish() {
        while (!waiting_.empty())
            show_first();
    }

private:
    void show_first() {
        show_(waiting_.begin()->second);
        waiting_.erase(waiting_.begin());
    }

    std::function<void(const std::string&)> show_;
    std::map<std::uint64_t, std::string> waiting_;
    std::uint64_t next_ = 0;
};

} // namespace aios::host
