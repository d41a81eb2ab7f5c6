// Input that is refused in one sentence, with nothing half-written.
#include <csignal>
#include <format>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/scenario/scenario.hpp"

namespace aios::scenario {

namespace {

void small_documents(const World& world) { world.put("docs/one.txt", "The kettle boils at a hundred degrees.\n"); }

} // namespace

SCENARIO(refuses_a_missing_folder) {
    world.refuses(3, {"--docs", world.at("nowhere"), "--ask", "What?"}, "not a folder");
}

SCENARIO(refuses_a_file_as_folder) {
    world.put("file", "text\n");
    world.refuses(3, {"--docs", world.at("file"), "--ask", "What?"}, "not a folder");
}

SCENARIO(refuses_an_empty_folder) {
    std::filesystem::create_directory(world.at("docs"));
    world.refuses(3, {"--docs", world.at("docs"), "--ask", "What?"}, "no text");
}

SCENARIO(refuses_a_folder_without_text) {
    world.put("docs/binary", std::string_view("\x7f"
                                              "ELF\0\0",
                                              6));
    world.put("docs/blank.txt", "\n \n");
    world.refuses(3, {"--docs", world.at("docs"), "--ask", "What?"}, "no text");
}

// The superuser can read everything, so this runs the host program as somebody else, from a place that anybody can
// reach.
SCENARIO(refuses_an_unreadable_folder) {
    small_documents(world);
    const std::string host = (world.root / "build" / "release" / "tools" / "aios" / "aios-host").native();
    ::chmod(world.at("docs").c_str(), 0);
    host::Captured done;
    if (::geteuid() == 0) {
        ::chmod(world.scratch.c_str(), 0755);
        std::filesystem::copy_file(host, world.at("aios-host"));
        world.put("CMakeLists.txt", "");
        std::filesystem::create_directory(world.at("build")); // where the log goes
        ::chmod(world.at("build").c_str(), 0777);
        done = host::capture_process({"env", "AIOS_ROOT=" + world.scratch.native(), "AIOS_PRESET=release", "setpriv",
                                      "--reuid=65534", "--regid=65534", "--clear-groups", world.at("aios-host"), "run",
                                      "--docs", world.at("docs"), "--ask", "What?"},
                                     std::chrono::minutes(1));
    } else {
        done = world.aios({"run", "--docs", world.at("docs"), "--ask", "What?"});
    }
    ::chmod(world.at("docs").c_str(), 0755);
    EXPECT_SAYING(done.status == 3, done.err);
    EXPECT_SAYING(done.err.find("cannot be read") != std::string::npos, done.err);
}

SCENARIO(refuses_bad_questions) {
    small_documents(world);
    const std::string docs = world.at("docs");
    world.refuses(3, {"--docs", docs, "--ask", ""}, "empty");
    world.refuses(3, {"--docs", docs, "--ask", " \t "}, "empty");
    world.refuses(3, {"--docs", docs, "--ask", "good question?", "--ask", ""}, "question 2");
    world.refuses(3, {"--docs", docs, "--ask", "\xff\xfe"}, "not text");
    world.refuses(3, {"--docs", docs, "--ask", "bell \a"}, "not text");
    world.refuses(3, {"--docs", docs, "--ask-file", world.at("nowhere")}, "cannot be read");
    world.put("empty", "\n\n");
    world.refuses(3, {"--docs", docs, "--ask-file", world.at("empty")}, "no question");
    world.put("binary", std::string_view("What?\n\0\x01\n", 9));
    world.refuses(3, {"--docs", docs, "--ask-file", world.at("binary")}, "not text");
}

SCENARIO(refuses_a_question_of_100_kb) {
    small_documents(world);
    world.put("questions", std::string(100'000, 'q') + "\n");
    world.refuses(3, {"--docs", world.at("docs"), "--ask-file", world.at("questions")}, "65,000 bytes");
    EXPECT(world.aios({"run", "--help"}).out.find("65,000 bytes") != std::string::npos);
}

SCENARIO(refuses_too_little_memory) {
    small_documents(world);
    world.refuses(3, {"--docs", world.at("docs"), "--ask", "What boils?", "--memory", "16"}, "--memory");
}

SCENARIO(refuses_without_qemu) {
    small_documents(world);
    world.refuses(4, {"--docs", world.at("docs"), "--ask", "What boils?"}, "AIOS_QEMU", {"AIOS_QEMU=/nonexistent"});
}

SCENARIO(refuses_where_the_json_cannot_be_written) {
    small_documents(world);
    const auto done =
        world.aios({"run", "--docs", world.at("docs"), "--ask", "What?", "--json", world.at("no/such/file")});
    EXPECT_SAYING(done.status == 4, done.err);
    EXPECT(done.err.find("cannot be written") != std::string::npos);
}

SCENARIO(refuses_one_file_for_report_and_log) {
    small_documents(world);
    const std::vector<std::string> asked = {"--docs", world.at("docs"), "--ask", "What boils?", "--audit-log"};
    for (const std::string& same : {world.at("json"), world.at("docs/../json")}) {
        std::vector<std::string> arguments = asked;
        arguments.push_back(same);
        world.refuses(2, arguments, "both");
    }
}

// A file size limit stands for a full disk: the write fails in the middle in the same way.
SCENARIO(refuses_a_full_disk) {
    small_documents(world);
    const std::string host = (world.root / "build" / "release" / "tools" / "aios" / "aios-host").native();
    std::filesystem::create_directories(world.at("tmp"));
    const auto done =
        host::capture_process({"env", "AIOS_ROOT=" + world.root.native(), "AIOS_PRESET=release",
                               "TMPDIR=" + world.at("tmp"), "sh", "-c", "ulimit -f 64; exec \"$@\"", "sh", host, "run",
                               "--docs", world.at("docs"), "--ask", "What boils?", "--json", world.at("json")},
                              std::chrono::minutes(2));
    EXPECT_SAYING(done.status == 4, std::format("status {}: {}", done.status, done.err));
    EXPECT_SAYING(done.err.find("no room") != std::string::npos, done.err);
    EXPECT(std::filesystem::is_empty(world.at("tmp")));
    EXPECT(!std::filesystem::exists(world.at("json")));
}

SCENARIO(refuses_what_is_no_audit_log) {
    world.put("log", "this is no log\n");
    EXPECT(world.aios({"audit", "verify", world.at("log")}).status == 3);
    EXPECT(world.aios({"audit", "verify", world.at("missing")}).status == 3);
}

} // namespace aios::scenario
