// What abi/messages.def becomes for people: the rules of abi/messages.cddl and docs/reference/messages.md. Both files are in
// git, so that a change of a message is a visible difference; a unit test compares them with what these functions make.
#pragma once

#include <string>
#include <string_view>

namespace aios::abigen {

[[nodiscard]] std::string message_reference();

// The CDDL file with the rule of each message as the table has it. All else in it stays: its sections, their text, and
// rules that are no messages. A rule that is missing is added at the end.
[[nodiscard]] std::string update_cddl(std::string_view file);

} // namespace aios::abigen
