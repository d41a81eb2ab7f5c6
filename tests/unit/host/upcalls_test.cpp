// The lint's rule on calls into higher rooms: what it finds in code and page, each way of differing.
#include "tools/aios/lint/upcalls.hpp"

#include <format>

#include "tests/unit/host/support.hpp"

namespace aios::host::lint {
namespace {

const Layers& layers() {
    static const Layers parsed =
        Layers::parse("chain kernel: base kernel/arch kernel/low kernel/arch/x86_64 kernel/high personality\n").value();
    return parsed;
}

constexpr std::string_view kHead =
    "| upcall | asked in | answered in | context | may |\n| --- | --- | --- | --- | --- |\n";
constexpr std::string_view kRow = "| `low::upcall::wake` | `low/a.cpp` | `high/b.cpp` | thread | wait |\n";
constexpr std::string_view kHeader =
    "namespace aios::low {\nnamespace upcall {\n[[nodiscard]] int wake(int thread); // says why\n}\nclass B;\n}\n";
constexpr std::string_view kCaller = "namespace aios::low {\nvoid f() {\n    if (true) upcall::wake(3);\n}\n}\n";
constexpr std::string_view kAnswer = "namespace aios::low::upcall {\nint wake(int thread) { return thread; }\n}\n";

struct Code {
    std::string_view header = kHeader, caller = kCaller, answer = kAnswer;
};

std::vector<Finding> found(std::string_view page, const Code& code = {}) {
    UpcallsRule rule(layers(), page);
    rule.look_at("kernel/low/a.hpp", code.header);
    rule.look_at("kernel/low/a.cpp", code.caller);
    rule.look_at("kernel/high/b.cpp", code.answer);
    std::vector<Finding> findings;
    rule.finish(findings);
    return findings;
}

std::string page_of(std::string_view rows) { return std::string(kHead) + std::string(rows); }

TEST(LintUpcalls, OneThatStandsInTheTable) { EXPECT_TRUE(found(page_of(kRow)).empty()); }

TEST(LintUpcalls, EachHasItsRow) {
    const auto findings = found(kHead);
    ASSERT_EQ(findings.size(), 1u);
    EXPECT_EQ(findings[0].file, "kernel/low/a.hpp");
    EXPECT_EQ(findings[0].line, 3u);
    EXPECT_EQ(
        found(page_of(std::string(kRow) + "| `low::upcall::sleep` | `low/a.cpp` | `high/b.cpp` | x | y |\n")).size(),
        1u); // a row of nothing
    EXPECT_EQ(found(page_of(std::string(kRow) + std::string(kRow))).size(), 1u);
    EXPECT_GE(found(page_of("| `low::upcall::wake` | `low/a.cpp` | `high/b.cpp` | | wait |\n")).size(), 1u);
}

TEST(LintUpcalls, TheRowSaysWhoAsksAndWhoAnswers) {
    EXPECT_EQ(found(page_of("| `low::upcall::wake` | `low/c.cpp` | `high/b.cpp` | x | y |\n")).size(), 1u);
    EXPECT_EQ(found(page_of("| `low::upcall::wake` | `low/a.cpp` | `high/c.cpp` | x | y |\n")).size(), 1u);
    // A caller within braces, within parentheses, in assembler; a friend is none.
    EXPECT_TRUE(
        found(page_of(kRow), {.caller = "void f() {\n    const int a[] = {low::upcall::wake(1)};\n}\n"}).empty());
    EXPECT_TRUE(found(page_of(kRow), {.caller = "void f() {\n    g([] { return upcall::wake(1); });\n}\n"}).empty());
    EXPECT_EQ(found(page_of(kRow), {.caller = "class A {\n    friend int upcall::wake(int);\n};\n"}).size(), 1u);
    UpcallsRule rule(layers(), page_of("| `low::upcall::wake` | `low/a.S` | `high/b.cpp` | x | y |\n"));
    rule.look_at("kernel/low/a.hpp", kHeader);
    rule.look_at("kernel/high/b.cpp", kAnswer);
    rule.look_at("kernel/low/a.S", "    call _ZN4aios3low6upcall4wakeEi\n");
    std::vector<Finding> findings;
    rule.finish(findings);
    EXPECT_TRUE(findings.empty());
}

TEST(LintUpcalls, DeclaredBelowDefinedOnceAbove) {
    EXPECT_EQ(found(page_of(kRow), {.answer = ""}).size(), 1u);
    EXPECT_EQ(found(page_of(kRow), {.header = ""}).size(), 1u);
    const std::string twice = std::string(kAnswer) + std::string(kAnswer);
    EXPECT_EQ(found(page_of(kRow), {.answer = twice}).size(), 1u);
    // Defined by its full name; in the same room it is no upcall; helpers of the file are none.
    EXPECT_TRUE(
        found(page_of(kRow), {.answer = "namespace aios {\nint low::upcall::wake(int t) { return t; }\n}\n"}).empty());
    EXPECT_EQ(found(page_of("| `low::upcall::wake` | `low/a.cpp` | `low/a.cpp` | x | y |\n"),
                    {.caller = "namespace aios::low {\nvoid f() {\n    upcall::wake(3);\n}\nint upcall::wake(int t) { "
                               "return t; }\n}\n",
                     .answer = ""})
                  .size(),
              1u);
    EXPECT_TRUE(
        found(page_of(kRow), {.answer = "namespace aios::low::upcall {\nnamespace {\nint help(int t) { return t; }\n}\n"
                                        "int wake(int t) { return help(t); }\n}\n"})
            .empty());
}

std::vector<Finding> classes(std::string_view rows, std::string_view low, std::string_view high) {
    UpcallsRule rule(layers(), "| interface | declared in | implemented in | what |\n| --- | --- | --- | --- |\n" +
                                   std::string(rows));
    rule.look_at("kernel/low/a.hpp", low);
    rule.look_at("kernel/high/b.hpp", high);
    std::vector<Finding> findings;
    rule.finish(findings);
    return findings;
}

TEST(LintUpcalls, InterfacesThatAreImplementedAbove) {
    constexpr std::string_view kBase =
        "class Payer {\npublic:\n    virtual void pay(int amount) = 0;\n\nprotected:\n    ~Payer() = default;\n};\n";
    constexpr std::string_view kUser = "class Quota final : public Object, public low::Payer {\n    int a_;\n};\n";
    EXPECT_EQ(classes("", kBase, kUser).size(), 1u);
    EXPECT_TRUE(classes("| `Payer` | `low/a.hpp` | `high` | pays |\n", kBase, kUser).empty());
    EXPECT_EQ(classes("| `Payer` | `low/a.hpp` | `higher` | pays |\n", kBase, kUser).size(), 1u);
    EXPECT_EQ(classes("| `Payer` | `low/b.hpp` | `high` | pays |\n", kBase, kUser).size(), 1u);
    EXPECT_EQ(classes("| `Payer` | `low/a.hpp` | `high` | pays |\n", kBase, "").size(), 1u); // nobody does
    // A base without virtual functions, an implementation in its own room, one below.
    EXPECT_TRUE(classes("", "class Payer {\n    int a_;\n    virtual ~Payer() = default;\n};\n", kUser).empty());
    EXPECT_TRUE(classes("", std::string(kBase) + std::string(kUser), "").empty());
    EXPECT_TRUE(classes("", kUser, kBase).empty());
}

std::vector<Finding> pointers(std::string_view rows, std::string_view code) {
    UpcallsRule rule(layers(),
                     "| pointer | declared in | who | when |\n| --- | --- | --- | --- |\n" + std::string(rows));
    rule.look_at("kernel/low/a.hpp", code);
    std::vector<Finding> findings;
    rule.finish(findings);
    return findings;
}

TEST(LintUpcalls, PointersThatAreKept) {
    for (const std::string_view kept :
         {"struct A {\n    void (*told)(int a) = nullptr;\n};\n", "using told = int (*)(Call& call);\n",
          "constinit std::atomic<void (*)()> told{nullptr};\n", "constinit void (*told[8])() = {};\n",
          "struct A {\n    void (B::*told)(int) = nullptr;\n};\n", "void (*told)(int);\n"}) {
        EXPECT_EQ(pointers("", kept).size(), 1u) << kept;
        EXPECT_TRUE(pointers("| `told` | `low/a.hpp` | somebody | then |\n", kept).empty()) << kept;
    }
    for (const std::string_view other :
         {"void walk(void (*visit)(int), int a);\n", "void f() {\n    (*told)(3);\n    return (*told)(4);\n}\n",
          "auto f = reinterpret_cast<void (*)()>(code);\n",
          "class A {\n    void set(void (*told)(int)) { g(told); }\n};\n"})
        EXPECT_TRUE(pointers("", other).empty()) << other;
    EXPECT_EQ(pointers("| `told` | `low/a.hpp` | somebody | then |\n", "").size(), 1u);
}

TEST(LintUpcalls, WhatWasLinkedUpwards) {
    const UpcallsRule rule(layers(), page_of(kRow));
    const auto links = [&](std::string_view low, std::string_view high, std::string_view target) {
        std::vector<Finding> findings;
        rule.check_links(std::format("/build/k/{}.o: {:16} U {}\n/build/k/{}.o: 0000000000000010 T {}\n", low, "",
                                     target, high, target),
                         "/build/k", findings);
        return findings.size();
    };
    EXPECT_EQ(links("low/a.cpp", "high/b.cpp", "aios::low::upcall::wake(int)"), 0u);
    EXPECT_EQ(links("low/a.cpp", "high/c.cpp", "aios::low::upcall::wake(int)"), 1u); // answered elsewhere
    EXPECT_EQ(links("low/a.cpp", "high/b.cpp", "aios::high::init()"), 1u);
    EXPECT_EQ(links("high/b.cpp", "low/a.cpp", "aios::low::init()"), 0u);
    EXPECT_EQ(links("low/a.cpp", "arch/x86_64/b.cpp", "aios::arch::halt()"), 0u);
    EXPECT_EQ(links("arch/b.cpp", "arch/x86_64/b.cpp", "aios::arch::halt()"), 0u); // implements it
    EXPECT_EQ(links("low/a.cpp", "__/personality/x.cpp", "aios::linux_abi::f()"), 1u);
    // What any room may need of its environment; and nothing that has but a like name.
    for (const std::string_view name : {"memchr", "aios::assertion_failed(char const*, char const*, int)",
                                        "std::__1::__libcpp_verbose_abort(char const*, ...)", "__stack_chk_fail"})
        EXPECT_EQ(links("__/boot/a.cpp", "arch/x86_64/b.cpp", name), 0u) << name;
    EXPECT_EQ(links("low/a.cpp", "high/b.cpp", "memchr_of_high"), 1u);
    EXPECT_EQ(links("low/a.cpp", "high/b.cpp", "aios::high::assertion_failed(int)"), 1u);
    std::vector<Finding> findings;
    rule.check_links("", "/build/k", findings);
    EXPECT_EQ(findings.size(), 1u); // nothing was read: no proof
}

} // namespace
} // namespace aios::host::lint
