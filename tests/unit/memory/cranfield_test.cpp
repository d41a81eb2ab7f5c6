// The quality of ranking and refusal on the Cranfield collection, and what it costs. The figures are printed; the
// bounds are those that the engine has to keep. Skips where the shared data are missing.
//
// The documents are written as people export them, in several forms, and the bounds hold for each. The rule that
// refuses has its threshold from six collections together; to see that it does not live on these questions alone, the
// threshold is also chosen anew on four fifths of the questions and judged on the rest.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <sstream>

#include "tests/support/json.hpp"
#include "tests/unit/memory/support.hpp"

namespace aios::memory {
namespace {

struct Judged {
    std::string text;
    std::map<std::string, int> gains; // by file name
};

struct Collection {
    std::vector<aios::test::Json> documents;
    std::vector<Judged> questions;
    std::vector<std::string> foreign;
};

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> result;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        result.push_back(line);
    return result;
}

bool load(Collection& collection) {
    std::string documents;
    std::string questions;
    std::string foreign;
    if (!aios::test::read_shared("retrieval/cranfield/documents.jsonl", documents) ||
        !aios::test::read_shared("retrieval/cranfield/dev-queries.jsonl", questions) ||
        !aios::test::read_shared("retrieval/cranfield/dev-foreign-questions.txt", foreign)) {
        return false;
    }
    for (const std::string& line : lines(documents))
        collection.documents.push_back(aios::test::read_json(line));
    for (const std::string& line : lines(questions)) {
        const auto json = aios::test::read_json(line);
        Judged question{json["query"].text, {}};
        for (const auto& [id, gain] : json["relevant"].members) {
            question.gains[id + ".txt"] = static_cast<int>(gain.number);
        }
        collection.questions.push_back(std::move(question));
    }
    collection.foreign = lines(foreign);
    return true;
}

std::string wrapped(const std::string& text) {
    std::istringstream stream(text);
    std::string result;
    std::size_t column = 0;
    for (std::string word; stream >> word;) {
        if (column > 0 && column + 1 + word.size() > 80) {
            result += '\n';
            column = 0;
        } else if (column > 0) {
            result += ' ';
            ++column;
        }
        result += word;
        column += word.size();
    }
    return result + "\n";
}

enum class Form { title_and_line, wrapped, one_line, text_alone };

std::string written(const aios::test::Json& document, Form form) {
    const std::string& title = document["title"].text;
    const std::string& text = document["text"].text;
    switch (form) {
    case Form::title_and_line:
        return title + "\n\n" + text + "\n";
    case Form::wrapped:
        return wrapped(title) + "\n" + wrapped(text);
    case Form::one_line:
        return title + " " + text;
    case Form::text_alone:
        return text + "\n";
    }
    return {};
}

// Normalised discounted cumulative gain at 10 (Jarvelin and Kekalainen 2002), with the gain as given or 2^gain - 1.
double ndcg(const Judged& question, const Answer& answer, bool exponential) {
    const auto value = [&](int gain) { return exponential ? std::exp2(gain) - 1 : gain; };
    double found = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(10, answer.passages.size()); ++i) {
        const auto gain = question.gains.find(answer.passages[i].file);
        if (gain != question.gains.end()) found += value(gain->second) / std::log2(static_cast<double>(i) + 2);
    }
    std::vector<int> ideal;
    for (const auto& [file, gain] : question.gains)
        ideal.push_back(gain);
    std::ranges::sort(ideal, std::greater<>{});
    double best = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(10, ideal.size()); ++i) {
        best += value(ideal[i]) / std::log2(static_cast<double>(i) + 2);
    }
    return best > 0 ? found / best : 0;
}

double share(const std::vector<double>& values, auto predicate) {
    return static_cast<double>(std::ranges::count_if(values, predicate)) / static_cast<double>(values.size());
}

double balanced(const std::vector<double>& own, const std::vector<double>& foreign, double threshold) {
    return (share(own, [&](double c) { return c >= threshold; }) +
            share(foreign, [&](double c) { return c < threshold; })) /
           2;
}

// The mean balanced accuracy over five parts, each judged by the threshold that is best on the four others.
double cross_validated(const std::vector<double>& own, const std::vector<double>& foreign) {
    double sum = 0;
    for (std::size_t part = 0; part < 5; ++part) {
        std::vector<double> sets[4];
        for (std::size_t i = 0; i < own.size(); ++i)
            sets[i % 5 == part ? 0 : 1].push_back(own[i]);
        for (std::size_t i = 0; i < foreign.size(); ++i)
            sets[i % 5 == part ? 2 : 3].push_back(foreign[i]);
        double best = 0;
        for (double threshold = 0; threshold <= 1; threshold += 0.01) {
            if (balanced(sets[1], sets[3], threshold) > balanced(sets[1], sets[3], best)) best = threshold;
        }
        sum += balanced(sets[0], sets[2], best) / 5;
    }
    return sum;
}

class Cranfield : public testing::TestWithParam<std::pair<Form, const char*>> {};

TEST_P(Cranfield, KeepsItsFigures) {
    Collection collection;
    if (!load(collection)) GTEST_SKIP() << "retrieval/cranfield is not in the shared folder";
    using Clock = std::chrono::steady_clock;
    const auto milliseconds = [](Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); };

    const auto start = Clock::now();
    IndexBuilder builder;
    for (const auto& document : collection.documents) {
        const std::string text = written(document, GetParam().first);
        ASSERT_TRUE(builder.add(std::to_string(document["id"].number) + ".txt", as_bytes(text)));
    }
    const test::Region region = test::sealed(builder);
    const auto built = Clock::now();
    const auto view = IndexView::open(region.view());
    ASSERT_TRUE(view);
    EXPECT_TRUE(view->verify());

    double linear = 0;
    double exponential = 0;
    std::vector<double> own;
    std::vector<double> foreign;
    const auto asked = Clock::now();
    for (const Judged& question : collection.questions) {
        const auto answer = search(*view, question.text);
        ASSERT_TRUE(answer);
        ASSERT_EQ(answer->passages.size(), 10U);
        linear += ndcg(question, *answer, false) / static_cast<double>(collection.questions.size());
        exponential += ndcg(question, *answer, true) / static_cast<double>(collection.questions.size());
        own.push_back(answer->confidence);
    }
    const auto answered = Clock::now();
    for (const std::string& question : collection.foreign)
        foreign.push_back(search(*view, question)->confidence);

    const double accuracy = balanced(own, foreign, 0.5);
    const double validated = cross_validated(own, foreign);
    std::printf(
        "cranfield, %s: nDCG@10 %.4f (2^gain-1: %.4f), balanced accuracy %.3f (threshold cross-validated: %.3f), "
        "answered %.0f of %zu, refused %.0f of %zu, build %.0f ms, %.1f ms a question, index %.2f MB for %.2f MB\n",
        GetParam().second, linear, exponential, accuracy, validated,
        share(own, [](double c) { return c >= 0.5; }) * static_cast<double>(own.size()), own.size(),
        share(foreign, [](double c) { return c < 0.5; }) * static_cast<double>(foreign.size()), foreign.size(),
        milliseconds(built - start), milliseconds(answered - asked) / static_cast<double>(collection.questions.size()),
        static_cast<double>(view->bytes()) / 1e6, static_cast<double>(builder.text_bytes()) / 1e6);
    EXPECT_GE(linear, 0.35);
    EXPECT_GE(exponential, 0.35);
    EXPECT_GE(accuracy, 0.85);
    EXPECT_GE(validated, 0.85);
    EXPECT_LE(view->bytes(), 32U << 20);
}

INSTANTIATE_TEST_SUITE_P(Forms, Cranfield,
                         testing::Values(std::pair(Form::title_and_line, "title and one line"),
                                         std::pair(Form::wrapped, "wrapped at 80 columns"),
                                         std::pair(Form::one_line, "all on one line"),
                                         std::pair(Form::text_alone, "text alone")));

} // namespace
} // namespace aios::memory
