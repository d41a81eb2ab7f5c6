// The command itself: help, wrong use, setup, build.
#include <format>
#include <sstream>

#include <unistd.h>

#include "tests/scenario/scenario.hpp"

namespace aios::scenario {

SCENARIO(help_of_every_command) {
    for (const std::string command : {"run", "run-linux", "test", "audit", "image", "build", "setup", "clean"}) {
        const auto help = world.aios({command, "--help"});
        EXPECT_SAYING(help.status == 0, command);
        EXPECT_SAYING(help.out.starts_with("Usage: ./aios " + command), command);
        EXPECT_SAYING(world.aios({"help", command}).out == help.out, command);
    }
    EXPECT(world.aios({"help"}).status == 0);
    EXPECT(world.aios({}).out == world.aios({"help"}).out);
    EXPECT(world.aios({"help", "--help"}).out == world.aios({"help"}).out);
}

SCENARIO(wrong_use_is_refused_in_one_sentence) {
    const std::vector<std::vector<std::string>> wrong = {
        {"frobnicate"},
        {"run", "--frob"},
        {"run", "--smp"},
        {"run", "--smp", "0"},
        {"run", "--smp", "two"},
        {"run", "--smp", "1000"},
        {"run", "--boot", "bios"},
        {"run", "--accel", "hvf"},
        {"run", "--timeout", "0"},
        {"run", "folder"},
        {"test", "unix"},
        {"audit"},
        {"audit", "sign", "x"},
        {"audit", "verify"},
        {"audit", "verify", "x", "--agent", "y"},
        {"audit", "show"},
        {"audit", "show", "x", "--record", "1"},
        {"run", "--verbose=yes"},
        {"run", "--agent", "noname"},
        {"image"},
        {"image", "unpack", "x"},
        {"image", "pack"},
        {"image", "pack", "x"},
        {"image", "pack", "x", "-o", "z", "--unpack-limit", "0"},
        {"image", "pack", "x", "-o"},
        {"image", "inspect"},
        {"image", "verify", "x", "y"},
        {"image", "verify", "x", "-o", "y"},
        {"build", "--fast"},
        {"clean", "all"},
        {"setup", "--now"},
        {"help", "nothing"},
    };
    for (const auto& arguments : wrong) {
        const auto done = world.aios(arguments);
        std::string shown;
        for (const std::string& argument : arguments)
            shown += argument + " ";
        EXPECT_SAYING(done.status == 2, std::format("{}: status {}", shown, done.status));
        EXPECT_SAYING(done.err.starts_with("aios: ") && done.err.find('\n') == done.err.size() - 1, shown + done.err);
    }
}

SCENARIO(build_again_is_short) {
    EXPECT(world.aios({"build"}).status == 0);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT(world.aios({"build"}).status == 0);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    say(std::format("a second build with nothing changed: {:.2f} s (budget: 5 s)", took.count()));
}

SCENARIO(setup_finds_everything) { EXPECT(world.aios({"setup"}).status == 0); }

// As somebody who may not install, on a machine where one package is missing: told by stand-ins for dpkg-query and id.
SCENARIO(setup_prints_the_exact_command) {
    std::string installed;
    std::istringstream packages(world.get(world.root / "tools" / "packages.txt"));
    for (std::string line; std::getline(packages, line);) {
        std::string name;
        std::istringstream(line.substr(0, line.find('#'))) >> name;
        if (!name.empty() && name != "mtools") installed += "echo " + name + " installed\n";
    }
    world.put("bin/dpkg-query", "#!/bin/sh\n" + installed);
    world.put("bin/id", "#!/bin/sh\necho 1000\n");
    for (const char* program : {"bin/dpkg-query", "bin/id"})
        std::filesystem::permissions(world.at(program), std::filesystem::perms::owner_all);
    for (const std::string command : {"setup", "build", "run"}) {
        const auto done = world.aios({command}, {"PATH=" + world.at("bin") + ":/usr/bin:/bin"});
        EXPECT_SAYING(done.status == 4, done.err);
        EXPECT_SAYING(done.err ==
                          "aios: packages are missing; run: sudo apt-get install -y --no-install-recommends mtools\n",
                      done.err);
    }
}

SCENARIO(values_may_be_joined_to_options) {
    const auto done = world.aios({"run", "--docs=" + world.at("nowhere")});
    EXPECT_SAYING(done.status == 3 && done.err.find("nowhere' is not a folder") != std::string::npos, done.err);
}

namespace {

// A copy of the script with what it reads, and a build folder that the test makes odd.
std::string copy_of_the_script(const World& world) {
    std::filesystem::create_directories(world.at("tree/build"));
    std::filesystem::copy_file(world.root / "aios", world.at("tree/aios"));
    std::filesystem::copy(world.root / "tools", world.at("tree/tools"), std::filesystem::copy_options::recursive);
    return world.at("tree/aios");
}

void stops_with_4(const std::vector<std::string>& command, std::string_view part) {
    const auto done = host::capture_process(command, std::chrono::seconds(60));
    EXPECT_SAYING(done.status == 4, std::format("status {}: {}", done.status, done.err));
    EXPECT_SAYING(done.err.starts_with("aios: ") && done.err.find('\n') == done.err.size() - 1, done.err);
    EXPECT_SAYING(done.err.find(part) != std::string::npos, done.err);
}

} // namespace

SCENARIO(a_tree_that_cannot_be_built_in_is_refused) {
    const std::string script = copy_of_the_script(world);
    // As another user, who may read the tree and not write it.
    if (::geteuid() == 0) {
        std::filesystem::permissions(world.scratch, std::filesystem::perms(0755));
        for (const std::string command : {"build", "run"})
            stops_with_4({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", script, command},
                         "tree/build");
    }
    // One that was configured elsewhere.
    world.put("tree/build/release/CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=/elsewhere\n");
    stops_with_4({script, "build"}, "made for another folder");
    // One where the build folder is none.
    std::filesystem::remove_all(world.at("tree/build"));
    world.put("tree/build", "a file\n");
    stops_with_4({script, "build"}, "cannot be made");
}

SCENARIO(script_works_through_a_symbolic_link) {
    std::filesystem::create_symlink(world.root / "aios", world.scratch / "link");
    const auto done = host::capture_process({world.at("link"), "help"}, std::chrono::seconds(60));
    EXPECT(done.status == 0 && done.out.starts_with("AIOS"));
}

} // namespace aios::scenario
