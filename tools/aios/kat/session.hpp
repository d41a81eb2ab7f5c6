// Cuts what arrives on standard input into lines and answers each: exactly one answer a line, in order, whatever the
// line holds. A line beyond kMaxLine is not kept; it is answered when it ends.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace aios::host::kat {

class Session {
public:
    // Gets an answer with its line end.
    using Give = std::function<void(std::string_view)>;

    // Takes a piece of input of any size; answers the lines that end in it.
    void feed(std::string_view piece, const Give& give);
    // The end of input: answers a last line that has no line end.
    void finish(const Give& give);

private:
    void end_line(const Give& give);

    std::string line_;
    bool too_long_ = false;
    bool started_ = false; // something of a line is there
};

} // namespace aios::host::kat
