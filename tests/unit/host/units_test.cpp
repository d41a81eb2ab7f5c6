// Unit files: what a good one becomes, what is said about a bad one, and that the documentation has every setting.
#include <gtest/gtest.h>

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <format>

#include "abi/call_types.hpp"
#include "base/bytes.hpp"
#include "base/cbor.hpp"
#include "messages/owned.hpp"
#include "tests/unit/host/support.hpp"
#include "tools/aios/host/nearest.hpp"
#include "tools/aios/input/system.hpp"
#include "tools/aios/input/units.hpp"

namespace aios::host {
namespace {

constexpr std::string_view kText = R"(
strategy = "rest_for_one"   # a comment
region = "4K * $DOCUMENTS"
[unit.second]
program = "bin/second"
arguments = ["--a", "b c"]
needs = ["first"]
grants.console = "write"
grants.job = ["read", "execute", "transfer"]
offers = "text.* words.count"
memory = "32M + 2 * $TEXT"
tokens = 100_000
money = "5 * $TEXT"
restart = "on_failure"
ready_timeout = 90
essential = false
[unit.first]
program = "bin/first"
ready = "start"
weight = 250
hint = "batch"
)";

const Variables kVariables = {{"TEXT", 100}, {"DOCUMENTS", 3}};

TEST(Units, AreRead) {
    const auto system = read_units("x.toml", kText, kVariables);
    ASSERT_TRUE(system) << system.error().sentence;
    EXPECT_EQ(system->strategy, 2u);
    EXPECT_EQ(system->intensity, 3u);
    EXPECT_EQ(system->region_bytes, 3u * 4096);
    ASSERT_EQ(system->units.size(), 2u); // in the order of the file, not of the alphabet
    const UnitText& second = system->units[0];
    EXPECT_EQ(second.name, "second");
    EXPECT_EQ(second.line, 4u);
    EXPECT_EQ(second.arguments, (std::vector<std::string>{"--a", "b c"}));
    EXPECT_EQ(second.needs, std::vector<std::string>{"first"});
    EXPECT_EQ(second.grants.size(), 2u);
    EXPECT_EQ(second.offers, (std::vector<std::string>{"text.*", "words.count"}));
    EXPECT_TRUE(std::ranges::contains(second.grants, std::pair<std::uint32_t, std::uint32_t>(7, 1 | 4 | 256)));
    EXPECT_EQ(second.memory, (32u << 20) + 200);
    EXPECT_EQ(second.spends[static_cast<unsigned>(Resource::tokens)], 100'000u);
    EXPECT_EQ(second.spends[static_cast<unsigned>(Resource::money)], 500u);
    EXPECT_EQ(second.spends[static_cast<unsigned>(Resource::model_calls)], 0u);
    EXPECT_EQ(system->units[1].spends, UnitText().spends); // nothing
    EXPECT_FALSE(second.essential);
    EXPECT_EQ(second.ready_timeout, 90u);
    EXPECT_EQ(system->units[1].ready_timeout, 30u);
    EXPECT_TRUE(second.sends_ready);
    EXPECT_FALSE(system->units[1].sends_ready);
    EXPECT_EQ(system->units[1].weight, 250u);
    EXPECT_EQ(system->units[1].hint, static_cast<std::uint64_t>(AgentHint::batch));
    EXPECT_FALSE(second.hint);
}

TEST(Units, BecomeDeterministicCbor) {
    const auto system = read_units("x.toml", kText, kVariables);
    ASSERT_TRUE(system);
    const auto encoded = encode_units(*system);
    ASSERT_TRUE(encoded) << encoded.error().sentence;
    EXPECT_TRUE(cbor::validate(as_bytes(*encoded)));
    const auto decoded = messages::decode<messages::owned::SystemText>(as_bytes(*encoded));
    ASSERT_TRUE(decoded);
    ASSERT_TRUE(decoded->units[0].spends);
    ASSERT_EQ(decoded->units[0].spends->size(), 2u);
    EXPECT_EQ(decoded->units[0].spends->at(1).resource, static_cast<std::uint64_t>(Resource::money));
    EXPECT_EQ(decoded->units[0].spends->at(1).amount, 500u);
    EXPECT_FALSE(decoded->units[1].spends); // what says nothing costs nothing
    EXPECT_EQ(decoded->units[1].hint, static_cast<std::uint64_t>(AgentHint::batch));
    EXPECT_FALSE(decoded->units[0].hint);
}

TEST(Units, SayWhatIsWrongAndWhere) {
    const std::string unit = "[unit.a]\nprogram = \"bin/a\"\n";
    const std::pair<std::string, std::string_view> cases[] = {
        {"strategy = \"one_for_al\"\n" + unit,
         "x.toml, line 1: there is no such value: 'one_for_al'; did you mean 'one_for_all'?"},
        {"stratgy = \"one_for_all\"\n" + unit,
         "x.toml, line 1: a unit file has no setting 'stratgy'; did you mean 'strategy'?"},
        {unit + "memory = \"much\"", "x.toml, line 3: 'much' is not a number; write bytes, or 64K, 16M, 1G."},
        {unit + "memory = -1", "x.toml, line 3: a whole number, or a size such as \"16M\", belongs here."},
        {unit + "memory = \"2 * $TXT\"", "x.toml, line 3: there is no variable '$TXT'; did you mean 'TEXT'?"},
        {unit + "memory = 0", "x.toml, line 3: 0 is not from 1 to 9223372036854775807."},
        {unit + "memory = \"16G * 16G\"", "x.toml, line 3: the size is too large."},
        {unit + "memroy = 4", "x.toml, line 3: a unit has no setting 'memroy'; did you mean 'memory'?"},
        {unit + "\ngrants.console = \"\"", "x.toml, line 4: the grant of console names no right."},
        {unit + "grants.consol = \"write\"", "x.toml, line 3: there is no role 'consol'; did you mean 'console'?"},
        {unit + "grants.console = \"wriet\"", "x.toml, line 3: there is no right 'wriet'; did you mean 'write'?"},
        {unit + "grants = [\"console write\"]",
         "x.toml, line 3: grants belong here by role: grants.console = \"write\"."},
        {unit + "offers = 3", "x.toml, line 3: a list of texts belongs here: [\"one\", \"two\"]."},
        {unit + "offers = \"a b c d e f g h i j k l m n o p q\"",
         "x.toml, line 3: a unit has at most 16 offers; a namespace is one: \"text.*\"."},
        {"intensity = 65\n" + unit, "x.toml, line 1: 65 is not from 0 to 64."},
        {unit + "ready_timeout = 0", "x.toml, line 3: 0 is not from 1 to 86400."},
        {unit + "ready_timeout = \"soon\"", "x.toml, line 3: 'soon' is not a number; write bytes, or 64K, 16M, 1G."},
        {unit + "ready_timout = 5",
         "x.toml, line 3: a unit has no setting 'ready_timout'; did you mean 'ready_timeout'?"},
        {unit + "ready_timeout = 5\nready = \"start\"",
         "x.toml, line 3: unit a is ready as soon as it runs (ready = \"start\"), so nobody waits for it."},
        {unit + "essential = \"no\"", "x.toml, line 3: true or false belongs here."},
        {unit + "arguments = \"a b\"", "x.toml, line 3: a list of texts belongs here: [\"one\", \"two\"]."},
        {unit + "needs = [\"b\"]",
         "x.toml, line 3: unit a needs 'b', which this file does not have; did you mean 'a'?"},
        {unit + "needs = [\"a\"]", "x.toml, line 3: unit a needs itself through its needs: a cycle."},
        {"[unit.a]\nmemory = 1", "x.toml, line 1: unit a has no program."},
        {"[unit.'a b']\nprogram = \"x\"",
         "x.toml, line 1: a unit's name is 1 to 31 printable characters of ASCII without blanks."},
        {"unit = 3", "x.toml, line 1: a unit starts with [unit.NAME]."},
        {"", "x.toml describes no unit: [unit.NAME]."},
    };
    for (const auto& [text, sentence] : cases) {
        const auto read = read_units("x.toml", text, kVariables);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().sentence, sentence);
        EXPECT_EQ(read.error().exit, Exit::bad_input);
    }
    // What is no TOML is told by the library, with the line.
    const auto broken = read_units("x.toml", unit + "memory = \n", kVariables);
    ASSERT_FALSE(broken);
    EXPECT_TRUE(broken.error().sentence.starts_with("x.toml, line 3: ")) << broken.error().sentence;
    const auto twice = read_units("x.toml", unit + unit, kVariables);
    ASSERT_FALSE(twice);
    EXPECT_TRUE(twice.error().sentence.starts_with("x.toml, line 3: ")) << twice.error().sentence;
}

TEST(Units, EverySettingIsDocumented) {
    const auto page = read_file(AIOS_SOURCE "/docs/units.md", 1 << 20);
    ASSERT_TRUE(page);
    for (const auto& settings : {file_settings(), unit_settings()})
        for (const std::string_view name : settings)
            EXPECT_NE(page->find(std::format("| `{}` |", name)), std::string::npos) << name;
}

TEST(Nearest, Word) {
    constexpr std::string_view kKnown[] = {"memory", "handles", "threads"};
    EXPECT_EQ(nearest("memroy", kKnown), "memory");
    EXPECT_EQ(nearest("handle", kKnown), "handles");
    EXPECT_EQ(nearest("colour", kKnown), "");
    EXPECT_EQ(nearest("", kKnown), "");
    EXPECT_EQ(nearest(std::string(10'000, 'm'), kKnown), "");
}

// A program as check_program looks at it: the head, and one segment of the kind given.
std::string program(std::uint16_t type = ET_EXEC, std::uint32_t segment = PT_LOAD) {
    Elf64_Ehdr head{};
    std::memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    head.e_machine = EM_X86_64;
    head.e_type = type;
    head.e_phoff = sizeof head;
    head.e_phnum = 1;
    Elf64_Phdr one{};
    one.p_type = segment;
    std::string bytes(sizeof head + sizeof one, '\0');
    std::memcpy(bytes.data(), &head, sizeof head);
    std::memcpy(bytes.data() + sizeof head, &one, sizeof one);
    return bytes;
}

class SystemTest : public ScratchTest {
protected:
    static Bundle bundle() {
        Bundle boot;
        boot.entries = {{"etc/system.toml",
                         "[unit.memoryd]\nprogram = \"bin/memoryd\"\n[unit.super]\nprogram = \"bin/super\"\n"
                         "personality = \"native\"\nmemory = \"1M + $CREW_MEMORY\"\n"
                         "tokens = \"$CREW_TOKENS\"\nmodel_calls = \"1 + $CREW_MODEL_CALLS\"\n",
                         false, "/root/services/system.toml"},
                        {"etc/crew.toml",
                         "[unit.desk]\nprogram = \"bin/desk\"\nmemory = \"3M\"\ntokens = 70\nmodel_calls = 2\n", false,
                         "/root/examples/desk/crew.toml"},
                        {"bin/memoryd", program(), true},
                        {"bin/super", program(), true},
                        {"bin/desk", program(), true}};
        return boot;
    }
    static std::string sentence_of(const RunOptions& options, Bundle boot = bundle()) {
        const auto made = make_system(boot, options, {0, 0, "/root"});
        return made ? "" : made.error().sentence;
    }
};

TEST_F(SystemTest, IsMadeForTheGuest) {
    Bundle boot = bundle();
    const auto needs = make_system(boot, {}, {0, 0, "/root"});
    ASSERT_TRUE(needs) << needs.error().sentence;
    EXPECT_EQ(boot.entries[0].path, "etc/system.cbor");
    EXPECT_EQ(boot.entries[1].path, "etc/crew.cbor");
    EXPECT_EQ(needs->memory_bytes, (16u + 1 + 3) << 20);
    const UnitText* super = needs->files.system.find("super");
    ASSERT_NE(super, nullptr);
    EXPECT_EQ(super->spends[static_cast<unsigned>(Resource::tokens)], 70u);
    EXPECT_EQ(super->spends[static_cast<unsigned>(Resource::money)], 0u);
    EXPECT_EQ(super->spends[static_cast<unsigned>(Resource::model_calls)], 3u);
    RunOptions options;
    options.pool_mib = 100;
    boot = bundle();
    EXPECT_EQ(make_system(boot, options, {})->memory_bytes, (16u + 1 + 100) << 20);
    options.pool_mib = 2;
    EXPECT_EQ(sentence_of(options),
              "the units of examples/desk/crew.toml ask for 3 MiB together; give --memory-pool at least "
              "that, or leave it out.");
}

TEST_F(SystemTest, TakesTheUsersCrewAndAgents) {
    put("mine.toml", "[unit.count]\nprogram = \"bin/counter\"\n");
    put("counter", program());
    RunOptions options;
    options.crew = at("mine.toml");
    options.agents = {{"counter", at("counter")}};
    Bundle boot = bundle();
    ASSERT_TRUE(make_system(boot, options, {}));
    EXPECT_TRUE(std::ranges::contains(boot.entries, "bin/counter", &BundleEntry::path));
    // Errors name the file that the user gave.
    put("mine.toml", "[unit.count]\nprogram = \"bin/couter\"\n");
    EXPECT_EQ(sentence_of(options), at("mine.toml").native() +
                                        ", line 2: there is no program 'bin/couter' in the bundle; did you "
                                        "mean 'bin/counter'?");
    // One of AIOS's own may be replaced; one that nobody starts is a mistake.
    options.crew.reset();
    options.agents = {{"desk", at("counter")}};
    EXPECT_EQ(sentence_of(options), "");
    options.agents = {{"counter", at("counter")}};
    EXPECT_TRUE(sentence_of(options).starts_with("no unit of examples/desk/crew.toml starts bin/counter;"));
}

TEST_F(SystemTest, RefusesWhatCannotRun) {
    EXPECT_TRUE(check_program("p", program()));
    EXPECT_TRUE(check_program("p", program(ET_DYN)));
    EXPECT_EQ(check_program("p", "#!/bin/sh\n").error().sentence, "'p' is no program: it is not in the format ELF.");
    EXPECT_TRUE(check_program("p", program(ET_DYN, PT_INTERP)).error().sentence.contains("-static"));
    EXPECT_FALSE(check_program("p", program(ET_REL)));
    EXPECT_FALSE(check_program("p", program().substr(0, 70)));
}

TEST_F(SystemTest, CrashesOnlyWhatCanCrash) {
    RunOptions options;
    options.crashes = {{"memoryd", {1, false}}};
    EXPECT_EQ(sentence_of(options), "");
    options.crashes = {{"super", {1, false}}};
    EXPECT_EQ(sentence_of(options),
              "super cannot be told to crash: it is a native program, which answers no requests.");
    options.crashes = {{"nobody", {1, false}}};
    EXPECT_EQ(sentence_of(options), "there is no service or agent called 'nobody' to crash.");
}

// AIOS's own files are right, with no documents and with as many as are allowed.
TEST_F(SystemTest, OwnFilesAreRight) {
    for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{256} << 20}) {
        Bundle boot;
        for (const auto& [path, file] : {std::pair("etc/system.toml", "/services/system.toml"),
                                         std::pair("etc/crew.toml", "/examples/desk/crew.toml")})
            boot.entries.push_back({path, read_file(AIOS_SOURCE + std::string(file), 1 << 20).value(), false, file});
        for (const char* name : {"identityd", "semantic-ipcd", "memoryd", "planner", "agentsupervisor", "librarian",
                                 "reader", "checker", "visitor", "desk"})
            boot.entries.push_back({std::string("bin/") + name, program(), true});
        const auto needs = make_system(boot, {}, {50'000, bytes, ""});
        ASSERT_TRUE(needs) << needs.error().sentence;
    }
}

} // namespace
} // namespace aios::host
