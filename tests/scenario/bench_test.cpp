// The kernel benchmark: a figure is printed and written, it is the same again, and a row that got worse is named.
#include <format>

#include "tests/scenario/scenario.hpp"

namespace aios::scenario {

SCENARIO(bench_kernel_prints_a_figure_that_can_be_compared) {
    const std::string file = world.at("figures.json");
    const auto first = world.aios({"bench", "kernel", "--quick", "--row", "null", "--json", file});
    EXPECT_SAYING(first.status == 0, first.err);
    EXPECT_SAYING(first.out.find("\nnull ") != std::string::npos, first.out);
    EXPECT_SAYING(first.out.find("the column Linux was skipped: ") != std::string::npos, first.out);
    const std::string text = world.get(file);
    const std::size_t value = text.find("\"value\": ");
    EXPECT_SAYING(value != std::string::npos, text);
    // Instructions of one call: with none there would be no figure, with a thousand it would not be a null call.
    const double figure = std::stod(text.substr(value + 9));
    EXPECT_SAYING(figure > 30 && figure < 1000, text);

    const std::vector<std::string> compare = {"bench", "kernel", "--quick", "--row", "null", "--compare", "--baseline"};
    const auto again = [&](const std::string& baseline) {
        auto arguments = compare;
        arguments.push_back(baseline);
        return world.aios(arguments);
    };
    const auto same = again(file);
    EXPECT_SAYING(same.status == 0 && same.out.find("none is worse") != std::string::npos, same.out + same.err);
    // A baseline that was better by 4 %.
    const std::size_t end = text.find_first_of(",\n", value);
    world.put("better.json", text.substr(0, value + 9) + std::format("{:.3f}", figure / 1.04) + text.substr(end));
    const auto worse = again(world.at("better.json"));
    EXPECT_SAYING(worse.status == 5, std::format("status {}: {}", worse.status, worse.err));
    EXPECT_SAYING(worse.err.find("row 'null' got worse by 4.0 %") != std::string::npos, worse.err);
}

SCENARIO(bench_says_what_is_wrong) {
    for (const std::vector<std::string>& wrong :
         std::vector<std::vector<std::string>>{{"bench"},
                                               {"bench", "memory"},
                                               {"bench", "kernel", "--row"},
                                               {"bench", "kernel", "--row", "nothing"},
                                               {"bench", "kernel", "--fast"},
                                               {"bench", "crypto", "--row", "null"}}) {
        const auto done = world.aios(wrong);
        EXPECT_SAYING(done.status == 2, std::format("{}: status {}", wrong.back(), done.status));
        EXPECT_SAYING(done.err.starts_with("aios: ") && done.err.find('\n') == done.err.size() - 1, done.err);
    }
    world.put("none.json", "{}");
    for (const std::string option : {"--linux", "--baseline"})
        EXPECT(world.aios({"bench", "kernel", option, world.at("nowhere"), "--compare"}).status == 3);
    const auto none = world.aios({"bench", "kernel", "--quick", "--compare", "--baseline", world.at("none.json")});
    EXPECT_SAYING(none.status == 3 && none.err.find("is no baseline") != std::string::npos, none.err);
    EXPECT(world.aios({"bench", "--help"}).out.starts_with("Usage: ./aios bench kernel"));
    EXPECT(world.aios({"bench", "kernel", "--help"}).out.find("--compare") != std::string::npos);
}

} // namespace aios::scenario
