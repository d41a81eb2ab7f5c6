#include "tools/abigen/messages.hpp"

#include <algorithm>
#include <format>
#include <utility>
#include <vector>

namespace aios::abigen {

namespace {

struct Field {
    std::string_view key; // "7", or a name in quotes; empty in an array
    std::string_view name;
    std::string_view type; // as the table has it
    std::string_view note;
};
struct Message {
    std::string_view name, rule, shape, note;
    std::vector<Field> fields;
};
struct IntentRow {
    std::string_view name, performative, request, answer, service, note;
};

const std::vector<Message> kMessages = {
#define MESSAGE(Name, rule, shape, note)                                                                               \
    {                                                                                                                  \
        #Name, rule, #shape, note, {
#define FIELD(key, name, Type, note) {#key, #name, #Type, note},
#define NAMED(name, Type, note) {#name, #name, #Type, note},
#define ITEM(name, Type, note) {"", #name, #Type, note},
#define END(Name)                                                                                                      \
    }                                                                                                                  \
    }                                                                                                                  \
    ,
#include "abi/messages.def"
};

const std::vector<IntentRow> kIntents = {
#define INTENT(name, performative, Request, Answer, service, note)                                                     \
    {name, #performative, #Request, #Answer, service, note},
#include "abi/messages.def"
};

std::string_view rule_of(std::string_view name) {
    const auto found = std::ranges::find(kMessages, name, &Message::name);
    return found == kMessages.end() ? name : found->rule;
}

// What stands between the angle brackets of `type` if its name is `name`, or nothing.
std::string_view argument_of(std::string_view type, std::string_view name) {
    if (!type.starts_with(name) || type.substr(name.size(), 1) != "<") return {};
    return type.substr(name.size() + 1, type.size() - name.size() - 2);
}

bool is_optional(const Field& field) { return !argument_of(field.type, "Optional").empty(); }

std::string cddl_type(std::string_view type) {
    constexpr std::pair<std::string_view, std::string_view> kPlain[] = {
        {"Uint", "uint"}, {"Int", "int"},          {"Bool", "bool"}, {"Float", "float"},
        {"Text", "text"}, {"ByteString", "bytes"}, {"Hash", "hash"}};
    for (const auto& [name, word] : kPlain)
        if (type == name) return std::string(word);
    if (const auto inner = argument_of(type, "Optional"); !inner.empty()) return cddl_type(inner);
    if (const auto inner = argument_of(type, "List"); !inner.empty()) return "[* " + cddl_type(inner) + "]";
    if (const auto count = argument_of(type, "Uints"); !count.empty()) return std::format("[{}*{} uint]", count, count);
    if (const auto text = argument_of(type, "Word"); !text.empty()) return std::string(text);
    if (const auto number = argument_of(type, "Number"); !number.empty()) return std::string(number);
    if (const auto rule = argument_of(type, "Item"); !rule.empty()) return std::string(rule.substr(1, rule.size() - 2));
    return std::string(rule_of(type));
}

// `text`, and a comment in a column of its own if there is one.
std::string line(std::string text, std::string_view comment) {
    constexpr std::size_t kColumn = 37;
    if (comment.empty()) return text + "\n";
    text.resize(std::max(text.size() + 1, kColumn), ' ');
    return std::format("{}; {}\n", text, comment);
}

std::string cddl_rule(const Message& message) {
    const bool is_array = message.shape == "array";
    std::string out = line(std::format("{} = {}", message.rule, is_array ? '[' : '{'), message.note);
    for (const Field& field : message.fields) {
        const bool is_numbered = !is_array && message.shape != "slots";
        std::string comment(is_numbered ? field.name : "");
        if (!comment.empty() && !field.note.empty()) comment += ": ";
        comment += field.note;
        out += line(std::format("  {}{}: {},", is_optional(field) ? "? " : "", is_array ? field.name : field.key,
                                cddl_type(field.type)),
                    comment);
    }
    if (message.shape == "open_map") out += "  * uint => any,\n";
    if (message.shape == "slots") out += "  * text => value,\n";
    return out + (is_array ? "]\n" : "}\n");
}

// Where the line "rule = ..." starts, with any number of spaces; the end of the file if there is none.
std::size_t start_of_rule(std::string_view file, std::string_view rule) {
    const std::string head = std::format("\n{} ", rule);
    for (std::size_t at = file.find(head); at != file.npos; at = file.find(head, at + 1)) {
        const std::size_t sign = file.find_first_not_of(' ', at + head.size());
        if (sign != file.npos && file[sign] == '=') return at + 1;
    }
    return file.size();
}

// Where the rule that starts at `start` ends, behind its line end: its brackets are closed.
std::size_t end_of_rule(std::string_view file, std::size_t start) {
    int depth = 0;
    while (start < file.size()) {
        const std::size_t end = std::min(file.find('\n', start), file.size() - 1) + 1;
        for (const char c : file.substr(start, std::min(file.find(';', start), end) - start))
            depth += (c == '{' || c == '[' || c == '(') - (c == '}' || c == ']' || c == ')');
        start = end;
        if (depth <= 0) break;
    }
    return start;
}

std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text)
        out += c == '|' ? std::string("\\|") : std::string(1, c);
    return out;
}

} // namespace

std::string update_cddl(std::string_view file) {
    std::string out(file);
    for (const Message& message : kMessages) {
        const std::size_t start = start_of_rule(out, message.rule);
        out.replace(start, end_of_rule(out, start) - start, cddl_rule(message));
    }
    return out;
}

std::string message_reference() {
    std::string out =
        "# Messages\n\n"
        "Made from `abi/messages.def` by `tools/abigen`; do not edit. The same table makes the structures "
        "`aios::messages::view::NAME` and\n"
        "`aios::messages::owned::NAME`, their encoder and decoder (`messages/`), and the rules of "
        "`abi/messages.cddl`. All messages are\n"
        "CBOR in its core deterministic encoding. Of a `map` all keys are known; of an `open_map` and of `slots` a "
        "reader passes over others;\n"
        "an `array` has its fields in this order, without keys.\n\n"
        "## Intents that are answered\n\n"
        "| intent | performative | answered by | request | answer | what for |\n| --- | --- | --- | --- | --- | --- "
        "|\n";
    for (const IntentRow& row : kIntents)
        out += std::format("| `{}` | {} | {} | {} | {} | {} |\n", row.name, row.performative, row.service, row.request,
                           row.answer, row.note);
    for (const Message& message : kMessages) {
        out += std::format("\n## {}\n\n`{}`, {}", message.name, message.rule, message.shape);
        out += message.note.empty() ? ".\n" : std::format(": {}.\n", message.note);
        if (message.fields.empty()) continue;
        out += "\n| key | field | type | |\n| --- | --- | --- | --- |\n";
        for (const Field& field : message.fields)
            out += std::format("| {} | {} | `{}`{} | {} |\n", field.key, field.name, cddl_type(field.type),
                               is_optional(field) ? ", optional" : "", cell(field.note));
    }
    return out;
}

} // namespace aios::abigen
