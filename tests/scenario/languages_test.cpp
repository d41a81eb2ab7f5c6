// What whole runs make of documents that are not English prose: other languages beside English, and long tables.
#include <format>

#include "tests/scenario/scenario.hpp"

namespace aios::scenario {

namespace {

const test::Json& passage(const test::Json& report, std::size_t question, std::size_t at) {
    return report.at("answers").at(question).at("passages").at(at);
}

void expect_file(const test::Json& report, std::size_t question, std::string_view file) {
    const test::Json& answer = report.at("answers").at(question);
    EXPECT_SAYING(answer.at("answered").get<bool>(), answer.at("question").dump());
    EXPECT_SAYING(passage(report, question, 0).at("file") == file, passage(report, question, 0).at("file").dump());
}

} // namespace

SCENARIO(german_and_english_files_side_by_side) {
    world.put("docs/kettle.txt", "The copper kettle holds two litres of water.\nIt was made in Lisbon by a smith.\n");
    world.put("docs/lighthouse.txt",
              "The lighthouse was built of granite.\nIts lamp turns once every twelve seconds.\n");
    world.put("docs/slices.txt", "A time slice lasts for four milliseconds.\n");
    world.put("docs/takt.txt", "Eine Zeitscheibe dauert vier Millisekunden.\n");
    world.put("docs/bienen.txt", "Die Bienenstöcke stehen an der südlichen Mauer.\n"
                                 "Honig wird im Juni und im August geerntet.\n");
    world.put("docs/wetter.txt", "Die Strassen im Tal sind im Winter oft gesperrt, denn es schneit dort viel.\n");
    const auto report =
        world.run({"--docs", world.at("docs"), "--ask", "Wie lange dauern die Zeitscheiben?", "--ask",
                   "How often does the lamp of the lighthouse turn?", "--ask", "Wann ist die STRAẞE gesperrt?", "--ask",
                   "Welches Parlament ratifizierte den Fischereivertrag mit Island?"});
    world.check_quotations(report, world.at("docs"));
    expect_file(report, 0, "takt.txt");
    expect_file(report, 1, "lighthouse.txt");
    expect_file(report, 2, "wetter.txt");
    EXPECT_SAYING(!report.at("answers").at(3).at("answered").get<bool>(), report.at("answers").at(3).at("text").dump());
}

SCENARIO(rows_of_a_long_table_come_with_its_head) {
    const std::string head = "| station | height in metres |\n| --- | ---: |";
    std::string table = "All stations of the coast.\n\n" + head + "\n";
    for (int row = 0; table.size() < 30'000; ++row)
        table += std::format("| outpost{} | {} |\n", row, 100 + row);
    world.put("docs/stations.md", table);
    for (int file = 0; file < 9; ++file) // as many files as passages are shown, so that each shows one
        world.put(std::format("docs/kettle{}.txt", file), "The copper kettle holds two litres of water.\n");
    const auto report =
        world.run({"--docs", world.at("docs"), "--ask", "What is the height in metres of station outpost777?"});
    const test::Json& answer = report.at("answers").at(0);
    expect_file(report, 0, "stations.md");
    EXPECT_SAYING(passage(report, 0, 0).at("text") == head, passage(report, 0, 0).at("text").dump());
    EXPECT(passage(report, 0, 0).at("first") == 3 && passage(report, 0, 0).at("last") == 4);
    EXPECT(passage(report, 0, 1).at("text").get<std::string>().contains("| outpost777 | 877 |"));
    EXPECT_SAYING(answer.at("text").get<std::string>().starts_with(head + "\n\n|"),
                  answer.at("text").dump().substr(0, 200));
    world.check_quotations(report, world.at("docs"));
}

} // namespace aios::scenario
