#include <algorithm>
#include <cstdlib>
#include <format>
#include <fstream>
#include <iterator>
#include <set>

#include "base/utf8.hpp"
#include "tests/scenario/scenario.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::scenario {

namespace {

// Lines `first` to `last` of a text, as a quotation shows them: without the last line's end.
std::string lines_of(std::string_view text, std::size_t first, std::size_t last) {
    std::string out;
    for (std::size_t number = 1; number <= last; ++number) {
        const auto end = text.find('\n');
        if (number >= first) out += std::string(text.substr(0, end)) + "\n";
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return out;
}

} // namespace

void World::put(std::string_view name, std::string_view bytes) const {
    const std::filesystem::path path = scratch / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
}

std::string World::get(const std::filesystem::path& path) const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

host::Captured World::aios(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                           std::chrono::seconds limit) const {
    std::filesystem::create_directories(scratch / "tmp");
    std::vector<std::string> command = {"env", "TMPDIR=" + at("tmp")};
    command.insert(command.end(), environment.begin(), environment.end());
    command.push_back((root / "aios").native());
    command.insert(command.end(), arguments.begin(), arguments.end());
    return host::capture_process(command, limit);
}

test::Json World::read_report() const {
    const auto report = test::Json::parse(get(at("json")));
    const auto schema = test::Json::parse(get(root / "docs" / "report.schema.json"));
    const std::string why = test::schema_error(schema, report);
    EXPECT_SAYING(why.empty(), why);
    return report;
}

test::Json World::run(std::vector<std::string> arguments, std::string_view preset) const {
    arguments.insert(arguments.begin(), "run");
    for (const char* more : {"--json", "--audit-log"}) {
        arguments.emplace_back(more);
        arguments.push_back(at(more + 2));
    }
    std::filesystem::remove(at("json"));
    const host::Captured done = aios(arguments, {std::format("AIOS_PRESET={}", preset)});
    EXPECT_SAYING(done.status == 0, std::format("status {}, {}", done.status, done.err));
    const test::Json report = read_report();
    EXPECT(report.at("outcome") == "well" && report.at("cause") == "");
    EXPECT(report.at("audit").at("root") == report.at("audit").at("kernel_root"));
    EXPECT(std::filesystem::is_empty(at("tmp")));
    return report;
}

namespace {

// The last line is the sentence, and the only one that speaks as "aios:".
void check_sentence(std::string_view text, std::string_view part_of_sentence) {
    while (text.ends_with('\n'))
        text.remove_suffix(1);
    const std::string_view sentence =
        text.substr(text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1);
    EXPECT_SAYING(sentence.starts_with("aios: ") && (sentence.ends_with('.') || sentence.ends_with('?')),
                  std::string(sentence));
    EXPECT_SAYING(sentence.find(part_of_sentence) != std::string_view::npos, std::string(sentence));
    EXPECT(text.find("\naios: ") == std::string_view::npos || text.rfind("\naios: ") == text.find("\naios: "));
}

} // namespace

void World::refuses(int status, std::vector<std::string> arguments, std::string_view part_of_sentence,
                    const std::vector<std::string>& environment) const {
    arguments.insert(arguments.begin(), "run");
    arguments.insert(arguments.end(), {"--json", at("json")});
    std::filesystem::remove(at("json")); // of a run before
    const host::Captured done = aios(arguments, environment);
    EXPECT_SAYING(done.status == status, std::format("status {} instead of {}: {}", done.status, status, done.err));
    check_sentence(done.err, part_of_sentence);
    EXPECT(!std::filesystem::exists(at("json")));
    EXPECT(std::filesystem::is_empty(at("tmp")));
}

test::Json World::fails(int status, std::vector<std::string> arguments, std::string_view part_of_sentence) const {
    arguments.insert(arguments.begin(), "run");
    arguments.insert(arguments.end(), {"--json", at("json"), "--audit-log", at("audit-log")});
    for (const char* file : {"json", "audit-log"})
        std::filesystem::remove(at(file));
    const host::Captured done = aios(arguments);
    EXPECT_SAYING(done.status == status, std::format("status {} instead of {}: {}", done.status, status, done.err));
    check_sentence(done.err, part_of_sentence);
    const test::Json report = read_report();
    EXPECT(report.at("exit_status") == status);
    EXPECT_SAYING(done.err.find("aios: " + report.at("cause").get<std::string>()) != std::string::npos,
                  report.at("cause").dump());
    EXPECT(std::filesystem::exists(at("audit-log")));
    EXPECT(std::filesystem::is_empty(at("tmp")));
    return report;
}

void World::check_quotations(const test::Json& report, const std::filesystem::path& documents) const {
    for (const test::Json& answer : report.at("answers")) {
        std::set<std::string> files;
        std::string before;
        double previous = 1e300;
        for (const test::Json& passage : answer.at("passages")) {
            const std::string file = passage.at("file");
            const std::string quoted = passage.at("text");
            const std::size_t first = passage.at("first");
            const std::size_t last = passage.at("last");
            const double score = passage.at("score");
            const bool follows_its_head = file == before && score == previous;
            EXPECT_SAYING(files.insert(file).second || follows_its_head, "two passages from " + file);
            EXPECT_SAYING(score <= previous, "passages are not best first");
            previous = score;
            before = file;
            EXPECT(first <= last);
            EXPECT_SAYING(std::filesystem::exists(documents / file), file);
            const std::string cited = host::to_utf8(lines_of(get(documents / file), first, last));
            EXPECT_SAYING(!quoted.empty() && cited.find(quoted) != std::string::npos,
                          std::format("{}:{}-{} does not hold '{}'", file, first, last, quoted));
        }
    }
}

std::vector<Scenario>& scenarios() {
    static std::vector<Scenario> all;
    return all;
}

void fail_at(const char* file, int line, const std::string& what) {
    throw Failed(std::format("{}:{} {}", std::filesystem::path(file).filename().native(), line, what));
}

} // namespace aios::scenario
