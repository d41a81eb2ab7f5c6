// See expression.hpp.
#include "runtime/planning/expression.hpp"

namespace aios::planning {

namespace {

class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    Expression whole() {
        skip();
        Expression made = one(0);
        skip();
        if (at_ != text_.size()) throw Complaint{line_, "has more text behind its end"};
        return made;
    }

private:
    void skip() {
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == ';') {
                while (at_ + 1 < text_.size() && text_[at_ + 1] != '\n')
                    ++at_;
            } else if (c == '\n') {
                ++line_;
            } else if (c != ' ' && c != '\t' && c != '\r' && c != '\f') {
                return;
            }
        }
    }

    Expression one(unsigned nesting) {
        if (at_ == text_.size()) throw Complaint{line_, "ends before its brackets close"};
        if (nesting > kMaxNesting) throw Complaint{line_, "is nested too deeply"};
        Expression made;
        made.line = line_;
        if (text_[at_] == ')') throw Complaint{line_, "has a bracket that closes nothing"};
        if (text_[at_] != '(') {
            while (at_ < text_.size() && std::string_view("() \t\r\n\f;").find(text_[at_]) == std::string_view::npos) {
                const char c = text_[at_++];
                made.word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            }
            return made;
        }
        ++at_;
        for (skip(); at_ < text_.size() && text_[at_] != ')'; skip())
            made.items.push_back(one(nesting + 1));
        if (at_ == text_.size()) throw Complaint{made.line, "has a bracket that does not close"};
        ++at_;
        return made;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    unsigned line_ = 1;
};

} // namespace

Expression read_expression(std::string_view text) { return Reader(text).whole(); }

} // namespace aios::planning
