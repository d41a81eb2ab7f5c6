// Whole runs: the ordinary one, both boots on 1, 2 and 4 processors, odd input, and what cuts a run short.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <format>
#include <map>
#include <set>

#include <fcntl.h>

#include "tests/scenario/scenario.hpp"
#include "tools/aios/host/files.hpp"
#include "tools/aios/host/text.hpp"

namespace aios::scenario {

namespace {

// A few documents about different things, so that a question has one home.
void write_library(const World& world) {
    world.put("docs/kettle.txt", "The copper kettle\n\nThe copper kettle holds two litres of water.\n"
                                 "It was made in Lisbon in 1893 by the smith Amaro.\n");
    world.put("docs/lighthouse.txt",
              "The lighthouse at Cape Verrin was built of granite.\n"
              "Its lamp turns once every twelve seconds.\nThe keeper paints the railing in May.\n");
    world.put("docs/garden/bees.txt", "Bees in the walled garden\n\nThe hives stand along the south wall.\n"
                                      "Honey is taken twice, in June and in late August.\n");
}

constexpr const char* kAnswerable = "How often does the lamp of the lighthouse turn?";
constexpr const char* kForeign = "Which parliament ratified the fisheries treaty with Iceland?";

const test::Json& best(const test::Json& report, std::size_t question) {
    return report.at("answers").at(question).at("passages").at(0);
}

bool answered(const test::Json& report, std::size_t question) {
    return report.at("answers").at(question).at("answered").get<bool>();
}

// The library's questions, judged.
void check_library(const test::Json& report) {
    EXPECT(report.at("answers").size() == 2);
    EXPECT(report.at("answers").at(0).at("question") == kAnswerable);
    EXPECT(answered(report, 0));
    EXPECT_SAYING(best(report, 0).at("file") == "lighthouse.txt", best(report, 0).at("file").dump());
    EXPECT(best(report, 0).at("text").get<std::string>().find("twelve seconds") != std::string::npos);
    EXPECT_SAYING(!answered(report, 1), report.at("answers").at(1).at("text").dump());
    EXPECT(report.at("answers").at(1).at("text") == "no answer in these documents");
    EXPECT(!report.at("answers").at(1).at("passages").empty());
}

std::vector<std::string> library_run(const World& world, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"--docs", world.at("docs"), "--ask", kAnswerable, "--ask", kForeign};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

void boot_matrix(const World& world, std::string_view preset, std::string_view boot) {
    write_library(world);
    for (const char* processors : {"1", "2", "4"}) {
        const auto report = world.run(library_run(world, {"--boot", std::string(boot), "--smp", processors}), preset);
        check_library(report);
        EXPECT(report.at("boot").at("path") == boot);
        EXPECT(report.at("boot").at("label") == "unsigned development boot");
        say(std::format("{} {} smp={}: {:.1f} s, entry to first user instruction {:.1f} ms", preset, boot, processors,
                        report.at("boot").at("run_seconds").get<double>(),
                        report.at("boot").at("entry_to_first_user_ms").get<double>()));
    }
}

} // namespace

SCENARIO(run_by_itself_answers_its_questions) {
    const auto report = world.run({});
    EXPECT(report.at("answers").size() > 0);
    world.check_quotations(report, world.root);
    const auto& answers = report.at("answers");
    EXPECT(std::ranges::any_of(answers, [](const test::Json& answer) { return answer.at("answered").get<bool>(); }));
    EXPECT(report.at("agents").size() >= 6);
    EXPECT(report.at("routes").size() > 0);
    EXPECT(report.at("checks").size() > 0);
    EXPECT(report.at("audit").at("records") > 0);
    // One member of the crew is told to read a region for which it has no capability.
    EXPECT(report.at("refusals").size() > 0);
    const auto& checks = report.at("checks");
    EXPECT(std::ranges::any_of(checks, [](const auto& check) { return check.at("refused") > 0; }));
}

SCENARIO(run_in_a_folder_with_few_files) {
    write_library(world);
    const auto report = world.run(library_run(world));
    check_library(report);
    world.check_quotations(report, world.at("docs"));
    EXPECT(best(report, 0).at("first").is_number());
}

SCENARIO(run_boots_by_pvh_release) { boot_matrix(world, "release", "pvh"); }
SCENARIO(run_boots_by_pvh_debug) { boot_matrix(world, "debug", "pvh"); }
SCENARIO(run_boots_by_uefi_release) { boot_matrix(world, "release", "uefi"); }
SCENARIO(run_boots_by_uefi_debug) { boot_matrix(world, "debug", "uefi"); }

SCENARIO(run_repeats_with_a_fixed_seed) {
    write_library(world);
    const auto one = world.run(library_run(world, {"--smp", "1", "--icount", "--append", "seed=7"}));
    const auto two = world.run(library_run(world, {"--smp", "1", "--icount", "--append", "seed=7"}));
    EXPECT(one.at("boot").at("seed_fixed").get<bool>());
    EXPECT(one.at("answers") == two.at("answers"));
}

// Who an agent is says nothing of the boot: another seed, other processors, other numbers, another start of the same agent
// and other work give the same identities. Another name or another program is somebody else.
SCENARIO(two_boots_of_one_description_give_equal_identities) {
    write_library(world);
    const auto identities = [](const test::Json& report) {
        std::multimap<std::string, std::string> by_name;
        for (const auto& agent : report.at("agents"))
            by_name.emplace(agent.at("name").get<std::string>(), agent.at("identity").get<std::string>());
        return by_name;
    };
    const auto numbers = [](const test::Json& report) {
        std::map<std::string, std::uint64_t> by_name;
        for (const auto& agent : report.at("agents"))
            by_name[agent.at("name").get<std::string>()] = agent.at("id").get<std::uint64_t>();
        return by_name;
    };
    const auto one = world.run(library_run(world, {"--smp", "1"}));
    const auto two = world.run(library_run(world, {"--smp", "2", "--boot", "uefi", "--crash", "checker=1"}));
    const auto first = identities(one), second = identities(two);
    EXPECT(first.size() >= 6 && second.size() > first.size()); // the crashed agent twice
    std::set<std::string> different;
    for (const auto& [name, identity] : first) {
        EXPECT_SAYING(identity.size() == 64 && identity.find_first_not_of('0') != identity.npos, name);
        different.insert(identity);
        EXPECT_SAYING(second.contains(name), name);
    }
    for (const auto& [name, identity] : second) {
        const auto known = first.find(name);
        EXPECT_SAYING(known != first.end() && known->second == identity, name + " " + identity);
    }
    // One program under several names is several (reader-1, reader-2), and the boots did number their agents differently.
    std::set<std::string> names;
    for (const auto& [name, identity] : first)
        names.insert(name);
    EXPECT(different.size() == names.size());
    EXPECT(numbers(one) != numbers(two));
}

SCENARIO(audit_log_is_verified) {
    write_library(world);
    const auto report = world.run(library_run(world));
    const auto verified = world.aios({"audit", "verify", world.at("audit-log")});
    EXPECT_SAYING(verified.status == 0, verified.err);
    EXPECT(verified.out.find(report.at("audit").at("root").get<std::string>()) != std::string::npos);
    const std::size_t records = report.at("audit").at("records");
    for (const std::size_t record : {std::size_t{0}, records / 2, records - 1}) {
        const auto proof = world.aios({"audit", "verify", world.at("audit-log"), "--record", std::to_string(record)});
        EXPECT_SAYING(proof.status == 0 && proof.out.find("leads to the root") != std::string::npos, proof.err);
    }
    EXPECT(world.aios({"audit", "verify", world.at("audit-log"), "--record", std::to_string(records)}).status == 3);
    EXPECT(world.aios({"audit", "verify", world.at("audit-log"), "--trust", world.at("key")}).status == 3);
    EXPECT(verified.out.ends_with("consistent, signer unknown\n"));

    const auto shown = world.aios({"audit", "show", world.at("audit-log"), "-o", "json"});
    EXPECT_SAYING(shown.status == 0, shown.err);
    const auto list = test::Json::parse(shown.out);
    EXPECT(list.size() == records);
    EXPECT(list.at(0).at("kind") == "boot");
    // Each question begins a trace, and what is recorded on its way stands with it.
    const auto shown_with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), {"audit", "show", world.at("audit-log"), "-o", "json"});
        const auto ran = world.aios(more);
        EXPECT_SAYING(ran.status == 0, ran.err);
        return test::Json::parse(ran.out);
    };
    const auto begun = shown_with({"--kind", "trace"});
    EXPECT(begun.size() == 2);
    for (const auto& begin : begun) {
        EXPECT(begin.at("name") == kAnswerable || begin.at("name") == kForeign);
        const auto traced = shown_with({"--trace", begin.at("trace").get<std::string>()});
        EXPECT(std::ranges::any_of(traced, [&](const auto& one) { return one.at("index") == begin.at("index"); }));
        EXPECT(std::ranges::all_of(traced, [&](const auto& one) { return one.at("trace") == begin.at("trace"); }));
    }
    EXPECT(world.aios({"audit", "show", world.at("audit-log"), "--trace", "12"}).status == 2);

    const auto refusals =
        world.aios({"audit", "show", world.at("audit-log"), "--agent", "visitor", "--kind", "refusal"});
    EXPECT_SAYING(refusals.out.find("memory_map refused: bad_handle") != std::string::npos, refusals.out);
    // What the broker refused it: said by the broker, about the visitor, with a sum that is whole.
    const auto offers = world.aios({"audit", "show", world.at("audit-log"), "--kind", "service_refusal", "-o", "json"});
    EXPECT_SAYING(offers.status == 0, offers.err);
    std::uint64_t refused = 0;
    for (const auto& one : test::Json::parse(offers.out)) {
        refused += one.at("count").get<std::uint64_t>();
        EXPECT_SAYING(one.dump().contains("semantic-ipcd") && one.dump().contains("visitor"), one.dump());
        EXPECT_SAYING(one.dump().contains("question.answer") || one.dump().contains("answer.check"), one.dump());
    }
    EXPECT_SAYING(refused == 2, offers.out);
    EXPECT(world.aios({"audit", "show", world.at("audit-log"), "--agent", "nobody"}).status == 3);
    std::string log = world.get(world.at("audit-log"));
    for (const std::size_t place : {std::size_t{40}, log.size() / 2, log.size() - 1}) {
        std::string damaged = log;
        damaged[place] = static_cast<char>(damaged[place] ^ 4);
        world.put("damaged", damaged);
        EXPECT(world.aios({"audit", "verify", world.at("damaged")}).status == 3);
    }
}

SCENARIO(odd_documents_are_handled) {
    world.put("docs/crlf.txt", "First line\r\nThe zebra crossing was painted on Thursday.\r\nLast line\r\n");
    world.put("docs/latin1.txt", "The caf\xe9 Moreau opens at seven in the morning.\n");
    world.put("docs/with space.txt", "The walrus exhibit is closed until spring.\n");
    world.put("docs/new\nline.txt", "The telescope mirror weighs ninety kilograms.\n");
    world.put("docs/bad\xffname.txt", "The harpsichord was tuned by Ottavia.\n");
    world.put("docs/empty.txt", "");
    world.put("docs/blank.txt", "\n\n\n");
    world.put("docs/no-line-end.txt", "The submarine cable reaches Norfolk");
    world.put("docs/binary.bin", std::string_view("\x7f"
                                                  "ELF\0\0\0walrus zebra",
                                                  19));
    world.put("secret.txt", "The password of the vault is marzipan.\n");
    std::filesystem::create_symlink(world.at("secret.txt"), world.at("docs/link.txt"));
    std::filesystem::create_directory_symlink("..", world.at("docs/up"));
    const auto report =
        world.run({"--docs", world.at("docs"), "--ask", "When was the zebra crossing painted?", "--ask",
                   "When does the caf\xc3\xa9 Moreau open?", "--ask", "Until when is the walrus exhibit closed?",
                   "--ask", "How much does the telescope mirror weigh?", "--ask", "Who tuned the harpsichord?", "--ask",
                   "Where does the submarine cable reach?", "--ask", "What is the password of the vault?"});
    const auto file = [&](std::size_t question) { return best(report, question).at("file").get<std::string>(); };
    const auto text = [&](std::size_t question) { return best(report, question).at("text").get<std::string>(); };
    for (std::size_t question = 0; question < 6; ++question)
        EXPECT_SAYING(answered(report, question), report.at("answers").at(question).at("question").dump());
    EXPECT_SAYING(file(0) == "crlf.txt", file(0));
    EXPECT_SAYING(text(1).find("caf\xc3\xa9 Moreau") != std::string::npos, text(1));
    EXPECT_SAYING(file(2) == "with space.txt", file(2));
    EXPECT_SAYING(file(3) == "new\nline.txt", file(3));
    EXPECT_SAYING(file(4) == "bad\xef\xbf\xbdname.txt", file(4));
    EXPECT_SAYING(file(5) == "no-line-end.txt", file(5));
    EXPECT(!answered(report, 6));
    EXPECT(report.at("boot").at("documents") == 8);
    EXPECT(report.at("skipped").size() == 3); // the binary file and both links
    EXPECT(report.at("converted").size() == 1 && report.at("converted").at(0).at("file") == "latin1.txt");
    for (const auto& answer : report.at("answers"))
        for (const auto& passage : answer.at("passages"))
            EXPECT(passage.at("text").get<std::string>().find("marzipan") == std::string::npos);
}

SCENARIO(a_file_of_200_mb_is_skipped_with_a_count) {
    write_library(world);
    world.put("docs/huge.txt", "a line of text\n");
    std::filesystem::resize_file(world.at("docs/huge.txt"), 200'000'000);
    std::vector<std::string> arguments = library_run(world);
    const auto report = world.run(arguments);
    check_library(report);
    arguments.insert(arguments.begin(), "run");
    EXPECT(report.at("boot").at("documents") == 3);
    EXPECT(world.aios({"run", "--help"}).out.find("16 MiB") != std::string::npos);
}

SCENARIO(a_question_of_65_kb_is_handled) {
    write_library(world);
    std::string question = kAnswerable;
    while (question.size() < 64'900)
        question += " and tell me about the lamp";
    world.put("questions", question + "\n" + kForeign + "\n");
    const auto report = world.run({"--docs", world.at("docs"), "--ask-file", world.at("questions")});
    EXPECT(report.at("answers").size() == 2);
    EXPECT(report.at("answers").at(0).at("question") == question);
    EXPECT(!answered(report, 1));
}

SCENARIO(twenty_thousand_files) {
    for (int i = 0; i < 20'000; ++i)
        world.put(std::format("docs/{:03}/{:05}.txt", i / 100, i),
                  std::format("Note {} of the long list of small notes.\n", i));
    world.put("docs/lighthouse.txt", "The lighthouse at Cape Verrin was built of granite.\n"
                                     "Its lamp turns once every twelve seconds.\n");
    const auto report = world.run({"--docs", world.at("docs"), "--ask", kAnswerable});
    EXPECT(report.at("boot").at("documents") == 20'001);
    EXPECT(answered(report, 0));
    EXPECT(best(report, 0).at("file") == "lighthouse.txt");
    say(std::format("20,001 files: {:.1f} s", report.at("boot").at("run_seconds").get<double>()));
}

// Whoever crashes once in the middle is restarted, and the job ends right.
SCENARIO(a_crash_in_the_middle_is_survived) {
    write_library(world);
    std::string questions;
    for (int i = 0; i < 6; ++i)
        questions += std::format("{}\n{}\n", kAnswerable, kForeign);
    world.put("questions", questions);
    for (const char* crash : {"identityd=9", "semantic-ipcd=20", "memoryd=1", "memoryd=2", "planner=2", "librarian=1",
                              "reader-2=2", "checker=5"}) {
        const auto report =
            world.run({"--docs", world.at("docs"), "--ask-file", world.at("questions"), "--crash", crash});
        EXPECT_SAYING(report.at("answers").size() == 12, crash);
        for (std::size_t i = 0; i < 12; ++i)
            EXPECT_SAYING(answered(report, i) == (i % 2 == 0), crash);
        const auto& agents = report.at("agents");
        const std::string_view name = std::string_view(crash).substr(0, std::string_view(crash).find('='));
        EXPECT_SAYING(std::ranges::count_if(agents, [&](const auto& agent) { return agent.at("name") == name; }) > 1,
                      crash);
    }
}

// Any of them at any request: a few of all, or all of them with AIOS_EXHAUSTIVE=1.
SCENARIO(a_crash_at_any_request_is_survived) {
    write_library(world);
    const bool is_exhaustive = std::getenv("AIOS_EXHAUSTIVE") != nullptr;
    const std::pair<const char*, unsigned> services[] = {{"identityd", 26}, {"semantic-ipcd", 30}, {"memoryd", 2},
                                                         {"planner", 2},    {"librarian", 1},      {"reader-1", 1},
                                                         {"reader-2", 1},   {"checker", 2},        {"visitor", 1}};
    unsigned number = 0, crashed = 0;
    for (const auto& [name, requests] : services) {
        for (unsigned request = 1; request <= requests; ++request) {
            if (!is_exhaustive && number++ % 7 != 0) continue;
            const std::string crash = std::format("{}={}", name, request);
            const auto report = world.run(library_run(world, {"--crash", crash}));
            EXPECT_SAYING(report.at("answers").size() == 2 && answered(report, 0) && !answered(report, 1), crash);
            const auto& agents = report.at("agents");
            crashed += std::ranges::count_if(agents, [&](const auto& agent) { return agent.at("name") == name; }) > 1;
        }
    }
    say(std::format("{} crashes in {} runs", crashed, is_exhaustive ? 66 : (66 + 6) / 7));
    EXPECT(crashed > 0);
}

// An agent with the grants of the tutorial puts itself forward to answer and to check: it is refused, that is in the
// report, and nobody is led to it.
SCENARIO(a_forged_offer_is_refused_and_shown) {
    write_library(world);
    const auto report = world.run(library_run(world));
    check_library(report);
    for (const char* intent : {"question.answer", "answer.check"}) {
        const std::string sentence =
            std::format("visitor may not offer {}: its unit has no setting offers = \"{}\"", intent, intent);
        const auto& refusals = report.at("refusals");
        const auto found = std::ranges::find_if(refusals, [&](const auto& refusal) {
            return refusal.at("agent") == "visitor" && refusal.at("text") == sentence;
        });
        EXPECT_SAYING(found != refusals.end(), sentence);
        EXPECT(found->at("call") == "intent.offer" && found->at("object") == intent);
        EXPECT(found->at("by") == "semantic-ipcd");
        EXPECT_SAYING(found->at("grant") == std::format("offers = \"region.read {}\"", intent),
                      found->at("grant").dump());
    }
    for (const auto& answer : report.at("answers"))
        EXPECT(answer.at("agent") != "visitor");
    for (const auto& route : report.at("routes")) {
        if (route.at("intent") == "region.read") continue;
        for (const auto& candidate : route.at("candidates"))
            EXPECT(candidate.at("agent") != "visitor");
    }
}

// What an agent prints comes out under its name, also when it is killed right afterwards.
SCENARIO(the_last_line_of_a_crashing_agent_is_shown) {
    write_library(world);
    std::vector<std::string> arguments = library_run(world, {"--crash", "checker=1", "--verbose"});
    arguments.insert(arguments.begin(), "run");
    const auto done = world.aios(arguments);
    EXPECT_SAYING(done.status == 0, done.err);
    const std::string all = done.out + done.err;
    const auto at = all.find("crashes at request 1, as it was told");
    EXPECT_SAYING(at != std::string::npos, all);
    const auto line = all.rfind('\n', at) + 1;
    EXPECT_SAYING(all.substr(line, at - line).find("checker") != std::string::npos, all.substr(line, at - line));
}

// Whoever always crashes is given up, with a sentence that names the crash and not what followed from it.
SCENARIO(a_service_that_always_crashes_is_named) {
    write_library(world);
    const auto report =
        world.fails(5, library_run(world, {"--crash", "memoryd=1,always"}), "memoryd: ended by its own signal");
    EXPECT(report.at("outcome") == "failed");
    const auto verified = world.aios({"audit", "verify", world.at("audit-log")});
    EXPECT_SAYING(verified.status == 0 && verified.out.ends_with("consistent, signer unknown\n"), verified.err);
    const auto shown =
        world.aios({"audit", "show", world.at("audit-log"), "--agent", "memoryd", "--kind", "agent_end"});
    EXPECT_SAYING(shown.status == 0 && shown.out.find("memoryd") != std::string::npos, shown.err);
    static_cast<void>(
        world.fails(5, library_run(world, {"--crash", "checker=1,always"}), "checker: ended by its own signal"));
    world.refuses(2, library_run(world, {"--crash", "nobody=1"}), "nobody");
    world.refuses(2, library_run(world, {"--crash", "memoryd"}), "NAME=N");
    world.refuses(2, library_run(world, {"--crash", "agentsupervisor=1"}), "cannot be told to crash");
    static_cast<void>(world.fails(5, library_run(world, {"--crash", "desk=1"}), "desk failed for good"));
}

// The log of a run that was cut short can be read, though nothing vouches for it; the log of an earlier run is gone.
SCENARIO(a_run_that_is_cut_short_leaves_its_log) {
    write_library(world);
    std::string many; // so many questions that a second is too short on any machine
    for (unsigned i = 0; i < 900; ++i)
        many += std::format("{} ({})\n", kAnswerable, i);
    world.put("many", many);
    std::vector<std::string> arguments =
        library_run(world, {"--timeout", "1", "--accel", "tcg", "--ask-file", world.at("many")});
    arguments.insert(arguments.begin(), "run");
    const auto usual = world.root / "build" / "last-run.audit";
    const auto done = world.aios(arguments);
    EXPECT_SAYING(done.status == 6, done.err);
    EXPECT_SAYING(done.err.find("last-run.audit") != std::string::npos, done.err);
    EXPECT(std::filesystem::exists(usual));
    const auto verified = world.aios({"audit", "verify", usual.native()});
    EXPECT_SAYING(verified.status == 3 && verified.err.find("was not closed") != std::string::npos, verified.err);
    EXPECT(world.aios({"audit", "show", usual.native()}).status == 0);
    world.refuses(3, {"--docs", world.at("docs"), "--ask", ""}, "empty");
    EXPECT(!std::filesystem::exists(usual));
}

// What the refusal of too little memory names is enough.
SCENARIO(the_memory_that_is_asked_for_suffices) {
    write_library(world);
    const auto refused = world.aios({"run", "--docs", world.at("docs"), "--ask", kAnswerable, "--memory", "16"});
    EXPECT(refused.status == 3);
    const std::string mark = "at least --memory ";
    const auto at = refused.err.find(mark);
    EXPECT_SAYING(at != std::string::npos, refused.err);
    const std::string needed = std::to_string(std::stoul(refused.err.substr(at + mark.size())));
    check_library(world.run(library_run(world, {"--memory", needed})));
}

SCENARIO(time_runs_out) {
    // Enough text that no machine has taken it in after a second.
    for (int i = 0; i < 400; ++i) {
        std::string text;
        while (text.size() < 20'000)
            text += std::format("Line {} of document {} speaks of item {}.\n", text.size(), i,
                                text.size() * 31 + static_cast<unsigned>(i));
        world.put(std::format("docs/{}.txt", i), text);
    }
    const auto report = world.fails(6, library_run(world, {"--timeout", "1", "--accel", "tcg"}), "--timeout");
    EXPECT(report.at("outcome") == "out_of_time");
}

// A crew of the user's own: the desk's, and beside it a program that AIOS does not know, here busybox as it comes.
SCENARIO(a_crew_of_ones_own_runs) {
    write_library(world);
    const std::string crew = world.get(world.root / "examples" / "desk" / "crew.toml");
    world.put("crew.toml", crew +
                               "\n[unit.echo]\nprogram = \"bin/mine\"\narguments = [\"hello from outside\"]\n"
                               "grants.console = \"write\"\nmemory = \"8M\"\nready = \"start\"\nessential = false\n");
    const std::vector<std::string> own = {"--crew", world.at("crew.toml"), "--agent", "mine=/bin/busybox"};
    check_library(world.run(library_run(world, own)));
    std::vector<std::string> arguments = library_run(world, own);
    arguments.insert(arguments.begin(), "run");
    arguments.emplace_back("--verbose");
    const auto shown = world.aios(arguments);
    EXPECT_SAYING(shown.status == 0 && shown.err.find("echo| hello from outside") != std::string::npos, shown.err);

    world.put("crew.toml", crew + "\n[unit.echo]\nprogram = \"bin/mine\"\nmemroy = \"8M\"\n");
    const auto line = 3 + std::ranges::count(crew, '\n') + 1;
    world.refuses(3, library_run(world, own),
                  std::format("crew.toml, line {}: a unit has no setting 'memroy'; did you mean 'memory'?", line));
    world.put("script", "#!/bin/sh\n");
    world.refuses(3, library_run(world, {"--crew", world.at("crew.toml"), "--agent", "mine=" + world.at("script")}),
                  "ELF");
}

// The tutorial shows the files of examples/counter as they are, and what it says happens.
SCENARIO(the_tutorial_runs) {
    const std::filesystem::path counter = world.root / "examples" / "counter";
    const std::string tutorial = world.get(world.root / "docs" / "tutorial.md"),
                      units = world.get(counter / "units.toml");
    EXPECT(tutorial.find(world.get(counter / "counter.cpp")) != std::string::npos);
    EXPECT(tutorial.find(world.get(counter / "asker.cpp")) != std::string::npos);
    EXPECT(tutorial.find(units.substr(units.find('\n') + 1)) != std::string::npos);
    world.put("crew.toml", world.get(world.root / "examples" / "desk" / "crew.toml") + "\n" + units);
    const std::string built = (world.root / "build" / "release" / "examples").native();
    std::vector<std::string> arguments = {"run", "--verbose", "--crew", world.at("crew.toml")};
    for (const std::string agent : {"counter", "asker"}) {
        arguments.emplace_back("--agent");
        arguments.push_back(agent + "=" + built + "/" + agent);
    }
    const auto shown = world.aios(arguments);
    EXPECT_SAYING(shown.status == 0 && shown.err.find("asker| counter counts 3 words") != std::string::npos, shown.err);
}

SCENARIO(an_interrupt_leaves_nothing_behind) {
    write_library(world);
    std::filesystem::create_directories(world.at("tmp"));
    std::vector<std::string> arguments = {"env", "TMPDIR=" + world.at("tmp"), (world.root / "aios").native(), "run"};
    for (const std::string& argument : library_run(world, {"--json", world.at("json")}))
        arguments.push_back(argument);
    world.put("said", "");
    const host::Descriptor said(::open(world.at("said").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    const pid_t child = host::start_process(arguments, {-1, -1, said.number()});
    EXPECT(child > 0);
    // Once its scratch folder is there, the run is under way.
    for (int i = 0; i < 600 && std::filesystem::is_empty(world.at("tmp")); ++i)
        static_cast<void>(host::run_process({"sleep", "0.1"}, std::chrono::seconds(5), [](std::string_view) {}));
    EXPECT(!std::filesystem::is_empty(world.at("tmp")));
    ::kill(child, SIGINT);
    const int status = host::reap_process(child);
    EXPECT_SAYING(status == 128 + SIGINT, std::to_string(status));
    EXPECT_SAYING(world.get(world.at("said")).ends_with("aios: interrupted.\n"), world.get(world.at("said")));
    EXPECT(std::filesystem::is_empty(world.at("tmp")));
    EXPECT(!std::filesystem::exists(world.at("json")));
}

} // namespace aios::scenario
