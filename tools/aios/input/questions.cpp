#include "tools/aios/input/questions.hpp"

#include <format>

#include "base/utf8.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::host {

namespace {

constexpr std::uint64_t kMaxQuestionFileBytes = 64ull << 20;

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos; }

} // namespace

Outcome<> check_question(std::string_view question, std::string_view place) {
    const auto refuse = [&](std::string_view why) {
        return failure(Exit::bad_input, std::format("{} {}; ask in plain text.", place, why));
    };
    if (is_blank(question)) return refuse("is empty");
    if (question.size() > kMaxQuestionBytes)
        return failure(Exit::bad_input, std::format("{} is {} long; a question may have at most 65,000 bytes.", place,
                                                    human_bytes(question.size())));
    if (!utf8::is_valid(question)) return refuse("is not text (it is not valid UTF-8)");
    for (const char c : question) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f)
            return refuse("is not text (it holds control characters)");
    }
    bool speaks = false;
    for (const char32_t c : utf8::CodePoints(question)) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0xa0;
        speaks = speaks || letter;
    }
    if (!speaks) return refuse("holds no word");
    return {};
}

std::vector<std::string> split_question_lines(std::string_view bytes) {
    if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
    std::vector<std::string> lines;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        std::string_view line = bytes.substr(0, end);
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!is_blank(line)) lines.emplace_back(line);
    }
    return lines;
}

Outcome<std::vector<std::string>> gather_questions(const RunOptions& options, const std::filesystem::path& usual) {
    std::vector<std::string> questions;
    std::size_t number = 0;
    for (const std::string& question : options.questions) {
        HOST_TRY(check_question(question, std::format("question {} (--ask)", ++number)));
        questions.push_back(question);
    }
    std::filesystem::path file;
    if (options.question_file)
        file = *options.question_file;
    else if (questions.empty())
        file = usual;
    if (!file.empty()) {
        const std::string bytes = HOST_TRY(read_file(file, kMaxQuestionFileBytes));
        const std::vector<std::string> lines = split_question_lines(bytes);
        if (lines.empty())
            return failure(Exit::bad_input,
                           std::format("'{}' holds no question; write one a line.", printable(file.native())));
        number = 0;
        for (const std::string& line : lines) {
            HOST_TRY(check_question(line, std::format("question {} of '{}'", ++number, printable(file.native()))));
            questions.push_back(line);
        }
    }
    if (questions.size() > kMaxQuestions)
        return failure(Exit::bad_input, std::format("there are {} questions; at most {} can be put in one run.",
                                                    with_thousands(questions.size()), with_thousands(kMaxQuestions)));
    return questions;
}

} // namespace aios::host
