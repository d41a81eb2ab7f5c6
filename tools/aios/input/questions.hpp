// The questions of a run: from --ask, from a file with one a line, or those that come with the example.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tools/aios/host/outcome.hpp"
#include "tools/aios/input/run_options.hpp"

namespace aios::host {

inline constexpr std::size_t kMaxQuestionBytes = 65'000; // with its intent it fits one message of 64 KiB
inline constexpr std::size_t kMaxQuestions = 10'000;

// Checks one question: UTF-8 text, not blank, within kMaxQuestionBytes, no control characters but tab and line end.
// `place` names it in the refusal.
[[nodiscard]] Outcome<> check_question(std::string_view question, std::string_view place);

// The lines of a question file. Blank lines are passed over; CRLF and a byte order mark are taken off.
[[nodiscard]] std::vector<std::string> split_question_lines(std::string_view bytes);

// --ask first, then --ask-file; with neither, `usual`. Refuses with bad_input.
[[nodiscard]] Outcome<std::vector<std::string>> gather_questions(const RunOptions& options,
                                                                 const std::filesystem::path& usual);

} // namespace aios::host
