#include "tools/aios/lint/lint.hpp"

#include <format>

#include "tests/unit/host/support.hpp"

namespace aios::host::lint {
namespace {

const Layers& layers() {
    static const Layers parsed = Layers::parse("# comment\n"
                                               "chain kernel: abi base kernel/arch kernel/mm kernel # more\n"
                                               "chain user: abi base runtime services\n"
                                               "apart: services\nfree: tests\n")
                                     .value();
    return parsed;
}

bool allowed(std::string_view file, std::string_view target) { return !layers().objection(file, target).has_value(); }

TEST(LintLayers, Order) {
    EXPECT_TRUE(allowed("base/a.hpp", "abi/b.hpp"));
    EXPECT_FALSE(allowed("abi/b.hpp", "base/a.hpp"));
    EXPECT_TRUE(allowed("kernel/mm/x.cpp", "kernel/arch/y.hpp"));
    EXPECT_FALSE(allowed("kernel/arch/x86_64/y.cpp", "kernel/mm/x.hpp"));
    EXPECT_TRUE(allowed("kernel/main.cpp", "kernel/mm/x.hpp"));
    EXPECT_FALSE(allowed("services/a/main.cpp", "kernel/mm/x.hpp"));
    EXPECT_TRUE(allowed("services/a/main.cpp", "services/a/part.hpp"));
    EXPECT_FALSE(allowed("services/a/main.cpp", "services/b/part.hpp"));
    EXPECT_TRUE(allowed("tests/x.cpp", "kernel/main.hpp"));
    EXPECT_FALSE(allowed("unknown/x.cpp", "abi/b.hpp"));
    EXPECT_FALSE(allowed("base/x.cpp", "missing.hpp"));
}

TEST(LintLayers, BadFilesAreRefused) {
    EXPECT_FALSE(Layers::parse("chain kernel abi"));
    EXPECT_FALSE(Layers::parse("order: abi"));
}

std::vector<Finding> constructs(std::string_view file, std::string_view text) {
    std::vector<Finding> findings;
    check_constructs(file, text, findings);
    return findings;
}

TEST(LintConstructs, DangerNeedsAReason) {
    EXPECT_EQ(constructs("base/a.cpp", "auto x = reinterpret_cast<int*>(y);\n").size(), 1u);
    EXPECT_TRUE(constructs("base/a.cpp", "// SAFETY: fine.\nauto x = reinterpret_cast<int*>(y);\n").empty());
    EXPECT_EQ(constructs("base/a.cpp", "auto x = new int;\n").size(), 1u);
    EXPECT_TRUE(constructs("base/a.cpp", "auto x = new (place) int;\nvoid* operator new(size_t);\n").empty());
    EXPECT_EQ(constructs("base/a.cpp", "// SAFETY: x\nasm(\"hlt\");\n").size(), 1u);
    EXPECT_EQ(constructs("kernel/arch/a.cpp", "int a;\nasm(\"hlt\");\n").size(), 1u);
    EXPECT_TRUE(constructs("kernel/arch/a.cpp", "// Head. SAFETY: each is one instruction.\nasm(\"hlt\");\n").empty());
}

TEST(LintConstructs, BordersOfTheKernel) {
    const std::string copy = "TRY(arch::copy_from_user(&a, from, 4));\n";
    EXPECT_EQ(constructs("kernel/ipc/a.cpp", copy).size(), 1u);
    EXPECT_EQ(constructs("personality/linux/a.cpp", copy).size(), 1u);
    EXPECT_EQ(constructs("kernel/mm/a.cpp", "arch::copy_to_user(to, &a, 4);\n").size(), 1u);
    EXPECT_TRUE(constructs("kernel/mm/user_memory.hpp", copy).empty());
    EXPECT_TRUE(constructs("kernel/arch/x86_64/a.cpp", copy).empty());
    EXPECT_EQ(constructs("personality/linux/a.cpp", "auto a = arch::call_arguments(frame);\n").size(), 1u);
    EXPECT_TRUE(constructs("personality/linux/dispatch.cpp", "auto a = arch::call_arguments(frame);\n").empty());
    EXPECT_EQ(constructs("kernel/syscall/a.cpp", "record.kind = audit::Kind::refusal;\n").size(), 1u);
}

TEST(LintConstructs, HabitsOfTheKernel) {
    EXPECT_EQ(constructs("kernel/ipc/a.hpp", "    friend Result<T*> mm::make(A&&...);\n").size(), 1u);
    EXPECT_EQ(constructs("kernel/mm/a.hpp", "    friend void destroy(T*);\n").size(), 1u);
    EXPECT_TRUE(constructs("kernel/ipc/a.hpp", "    friend struct Maker;\n").empty());
    for (const std::string_view parameter : {"void f(bool wait);\n", "int f(int a, bool wait = false, int b);\n",
                                             "    explicit A(const bool wait) : wait_(wait) {}\n"})
        EXPECT_EQ(constructs("kernel/ipc/a.hpp", parameter).size(), 1u) << parameter;
    for (const std::string_view other :
         {"    bool wait_ = false;\n", "template <bool kWait>\n", "[[nodiscard]] bool f(int a);\n",
          "void f(bool& waits);\n", "    bool (*told)(int);\n"})
        EXPECT_TRUE(constructs("kernel/ipc/a.hpp", other).empty()) << other;
    EXPECT_TRUE(constructs("kernel/ipc/a.cpp", "void f(bool wait);\n").empty()); // a file's own
}

TEST(LintConstructs, PlacesOfThings) {
    EXPECT_EQ(constructs("kernel/mm/a.cpp", "throw 1;\n").size(), 1u);
    EXPECT_TRUE(constructs("services/desk/a.cpp", "throw 1;\n").empty());
    EXPECT_EQ(constructs("kernel/mm/a.cpp", "#if defined(__x86_64__)\n").size(), 1u);
    EXPECT_TRUE(constructs("kernel/arch/a.cpp", "#if defined(__x86_64__)\n").empty());
    EXPECT_EQ(constructs("base/a.cpp", "// TO"
                                       "DO: later\n")
                  .size(),
              1u);
}

TEST(LintConstructs, CommentsAndStringsAreNotCode) {
    EXPECT_TRUE(constructs("base/a.cpp",
                           "// a new thing to try, reinterpret_cast\n/* throw\ncatch */\nauto s = \"new int\";\n"
                           "auto r = R\"x(new int; throw)x\";\nint n = 1'000;\nchar c = '\\'';\n")
                    .empty());
}

TEST(LintLayouts, StandInTheTableAlone) {
    const auto layouts = [](std::string_view file, std::string_view text) {
        std::vector<Finding> findings;
        check_layouts(file, text, findings);
        return findings.size();
    };
    for (const std::string_view spelled :
         {"TRY(in.expect_key(key));", "out.key(3).uint(4);", "out.map( 6 );", "out.array(2).text(name);",
          "if (TRY(in.map_begin()) != 3) return;", "EXPECT_EQ(in.array_begin() == 5, true);", "case 1: key->number();",
          "name = TRY(parts[0].text());"}) {
        EXPECT_EQ(layouts("services/a/main.cpp", std::string(spelled) + "\n"), 1u) << spelled;
        EXPECT_EQ(layouts("tests/guest/a.cpp", std::string(spelled) + "\n"), spelled.contains("parts[0]") ? 0u : 1u)
            << spelled; // other values have text() too
        EXPECT_EQ(layouts("messages/codec.hpp", std::string(spelled) + "\n"), 0u) << spelled;
        EXPECT_EQ(layouts("a.cpp", "// LAYOUT: another's format.\n" + std::string(spelled) + "\n"), 0u) << spelled;
    }
    for (const std::string_view fine : {"out.map(slots.size());", "out.key(slot->first);", "out.array(count);",
                                        "if (TRY(in.map_begin()) > kMax) return;", "// out.key(3)",
                                        "f(\"in.expect_key(1)\");", "texts[i].text();", "values.map(f);"})
        EXPECT_EQ(layouts("services/a/main.cpp", std::string(fine) + "\n"), 0u) << fine;
}

TEST(LintShape, Rules) {
    const auto shape = [](std::string_view file, std::string_view text) {
        std::vector<Finding> findings;
        check_shape(file, text, findings);
        return findings.size();
    };
    EXPECT_EQ(shape("a.hpp", "// What.\n#pragma once\n"), 0u);
    EXPECT_EQ(shape("a.hpp", "#pragma once\n"), 1u);
    EXPECT_EQ(shape("a.hpp", "// What.\n"), 1u);
    EXPECT_EQ(shape("a.cpp", "int a; \n"), 1u);
    EXPECT_EQ(shape("a.cpp", "int a;"), 1u);
    for (const std::string_view late :
         {"i++;", "    if (x) a.b_++;", "for (;; p->n--) {", "f([] { n++; });", "for (; n < 3; n++)"})
        EXPECT_EQ(shape("a.cpp", std::string(late) + "\n"), 1u) << late;
    for (const std::string_view fine :
         {"a = n++;", "f(n++);", "++i;", "*p++ = 1;", "// i++;", "g(a, n++);", "return n++;"})
        EXPECT_EQ(shape("a.cpp", std::string(fine) + "\n"), 0u) << fine;
    EXPECT_EQ(shape("a.cpp", "// --- title\n// -----------\n"), 1u);
    EXPECT_EQ(shape("a.cpp", "// --- title ------\n"), 0u);
    std::string longer;
    for (int i = 0; i < 601; ++i)
        longer += "x\n";
    EXPECT_EQ(shape("a.cpp", longer), 1u);
    EXPECT_EQ(shape("a.cpp", "// LENGTH: a table\n" + longer), 0u);
}

std::vector<Finding> ends(std::string_view header, std::string_view source) {
    EndsRule rule;
    rule.look_at("kernel/x/a.hpp", header);
    rule.look_at("kernel/x/a.cpp", source);
    std::vector<Finding> findings;
    rule.finish(findings);
    return findings;
}

TEST(LintEnds, ChainsOfOneKindEndInALoop) {
    constexpr std::string_view kChain = "class Link final : public Object {\npublic:\n    void f() { g(); }\n\n"
                                        "private:\n    Ref<Link> parent_;\n};\n";
    const auto found = ends(kChain, "void Link::release() { mm::destroy(this); }\n");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].line, 6u);
    EXPECT_TRUE(ends(kChain, "Link* up = link->parent_.leak();\n").empty());
    EXPECT_EQ(ends(kChain, "Link* up = link->other_.leak();\n").size(), 1u);
    EXPECT_EQ(ends("struct Link {\n    const Ref<Link> next;\n};\n", "").size(), 1u);
    // Others, and what only looks like one: another type, an argument, a local, a nested type, a reason.
    EXPECT_TRUE(ends("struct Link {\n    Ref<Other> next;\n};\n", "").empty());
    EXPECT_TRUE(ends("struct Link {\n    Link(Ref<Link> next);\n};\n", "").empty());
    EXPECT_TRUE(ends("struct Link {\n    void f() {\n        Ref<Link> local;\n    }\n};\n", "").empty());
    EXPECT_TRUE(ends("struct Outer {\n    struct Link {\n        Ref<Outer> up;\n    };\n};\n", "").empty());
    EXPECT_TRUE(ends("struct Link {\n    // ENDS: only ever itself.\n    Ref<Link> self;\n};\n", "").empty());
}

std::vector<Finding> locks(std::string_view header, std::string_view source = {},
                           std::string_view folder = "kernel/x") {
    LocksRule rule;
    rule.look_at(std::format("{}/a.hpp", folder), header);
    rule.look_at(std::format("{}/a.cpp", folder), source);
    std::vector<Finding> findings;
    rule.finish(findings);
    return findings;
}

TEST(LintLocks, PlainMembersBesideGuardedOnesSayWhoMayTouchThem) {
    const auto members = [](std::string_view line, std::string_view above = "int a_ AIOS_GUARDED_BY(lock_) = 0;") {
        std::vector<Finding> findings;
        check_members("kernel/sched/a.hpp",
                      std::format("class A {{\nprivate:\n    Lock lock_;\n    {}\n    {}\n}};\n", above, line),
                      findings);
        return findings.size();
    };
    // As the end of a slice stood in RunQueue, written under its lock and read without.
    EXPECT_EQ(members("std::uint64_t slice_end_ = 0;"), 1u);
    for (const std::string_view plain :
         {"bool b_;", "Thread* b_ = nullptr;", "const char* b_;", "char b_[16];", "unsigned b_{0}, c_ = 1;"})
        EXPECT_EQ(members(plain), 1u) << plain;
    for (const std::string_view other :
         {"std::atomic<std::uint64_t> b_{0};", "const std::uint64_t b_;", "Thread* const b_;",
          "std::uint64_t b_ = 0; // this CPU's own", "int b_ AIOS_GUARDED_BY(lock_);", "bool is_b() const;",
          "Ref<Thread> b_;", "static constexpr int kB = 1;", "Thread* b = nullptr);"})
        EXPECT_EQ(members(other), 0u) << other;
    EXPECT_EQ(members("int b_;", "int a_; // told"), 0u); // nothing is guarded here
    EXPECT_EQ(members("int b_;", "int a_ AIOS_GUARDED_BY(lock_);\n    // Constant."), 0u);
    EXPECT_EQ(members("int b_;", "int a_ AIOS_GUARDED_BY(lock_);\n    // This CPU's own:\n    int c_;"), 0u);
    EXPECT_EQ(members("int b_;", "// Owed.\n    int a_ AIOS_GUARDED_BY(lock_);"), 1u); // another one's comment
}

TEST(LintLocks, EachSaysWhatItGuards) {
    constexpr std::string_view kNothing =
        "class Box {\n    sync::SpinLock<sync::Rank::heap> lock_;\n    int a_ = 0;\n};\n";
    const auto found = locks(kNothing);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].line, 2u);
    EXPECT_TRUE(locks("class Box {\n    sync::SpinLock<sync::Rank::heap> lock_;\n"
                      "    int a_ AIOS_GUARDED_BY(lock_) = 0;\n};\n")
                    .empty());
    // Another lock's word does not count, nor does one in a comment, nor one of another class of the same folder.
    EXPECT_EQ(
        locks(
            "class Box {\n    sync::Mutex<R> one_;\n    sync::Mutex<R> two_;\n    int a_ AIOS_GUARDED_BY(one_);\n};\n")
            .size(),
        1u);
    EXPECT_EQ(locks("class Box {\n    sync::Mutex<R> lock_; // AIOS_GUARDED_BY(lock_)\n};\n").size(), 1u);
    EXPECT_EQ(
        locks("class AIOS_CAPABILITY(\"box\") Box {\n    sync::Mutex<R> lock_;\n};\n"
              "class Other final : public Box {\n    sync::Mutex<R> lock_;\n    int a_ AIOS_GUARDED_BY(lock_);\n};\n")
            .size(),
        1u);
    // Through an owner, and by a global.
    EXPECT_TRUE(locks("struct Tree {\n    sync::Mutex<R> lock;\n};\n",
                      "struct Node {\n    int a AIOS_GUARDED_BY(tree_->lock);\n};\n")
                    .empty());
    EXPECT_TRUE(locks("extern sync::Mutex<R> g_lock;\nclass A {\n    int a_ AIOS_GUARDED_BY(g_lock);\n};\n",
                      "constinit sync::Mutex<R> g_lock;\n")
                    .empty());
    EXPECT_EQ(locks("constinit sync::Mutex<R> g_lock;\nconstinit int g_data = 0;\n").size(), 1u);
}

TEST(LintLocks, TypesByOtherNamesAreFound) {
    constexpr std::string_view kAlias = "using BoxLock = sync::SpinLock<sync::Rank::heap>;\n";
    EXPECT_EQ(locks(kAlias, "class Box {\n    mutable BoxLock lock_;\n};\n").size(), 1u);
    EXPECT_EQ(locks(kAlias, "class Box {\n    deep::BoxLock lock_;\n};\n").size(), 1u);
    // Guards, arguments, references and what owns its data are not locks to look at.
    EXPECT_TRUE(locks(kAlias,
                      "using Guard = sync::SpinLock<sync::Rank::heap>::Guard;\nvoid f(BoxLock& lock);\n"
                      "void g() {\n    Guard guard;\n}\nconstinit sync::Protected<int, sync::Rank::heap> g_a;\n")
                    .empty());
}

TEST(LintLocks, ReasonsAndFoldersNotLookedAt) {
    EXPECT_TRUE(
        locks("class Box {\n    // PROTOCOL: two calls are one step.\n    sync::Mutex<R> lock_;\n};\n").empty());
    constexpr std::string_view kBad = "constinit sync::Mutex<R> g_lock;\n";
    EXPECT_TRUE(locks(kBad, "", "tools/x").empty());
    EXPECT_EQ(locks(kBad, "", "personality/linux").size(), 1u);
    for (const std::string_view folder : {"kernel/ipc", "kernel/event"})
        EXPECT_EQ(locks(kBad, "", folder).size(), 1u);
}

TEST(LintLocks, LockedFunctionsRequireAndAssert) {
    constexpr std::string_view kDeclared = "class Box {\n    Result<> grow_locked(int by) AIOS_REQUIRES(lock_);\n};\n";
    EXPECT_TRUE(locks(kDeclared, "Result<> Box::grow_locked(int by) {\n    lock_.assert_held();\n}\n").empty());
    EXPECT_EQ(locks(kDeclared, "Result<> Box::grow_locked(int by) {\n    a = by;\n}\n").size(), 1u);
    EXPECT_EQ(locks("class Box {\n    Slot* find_locked(int by);\n};\n",
                    "Slot* Box::find_locked(int) {\n    lock_.assert_held();\n}\n")
                  .size(),
              1u);
    EXPECT_EQ(locks("", "void f_locked(Box& box) {\n}\n").size(), 2u); // neither
    EXPECT_TRUE(
        locks("", "void f_locked(Box& box) AIOS_REQUIRES(box.lock) {\n    box.lock.assert_held();\n}\n").empty());
    // One class's function says nothing of another's.
    EXPECT_EQ(locks(kDeclared, "void Box::grow_locked(int) {\n    assert_held();\n}\nvoid Can::grow_locked(int) {\n    "
                               "assert_held();\n}\n")
                  .size(),
              1u);
    // Calls are no declarations.
    EXPECT_TRUE(locks("", "void f() {\n    a_locked(1);\n    return b_locked();\n    TRY(c_locked());\n    x = "
                          "d_locked() + y * e_locked();\n"
                          "    if (p && g_locked() && !h_locked()) (void)box->i_locked(Tree::j_locked(2));\n}\n")
                    .empty());
}

TEST(LintLocks, AnalysisIsSwitchedOffForAReason) {
    EXPECT_EQ(locks("", "void f() AIOS_NO_LOCK_ANALYSIS {\n}\n").size(), 1u);
    EXPECT_TRUE(
        locks("", "// No analysis: it picks the lock at run time.\nvoid f() AIOS_NO_LOCK_ANALYSIS {\n}\n").empty());
    EXPECT_TRUE(locks("#define AIOS_NO_LOCK_ANALYSIS __attribute__((x))\n").empty());
}

} // namespace
} // namespace aios::host::lint
