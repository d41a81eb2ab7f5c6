// The host's side of the kernel benchmark: what rows there are, what the machine's lines and the plugin's counts
// become, the comparison with a baseline, the table and the page, Linux's kernel and first file system.
#include <algorithm>
#include <format>
#include <set>

#include <gtest/gtest.h>

#include "tests/unit/host/support.hpp"
#include "tools/aios/bench/baseline.hpp"
#include "tools/aios/bench/figures.hpp"
#include "tools/aios/bench/linux.hpp"
#include "tools/aios/bench/options.hpp"
#include "tools/aios/bench/rows.hpp"
#include "tools/aios/bench/table.hpp"
#include "tools/aios/host/files.hpp"

namespace aios::host {

namespace {

std::string whole_file(std::string_view path) {
    const auto text = read_file(std::string(AIOS_SOURCE) + "/" + std::string(path), 1 << 20);
    return text.value_or("");
}

BenchColumn column_with(std::initializer_list<std::pair<const char*, double>> figures) {
    BenchColumn column;
    column.name = "AIOS";
    for (const auto& [row, value] : figures)
        column.figures[row] = {value, static_cast<std::uint64_t>(value * 1000), 1000, std::nullopt};
    return column;
}

Outcome<BenchOptions> parse(std::vector<std::string_view> arguments) { return parse_bench(arguments); }

} // namespace

TEST(BenchRows, AreToldApart) {
    std::set<unsigned> numbers;
    std::set<std::string_view> names;
    for (const BenchRow& row : bench_rows()) {
        EXPECT_TRUE(numbers.insert(row.number).second) << row.name;
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_TRUE(row.number >= 1 && row.number <= 30) << row.name; // windows of the plugin
        EXPECT_GT(row.goal, 0) << row.name;
        EXPECT_TRUE(row.how.ends_with('.')) << row.name;
        EXPECT_TRUE(row.obstacle.empty() || row.obstacle.ends_with('.')) << row.name;
        EXPECT_EQ(find_bench_row(row.name), &row);
    }
    EXPECT_EQ(find_bench_row("nul"), nullptr);
    EXPECT_EQ(find_bench_row(""), nullptr);
}

// A row that somebody added to the table alone would be measured by nobody.
TEST(BenchRows, AreMeasuredOnBothSystems) {
    const std::string driver = whole_file("bench/kernel/aios/driver.cpp");
    const std::string linux_rows = whole_file("bench/kernel/linux/rows/main.c");
    for (const BenchRow& row : bench_rows()) {
        if (row.group == BenchGroup::system) continue;
        const std::string entry = std::format("{{\"{}\", ", row.name);
        EXPECT_NE(driver.find(entry), std::string::npos) << row.name;
        EXPECT_NE(linux_rows.find(entry), std::string::npos) << row.name;
    }
}

TEST(BenchRows, AreInThePageAndInTheHelp) {
    const std::string page = whole_file("docs/performance.md"), help = whole_file("tools/aios/help/bench-kernel.txt");
    for (const BenchRow& row : bench_rows()) {
        EXPECT_NE(page.find(std::format("| `{}` | {} |", row.name, row.title)), std::string::npos) << row.name;
        EXPECT_NE(page.find(std::format("- `{}`: {}\n", row.name, row.how)), std::string::npos) << row.name;
        EXPECT_NE(help.find(row.name), std::string::npos) << row.name;
    }
}

TEST(BenchRows, FiguresAreShort) {
    EXPECT_EQ(shown_figure(149.4, BenchUnit::instructions), "149");
    EXPECT_EQ(shown_figure(2214.6, BenchUnit::instructions), "2,215");
    EXPECT_EQ(shown_figure(86'590'000, BenchUnit::instructions), "86.59 M");
    EXPECT_EQ(shown_figure(2500, BenchUnit::nanoseconds), "2,500 ns");
    EXPECT_EQ(shown_figure(45056, BenchUnit::bytes), "44.0 KiB");
    EXPECT_EQ(shown_figure(1.1, BenchUnit::times), "1.10 x");
}

TEST(BenchLines, AreRead) {
    const auto line = parse_bench_line("BENCH ipc_64 44037444 5000\r\n");
    ASSERT_TRUE(line);
    EXPECT_EQ(line->row, "ipc_64");
    EXPECT_EQ(line->total, 44037444u);
    EXPECT_EQ(line->count, 5000u);
    EXPECT_EQ(parse_bench_line("[    1.2] BENCH null 1 2")->row, "null");
    const auto failed = parse_bench_line("BENCH cow_fault fail mmap: out of memory");
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->fail, "mmap: out of memory");
    for (const char* wrong :
         {"", "BENCH", "BENCH ", "BENCH null", "BENCH null 1", "BENCH null 1 0", "BENCH null 1 2 3", "BENCH null -1 2",
          "BENCH null 1.5 2", "BENCH null x 2", "bench null 1 2", "BENCH null 18446744073709551616 1"})
        EXPECT_FALSE(parse_bench_line(wrong)) << wrong;
}

TEST(BenchLines, WindowsAreSummedOverCpus) {
    const BenchWindows windows = parse_bench_windows("WINDOW 2 0 10 20 7 1 2 3 4 5\nWINDOW 2 1 1 2 8 3 4 5 6 7\n"
                                                     "WINDOW 3 0 1 1 1 1 1 1 1\nWINDOW 4 0 1 1 1 1 1 1 1 1 1\nother\n");
    ASSERT_EQ(windows.size(), 1u); // neither too few fields nor too many
    const BenchCounts& counts = windows.at(2);
    EXPECT_EQ(counts.instructions(), 33);
    EXPECT_EQ(counts.apart, 15);
    EXPECT_EQ(counts.cr3_writes, 4);
    EXPECT_EQ(counts.msr_accesses, 2 + 3 + 4 + 5);
    EXPECT_EQ(counts.atomics, 10);
    EXPECT_EQ(counts.ipis, 12);
}

TEST(BenchLines, BecomeFigures) {
    BenchColumn column;
    const BenchWindows windows = parse_bench_windows("WINDOW 2 0 1000 3000 0 20 40 0 990 10\n");
    take_bench_line({"ipc_64", 4000, 10, ""}, windows, column);
    take_bench_line({"null", 1500, 10, ""}, windows, column);
    take_bench_line({"ipc_64", 1, 1, ""}, windows, column); // the first one counts
    take_bench_line({"unheard_of", 1, 1, ""}, windows, column);
    take_bench_line({"cow_fault", 0, 0, "no memory"}, windows, column);
    ASSERT_EQ(column.figures.size(), 2u);
    EXPECT_EQ(column.figures["ipc_64"].value, 400);
    ASSERT_TRUE(column.figures["ipc_64"].beside);
    EXPECT_EQ(column.figures["ipc_64"].beside->instructions(), 400);
    EXPECT_EQ(column.figures["ipc_64"].beside->atomics, 99);
    EXPECT_EQ(column.figures["ipc_64"].beside->ipis, 1);
    EXPECT_FALSE(column.figures["null"].beside);
    EXPECT_EQ(column.missing["cow_fault"], "no memory");
}

// With a third agent the figure is what the window counted without that agent; nobody else could tell.
TEST(BenchLines, OfVariantsStandUnderTheirKeys) {
    BenchColumn column;
    const BenchVariant &third = bench_variants()[0], &traced = bench_variants()[1];
    const BenchWindows windows = parse_bench_windows("WINDOW 2 0 1000 3000 5000 20 40 0 990 10\n");
    take_variant_line({"ipc_64", 9'000, 10, ""}, windows, third, column);
    take_variant_line({"ipc_64", 4'100, 10, ""}, windows, traced, column);
    take_variant_line({"null", 9'000, 10, ""}, windows, third, column); // without a window
    take_variant_line({"switch", 0, 0, "no turns"}, windows, third, column);
    EXPECT_EQ(column.figures.size(), 2u);
    EXPECT_EQ(column.figures["ipc_64/third"].value, 400);
    EXPECT_EQ(column.figures["ipc_64/traced"].value, 410);
    EXPECT_TRUE(column.missing["null/third"].contains("apart"));
    EXPECT_EQ(column.missing["switch/third"], "no turns");
    EXPECT_EQ(find_bench_row("ipc_64/third"), find_bench_row("ipc_64"));
}

TEST(BenchRows, HaveVariantsThatMeanSomething) {
    for (const BenchRow& row : bench_rows()) {
        const bool counts = row.group == BenchGroup::one && row.unit == BenchUnit::instructions;
        const bool sends = std::set<std::string_view>{"ipc_64", "ipc_4k", "ipc_64k", "one_way"}.contains(row.name);
        EXPECT_EQ(has_variant(row, bench_variants()[0]), counts) << row.name;
        EXPECT_EQ(has_variant(row, bench_variants()[1]), counts) << row.name;
        EXPECT_EQ(has_variant(row, bench_variants()[2]), sends) << row.name;
    }
}

TEST(BenchBaseline, SaysWhatGotWorse) {
    const BenchBaseline before = {{"null", 100}, {"ipc_64", 1000}, {"switch", 500}, {"one_way", 10}, {"pairs", 1.0}};
    const BenchColumn now =
        column_with({{"null", 103}, {"ipc_64", 1031}, {"switch", 400}, {"cow_fault", 1}, {"pairs", 1.09}});
    const BenchComparison found =
        compare_bench(before, {"null", "ipc_64", "switch", "one_way", "cow_fault", "pairs"}, now);
    EXPECT_EQ(found.compared, 4u);
    ASSERT_EQ(found.worse.size(), 1u);
    EXPECT_EQ(found.worse[0].row, "ipc_64");
    EXPECT_EQ(found.worse[0].before, 1000);
    EXPECT_EQ(found.worse[0].now, 1031);
    EXPECT_EQ(found.better, std::vector<std::string>{"switch"});
    EXPECT_EQ(found.absent, std::vector<std::string>{"cow_fault"});
    EXPECT_EQ(found.failed, std::vector<std::string>{"one_way"});
    // Rows that were not asked for are no matter.
    EXPECT_TRUE(compare_bench(before, {"null"}, now).failed.empty());
    EXPECT_FALSE(compare_bench(before, {"pairs"}, column_with({{"pairs", 1.11}})).worse.empty());
}

TEST(BenchBaseline, IsWhatJsonWrites) {
    BenchColumn own = column_with({{"null", 150.25}, {"boot", 1e7}}), other;
    own.missing["switch"] = "they did not take turns";
    own.figures["null/third"] = {200, 200'000, 1000, std::nullopt};
    own.missing["null/traced"] = "it fell";
    other.name = "Linux";
    other.skipped = "no network";
    const std::string text = bench_json("a machine", {"null", "switch", "boot"}, own, other);
    const auto read = parse_bench_baseline("x.json", text);
    ASSERT_TRUE(read) << read.error().sentence;
    EXPECT_EQ(*read, (BenchBaseline{{"null", 150.25}, {"null/third", 200}, {"boot", 1e7}}));
    EXPECT_NE(text.find("they did not take turns"), std::string::npos);
    EXPECT_NE(text.find("\"without_linux\": \"no network\""), std::string::npos);
}

TEST(BenchBaseline, RefusesWhatIsNone) {
    for (const char* wrong :
         {"", "[]", "{", "{}", R"({"version":2,"rows":[]})", R"({"version":1,"rows":3})", R"({"version":1,"rows":[3]})",
          R"({"version":1,"rows":[{"name":3}]})", R"({"version":1,"rows":[{"name":"null"}]})",
          R"({"version":1,"rows":[{"name":"null","aios":{"value":"1"}}]})",
          R"({"version":1,"rows":[{"name":"null","aios":{"value":-1}}]})",
          R"({"version":1,"rows":[{"name":"null","aios":{"value":1},"variants":[]}]})",
          R"({"version":1,"rows":[{"name":"null","aios":{"value":1},"variants":{"third":{}}}]})"}) {
        const auto read = parse_bench_baseline("x.json", wrong);
        ASSERT_FALSE(read) << wrong;
        EXPECT_EQ(read.error().exit, Exit::bad_input);
        EXPECT_TRUE(read.error().sentence.contains("'x.json' is no baseline")) << read.error().sentence;
    }
}

// A row that is over its goal says why.
TEST(BenchBaseline, TheStoredOneIsExplained) {
    const auto read = parse_bench_baseline("baseline.json", whole_file("bench/kernel/baseline.json"));
    ASSERT_TRUE(read) << read.error().sentence;
    for (const BenchRow& row : bench_rows())
        if (read->contains(row.name) && read->at(std::string(row.name)) > row.goal)
            EXPECT_FALSE(row.obstacle.empty()) << row.name;
}

TEST(BenchBaseline, TheStoredOneHasEveryRow) {
    const auto read = parse_bench_baseline("baseline.json", whole_file("bench/kernel/baseline.json"));
    ASSERT_TRUE(read) << read.error().sentence;
    for (const BenchRow& row : bench_rows()) {
        EXPECT_TRUE(read->contains(row.name)) << row.name;
        for (const BenchVariant& variant : bench_variants())
            EXPECT_EQ(read->contains(variant_key(row.name, variant.name)), has_variant(row, variant)) << row.name;
    }
}

TEST(BenchTable, ShowsBothColumns) {
    BenchColumn own = column_with({{"null", 389}, {"switch", 600}}), other = column_with({{"null", 300}});
    own.figures["switch"].beside = {10, 590, 1, 2, 16.5, 0};
    other.name = "Linux 6.1";
    other.missing["switch"] = "not told";
    const BenchReport report{"q35", {"null", "switch"}, own, other, "no plugin"};
    const std::string table = bench_table(report);
    EXPECT_TRUE(table.contains("150 OVER")) << table; // 389 of 150
    EXPECT_FALSE(table.contains("700 OVER")) << table;
    EXPECT_TRUE(table.contains("1.30")) << table;
    EXPECT_TRUE(table.contains("1.00 / 2.00 / 16.50 / 0")) << table;
    EXPECT_TRUE(table.contains("switch, Linux 6.1: not told.")) << table;
    EXPECT_TRUE(table.contains("nothing is counted beside the figures: no plugin.")) << table;
    EXPECT_FALSE(table.contains("third agent")) << table;
    own.figures["null/third"] = {403, 403, 1, std::nullopt};
    own.missing["null/traced"] = "it fell";
    EXPECT_TRUE(bench_table(report).contains("null                   389           403         -         -"))
        << bench_table(report);
    EXPECT_TRUE(bench_table(report).contains("null/traced, AIOS: it fell.")) << bench_table(report);
    const std::string page = bench_markdown(report);
    EXPECT_TRUE(page.contains("| `null` | 389 | 403 | - | - |")) << page;
    EXPECT_TRUE(page.contains("| `null` | call that does nothing | 389 | 150 OVER | 300 | 1.30 | - | - |")) << page;
    EXPECT_TRUE(page.contains("- `switch`: ")) << page;
    EXPECT_TRUE(page.contains(std::format("- `null`: {}\n", find_bench_row("null")->obstacle))) << page;
    EXPECT_FALSE(page.contains(find_bench_row("switch")->obstacle)) << page; // 600 of 700
    other.skipped = "no kernel";
    EXPECT_TRUE(bench_table(report).contains("the column Linux 6.1 was skipped: no kernel.")) << table;
}

TEST(BenchOptions, AreRead) {
    const auto all = parse({});
    ASSERT_TRUE(all);
    EXPECT_EQ(all->rows.size(), bench_rows().size());
    const auto quick = parse({"--quick"});
    ASSERT_TRUE(quick);
    EXPECT_TRUE(!quick->rows.empty() && quick->rows.size() < all->rows.size());
    EXPECT_TRUE(all->variants && !quick->variants);
    EXPECT_FALSE(parse({"--without-variants"})->variants);
    const auto some = parse({"--row", "switch", "--row=null", "--quick", "--json=x"});
    ASSERT_TRUE(some);
    EXPECT_EQ(some->rows, (std::vector<std::string>{"null", "switch"})); // in the table's order
    EXPECT_EQ(some->json, "x");
    for (const auto& wrong : {std::vector<std::string_view>{"--row", "nothing"},
                              {"--row"},
                              {"--baseline", "x"},
                              {"--linux", "x", "--without-linux"},
                              {"extra"},
                              {"--quick=yes"}}) {
        const auto refused = parse(wrong);
        ASSERT_FALSE(refused) << wrong.front();
        EXPECT_EQ(refused.error().exit, Exit::wrong_use) << wrong.front();
    }
}

TEST(BenchLinux, FindsTheKernelInABzImage) {
    std::string image(0x2000, 'x');
    const auto put = [&](std::size_t at, std::string_view bytes) { image.replace(at, bytes.size(), bytes); };
    using namespace std::literals;
    put(0x1f1, "\x07"sv);
    put(0x202, "HdrS"sv);
    put(0x206, "\x0f\x02"sv);
    put(0x248, "\x10\0\0\0"sv);
    put(0x24c, "\x20\0\0\0"sv);
    put(0x1010, "\x28\xb5\x2f\xfd"sv);
    const std::string_view payload = bzimage_payload(image);
    ASSERT_EQ(payload.size(), 0x20u);
    EXPECT_EQ(payload.data() - image.data(), 0x1010);
    EXPECT_EQ(decompressor_of(payload), "zstd");
    EXPECT_EQ(decompressor_of("\xfd"
                              "7zXZ\0"sv),
              "xz");
    EXPECT_EQ(decompressor_of("MZ"), "");
    put(0x24c, "\xff\xff\xff\x7f"sv); // longer than the file
    EXPECT_TRUE(bzimage_payload(image).empty());
    put(0x206, "\x07\x02"sv); // a protocol that has no such field
    EXPECT_TRUE(bzimage_payload(image).empty());
    EXPECT_TRUE(bzimage_payload("short").empty());
}

TEST(BenchLinux, WritesAnArchive) {
    const std::string archive = cpio_archive({{"bin", 040755}, {"init", 0100755, "abcde"}, {"c", 020600, "", 5, 1}});
    EXPECT_EQ(archive.size() % 4, 0u);
    EXPECT_EQ(archive.substr(0, 110),
              "07070100000001000041ED00000000000000000000000100000000000000000000000000000000000000000000000000000004"
              "00000000");
    EXPECT_EQ(archive.substr(110, 4), std::string_view("bin\0", 4));
    const std::size_t init = archive.find("init");
    ASSERT_NE(init, std::string::npos);
    EXPECT_EQ(archive.substr(init - 110 + 54, 8), "00000005");
    EXPECT_EQ(archive.find("abcde") % 4, 0u);
    EXPECT_TRUE(archive.contains("TRAILER!!!"));
    EXPECT_TRUE(linux_command_line({"null", "ipc_64"}).ends_with(" BENCH_ROWS=null,ipc_64"));
}

} // namespace aios::host
