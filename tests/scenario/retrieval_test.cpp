// The Cranfield collection beside the project (../shared/retrieval): quality of ranking and of refusing, and the time
// that a large run takes. The figures are printed; the bars are those of the budget.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <format>
#include <map>
#include <sstream>

#include "tests/scenario/scenario.hpp"

namespace aios::scenario {

namespace {

std::filesystem::path shared_folder(const World& world) {
    const char* given = std::getenv("AIOS_SHARED");
    return given != nullptr && *given != '\0' ? std::filesystem::path(given) : world.root.parent_path() / "shared";
}

std::vector<test::Json> json_lines(const std::string& text) {
    std::vector<test::Json> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        out.push_back(test::Json::parse(line));
    }
    return out;
}

struct Question {
    std::string text;
    std::map<std::string, double> gains; // by document
};

// Normalised discounted cumulative gain of the first ten.
double ndcg(const test::Json& answer, const Question& question) {
    double found = 0;
    for (std::size_t i = 0; i < answer.at("passages").size() && i < 10; ++i) {
        const auto gain = question.gains.find(answer.at("passages").at(i).at("file").get<std::string>());
        if (gain != question.gains.end()) found += gain->second / std::log2(static_cast<double>(i) + 2);
    }
    std::vector<double> ideal;
    for (const auto& [document, gain] : question.gains)
        ideal.push_back(gain);
    std::ranges::sort(ideal, std::greater());
    double best = 0;
    for (std::size_t i = 0; i < ideal.size() && i < 10; ++i)
        best += ideal[i] / std::log2(static_cast<double>(i) + 2);
    return best == 0 ? 0 : found / best;
}

std::string id_text(const test::Json& id) { return id.is_string() ? id.get<std::string>() : id.dump(); }

} // namespace

SCENARIO(retrieval_cranfield) {
    const auto folder = shared_folder(world) / "retrieval" / "cranfield";
    if (!std::filesystem::exists(folder / "documents.jsonl")) SKIP("../shared/retrieval/cranfield is not there");
    for (const test::Json& document : json_lines(world.get(folder / "documents.jsonl")))
        world.put(std::format("docs/{}.txt", id_text(document.at("id"))),
                  document.at("title").get<std::string>() + "\n\n" + document.at("text").get<std::string>() + "\n");
    std::vector<Question> questions;
    for (const test::Json& query : json_lines(world.get(folder / "dev-queries.jsonl"))) {
        Question question{query.at("query").get<std::string>(), {}};
        for (const auto& [document, gain] : query.at("relevant").items())
            question.gains[document + ".txt"] = gain.get<double>();
        questions.push_back(std::move(question));
    }
    std::vector<std::string> foreign;
    std::istringstream lines(world.get(folder / "dev-foreign-questions.txt"));
    for (std::string line; std::getline(lines, line);)
        if (!line.empty()) foreign.push_back(line);
    EXPECT(!questions.empty() && !foreign.empty());

    std::string all;
    for (const Question& question : questions) {
        std::string text = question.text;
        std::ranges::replace(text, '\n', ' ');
        all += text + "\n";
    }
    for (const std::string& question : foreign)
        all += question + "\n";
    world.put("questions", all);
    const auto report = world.run({"--docs", world.at("docs"), "--ask-file", world.at("questions")});
    world.check_quotations(report, world.at("docs"));
    EXPECT(report.at("answers").size() == questions.size() + foreign.size());

    double sum = 0;
    double answered = 0;
    double refused = 0;
    for (std::size_t i = 0; i < report.at("answers").size(); ++i) {
        const test::Json& answer = report.at("answers").at(i);
        EXPECT(answer.at("passages").size() == 10);
        const bool says_yes = answer.at("answered").get<bool>();
        if (i < questions.size()) {
            sum += ndcg(answer, questions[i]);
            answered += says_yes ? 1 : 0;
        } else {
            refused += says_yes ? 0 : 1;
        }
    }
    const double mean = sum / static_cast<double>(questions.size());
    const double balanced =
        (answered / static_cast<double>(questions.size()) + refused / static_cast<double>(foreign.size())) / 2;
    say(std::format(
        "nDCG@10 {:.4f} (budget: 0.35); answered {} of {}, refused {} of {}, balanced accuracy {:.3f} (budget: 0.85)",
        mean, answered, questions.size(), refused, foreign.size(), balanced));
    say(std::format("{} documents and {} questions: {:.1f} s (budget: 180 s)", report.at("boot").at("documents").dump(),
                    report.at("answers").size(), report.at("boot").at("run_seconds").get<double>()));
    EXPECT(mean >= 0.35);
    EXPECT(balanced >= 0.85);
}

SCENARIO(start_counted_in_instructions) {
    world.put("docs/one.txt", "The kettle boils at a hundred degrees.\n");
    const auto report =
        world.run({"--docs", world.at("docs"), "--ask", "At what does the kettle boil?", "--icount", "--smp", "1"});
    // Under icount a tick of the counter is an instruction, if the counter runs at 1 GHz.
    const double instructions =
        report.at("boot").at("entry_to_first_user_ms").get<double>() * 1e6; // 1 ns of guest time each
    say(std::format("from entry to the first user instruction: {:.1f} million instructions (budget: 60)",
                    instructions / 1e6));
    EXPECT(instructions > 0);
}

} // namespace aios::scenario
