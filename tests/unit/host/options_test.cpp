#include "tools/aios/options.hpp"

#include "tests/unit/host/support.hpp"

namespace aios::host {
namespace {

Outcome<RunOptions> run(std::vector<std::string_view> list) { return parse_run(list); }

TEST(Options, RunDefaults) {
    const auto options = run({});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->boot, BootKind::pvh);
    EXPECT_EQ(options->accelerator, Accelerator::automatic);
    EXPECT_FALSE(options->documents);
    EXPECT_FALSE(options->memory_mib);
}

TEST(Options, RunTakesEveryOption) {
    const auto options = run({"--docs",  "d",   "--ask",     "one",  "--ask",     "two",    "--ask-file", "q",
                              "--json",  "j",   "--boot",    "uefi", "--smp",     "4",      "--memory",   "700",
                              "--accel", "tcg", "--timeout", "9",    "--verbose", "--debug"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->documents, "d");
    EXPECT_EQ(options->questions, (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(options->question_file, "q");
    EXPECT_EQ(options->json, "j");
    EXPECT_EQ(options->boot, BootKind::uefi);
    EXPECT_EQ(options->processors, 4u);
    EXPECT_EQ(options->memory_mib, 700u);
    EXPECT_EQ(options->accelerator, Accelerator::tcg);
    EXPECT_EQ(options->timeout_seconds, 9u);
    EXPECT_TRUE(options->verbose);
}

TEST(Options, RunTakesAMachine) {
    EXPECT_EQ(run({})->machine, "q35");
    EXPECT_EQ(run({})->cpu, "max,-erms,-fsrm");
    const auto options = run({"--machine", "microvm,pit=off", "--cpu", "Haswell-noTSX,+avx2"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->machine, "microvm,pit=off");
    EXPECT_EQ(options->cpu, "Haswell-noTSX,+avx2");
    for (const char* wrong : {"", "isapc", "virt", "help", "q35 -S", "q35;x", "-S"})
        EXPECT_FALSE(run({"--machine", wrong})) << wrong;
    for (const char* wrong : {"", "help", "max -S", "-S", "?"})
        EXPECT_FALSE(run({"--cpu", wrong})) << wrong;
    EXPECT_FALSE(run({"--machine", "microvm", "--boot", "uefi"}));
    EXPECT_TRUE(run({"--machine", "pc", "--boot", "uefi"}));
}

TEST(Options, RunRefusesWrongUse) {
    const std::vector<std::vector<std::string_view>> wrong = {
        {"--docs"},
        {"--smp", "0"},
        {"--smp", "65"},
        {"--smp", "two"},
        {"--smp", "-1"},
        {"--smp", ""},
        {"--smp", "1 "},
        {"--boot", "bios"},
        {"--accel", "hvf"},
        {"--timeout", "0"},
        {"--memory", "99999999999999999999"},
        {"--frob"},
        {"docs"},
    };
    for (const auto& list : wrong)
        EXPECT_EQ(exit_of(run(list)), 2) << list.front();
}

TEST(Options, ValueMayLookLikeAnOption) {
    const auto options = run({"--ask", "--docs"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->questions.front(), "--docs");
}

TEST(Options, ValueMayBeJoined) {
    const auto options = run({"--docs=a=b", "--ask=--docs", "--smp=4", "--crash=memoryd=1"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->documents, "a=b");
    EXPECT_EQ(options->questions.front(), "--docs");
    EXPECT_EQ(options->processors, 4u);
    EXPECT_TRUE(options->crashes.contains("memoryd"));
    EXPECT_EQ(exit_of(run({"--verbose=yes"})), 2);
    EXPECT_EQ(exit_of(run({"--frob=1"})), 2);
    // What is joined is the value, also where it is empty or the next argument would do.
    const auto odd = run({"--ask=", "--ask", "--docs=", "--ask={}", "--ask=[a,b]", "--ask", "--", "--ask=%%"});
    ASSERT_TRUE(odd) << odd.error().sentence;
    EXPECT_EQ(odd->questions, (std::vector<std::string>{"", "--docs=", "{}", "[a,b]", "--", "%%"}));
}

TEST(Options, TheLastOfSeveralCounts) {
    const auto options = run({"--smp", "4", "--docs=a", "--verbose", "--docs", "b", "--smp=8", "--verbose"});
    ASSERT_TRUE(options) << options.error().sentence;
    EXPECT_EQ(options->processors, 8u);
    EXPECT_EQ(options->documents, "b");
    EXPECT_TRUE(options->verbose);
}

// What a user reads is part of the command.
TEST(Options, SentencesOfWrongUse) {
    const std::vector<std::pair<std::vector<std::string_view>, std::string_view>> wrong = {
        {{"--docs"}, "--docs needs a value; see ./aios run --help."},
        {{"--verbose=true"}, "--verbose takes no value; see ./aios run --help."},
        {{"--verbose="}, "--verbose takes no value; see ./aios run --help."},
        {{"--frob=1", "--smp=4"}, "run does not know '--frob'; see ./aios run --help."},
        {{"-v"}, "run does not know '-v'; see ./aios run --help."},
        {{"--"}, "run does not know '--'; see ./aios run --help."},
        {{"--help"}, "run does not know '--help'; see ./aios run --help."},
        {{"--doc", "x"}, "run does not know '--doc'; see ./aios run --help."},
        {{"folder"}, "run does not know 'folder'; see ./aios run --help."},
        {{""}, "run does not know ''; see ./aios run --help."},
        {{"--smp", "65"}, "--smp takes a whole number from 1 to 64, not '65'."},
        {{"--smp", "-1"}, "--smp takes a whole number from 1 to 64, not '-1'."},
        {{"--smp="}, "--smp takes a whole number from 1 to 64, not ''."},
        {{"--boot=bios"}, "--boot takes pvh or uefi, not 'bios'."},
        {{"--accel", "hvf"}, "--accel takes auto, kvm or tcg, not 'hvf'."},
        {{"--machine", "isapc,x=y"}, "--machine takes q35, pc or microvm, not 'isapc'."},
        {{"--cpu", "max -S"}, "--cpu takes a name with options behind commas, not 'max -S'."},
        {{"--crash", "memoryd=0"}, "--crash takes NAME=N or NAME=N,always with N from 1, not 'memoryd=0'."},
        {{"--agent", "=x"}, "--agent takes NAME=BINARY, not '=x'."},
    };
    for (const auto& [list, sentence] : wrong) {
        const auto options = run(list);
        ASSERT_FALSE(options) << sentence;
        EXPECT_EQ(options.error().sentence, sentence);
    }
}

TEST(Options, AuditShow) {
    const auto parse = [](std::vector<std::string_view> list) { return parse_audit(list); };
    const auto good = parse({"show", "log", "--agent", "memoryd", "--kind=refusal", "-o", "json"});
    ASSERT_TRUE(good) << good.error().sentence;
    EXPECT_EQ(good->action, AuditAction::show);
    EXPECT_EQ(good->agent, "memoryd");
    EXPECT_EQ(good->kind, "refusal");
    EXPECT_TRUE(good->json);
    EXPECT_EQ(exit_of(parse({"show", "log", "--kind", "refusals"})), 2);
    EXPECT_EQ(exit_of(parse({"show", "log", "-o", "xml"})), 2);
    EXPECT_EQ(exit_of(parse({"show", "log", "--record", "1"})), 2);
    EXPECT_EQ(exit_of(parse({"verify", "log", "--agent", "a"})), 2);
    EXPECT_TRUE(parse({"verify", "log", "--trust", "key", "--from", "checkpoint"}));
}

TEST(Options, Audit) {
    const auto parse = [](std::vector<std::string_view> list) { return parse_audit(list); };
    const auto good = parse({"verify", "--record", "7", "log"});
    ASSERT_TRUE(good);
    EXPECT_EQ(good->record, 7u);
    EXPECT_EQ(good->log, "log");
    EXPECT_EQ(exit_of(parse({})), 2);
    EXPECT_EQ(exit_of(parse({"verify"})), 2);
    EXPECT_EQ(exit_of(parse({"verify", "a", "b"})), 2);
    EXPECT_EQ(parse({"verify", "a", "-v"}).error().sentence, "audit does not know '-v'; see ./aios audit --help.");
    EXPECT_EQ(parse({"verify", "a", "b"}).error().sentence, "audit verify takes one file.");
    EXPECT_EQ(parse({"show"}).error().sentence, "audit show needs the file of a log; see ./aios audit --help.");
    EXPECT_EQ(parse({"verify", "--record=18446744073709551615", "log"})->record, ~std::uint64_t{0});
    EXPECT_EQ(exit_of(parse({"verify", "a", "--record", "x"})), 2);
    EXPECT_EQ(exit_of(parse({"sign", "a"})), 2);
}

} // namespace
} // namespace aios::host
