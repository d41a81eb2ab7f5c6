#include "tools/aios/host/process.hpp"

#include <algorithm>

#include "tests/unit/host/support.hpp"
#include "tools/aios/machine/machine.hpp"
#include "tools/aios/test/log.hpp"

namespace aios::host {
namespace {

TEST(Process, StatusAndOutput) {
    const auto done = capture_process({"/bin/sh", "-c", "echo out; echo err >&2; exit 7"}, std::chrono::seconds(20));
    EXPECT_EQ(done.status, 7);
    EXPECT_EQ(done.out, "out\n");
    EXPECT_EQ(done.err, "err\n");
    EXPECT_EQ(capture_process({"/nonexistent/program"}, std::chrono::seconds(20)).status, 127);
}

TEST(Process, TimeLimitEndsTheWholeGroup) {
    const auto done =
        capture_process({"/bin/sh", "-c", "trap '' TERM; sleep 600 & sleep 600"}, std::chrono::milliseconds(200));
    EXPECT_TRUE(done.out_of_time);
}

TEST(Process, LinesFromPieces) {
    std::vector<std::string> lines;
    LineCutter cutter([&](std::string_view line) { lines.emplace_back(line); });
    for (const char* piece : {"a", "b\r\nc\n", "\nd"})
        cutter.feed(piece);
    cutter.finish();
    EXPECT_EQ(lines, (std::vector<std::string>{"ab", "c", "", "d"}));
}

TEST(Machine, ArgumentsOfBothBoots) {
    MachineSpec spec;
    spec.kernel = "k";
    spec.container = "a,b";
    spec.command_line = "x=1";
    const auto has = [](const std::vector<std::string>& list, const std::string& wanted) {
        return std::ranges::find(list, wanted) != list.end();
    };
    const auto pvh = machine_arguments(spec);
    EXPECT_TRUE(has(pvh, "a,,b")); // commas in names are doubled
    EXPECT_TRUE(has(pvh, "x=1"));
    EXPECT_TRUE(has(pvh, "max,-erms,-fsrm"));
    spec.boot = BootKind::uefi;
    EXPECT_FALSE(has(machine_arguments(spec), "-kernel"));
}

TEST(TestLines, AreCounted) {
    TestLog log(TestOptions{});
    log.group("group");
    EXPECT_TRUE(log.take_line("TEST one pass"));
    EXPECT_TRUE(log.take_line("[   1.0] TEST two fail file.cpp:3 text"));
    EXPECT_TRUE(log.take_line("TEST three skip no device"));
    EXPECT_FALSE(log.take_line("TESTS 1 passed, 1 failed"));
    EXPECT_FALSE(log.take_line("TEST four perhaps"));
    EXPECT_FALSE(log.take_line("ATEST five pass"));
    EXPECT_EQ(log.count(TestOutcome::passed), 1u);
    EXPECT_EQ(log.count(TestOutcome::failed), 1u);
    EXPECT_EQ(log.count(TestOutcome::skipped), 1u);
}

TEST(TestLines, SkippedInOneBootAndPassedInAnotherIsNotSkipped) {
    TestLog log(TestOptions{});
    log.begin_level();
    log.group("one CPU");
    log.result("spread", TestOutcome::skipped, "one CPU");
    log.result("never", TestOutcome::skipped, "no device");
    log.group("two CPUs");
    log.result("spread", TestOutcome::passed);
    log.result("never", TestOutcome::skipped, "no device");
    log.end_level();
    EXPECT_EQ(log.count(TestOutcome::skipped), 1u);
    EXPECT_EQ(log.count(TestOutcome::passed), 1u);
}

} // namespace
} // namespace aios::host
