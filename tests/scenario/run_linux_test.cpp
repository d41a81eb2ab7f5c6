// `./aios run-linux`: unmodified programs of this machine, whose output and status are the same as here; input, files, and
// what is refused.
#include <format>

#include "tests/scenario/run_linux.hpp"

namespace aios::scenario {

namespace {

// The program on this machine and on AIOS: status, output and errors.
void same_as_here(const World& world, const Words& options, const Words& program, std::string_view input = {}) {
    world.put("input", input);
    Words here{"/bin/sh", "-c", std::format("exec < '{}'; exec \"$0\" \"$@\"", world.at("input"))};
    here.insert(here.end(), program.begin(), program.end());
    const auto wanted = host::capture_process(here, std::chrono::seconds(60));
    const auto got = run_linux(world, options, program, input);
    const std::string& name = program.front();
    EXPECT_SAYING(got.status == wanted.status,
                  std::format("{}: status {}, here {}: {}", name, got.status, wanted.status, got.err));
    EXPECT_SAYING(got.out == wanted.out, std::format("{}: '{}', here '{}'", name, got.out, wanted.out));
    EXPECT_SAYING(got.err == wanted.err, std::format("{}: '{}', here '{}'", name, got.err, wanted.err));
}

} // namespace

SCENARIO(linux_programs_say_what_they_say_here) {
    std::string lines;
    for (int i = 0; i < 50'000; ++i)
        lines += std::format("line {}\n", i * 7919 % 50'000);
    same_as_here(world, {}, {"sort"}, lines);
    same_as_here(world, {}, {"sh", "-c", "read line; echo \"got $line\"; echo trouble >&2; exit 7"}, "one\ntwo\n");
    same_as_here(world, {}, {"sh", "-c", "kill -TERM $$"});
    same_as_here(world, {}, {"cat"}, std::string(300'000, '\0'));
    same_as_here(
        world, {"--with", "wc", "--with", "tr", "--with", "seq", "--with", "head", "--with", "yes", "--with", "sleep"},
        {"bash", "-c",
         "set -o pipefail; seq 1 2000 | wc -l; yes | head -c 100000 | wc -c; "
         "x=$(echo a b c | tr a-z A-Z); echo $x; for i in 1 2 3; do (exit $i) || echo $?; done; "
         "trap 'echo bye' EXIT; sleep 0 & wait $!; echo $?"});
}

SCENARIO(python_starts_children) {
    const std::string library = "/usr/lib/python3.11";
    if (!std::filesystem::exists(library) || !std::filesystem::exists("/usr/bin/python3")) {
        SKIP("there is no python 3.11 here");
    }
    same_as_here(
        world, {"--dir", library + ":" + library, "--memory", "1536"},
        {"python3", "-c",
         "import json, subprocess, sys, threading, hashlib\n"
         "print(json.dumps({'a': [1, 2.5, None]}))\n"
         "done = subprocess.run([sys.executable, '-c', 'import sys; print(sys.stdin.read().upper()); sys.exit(3)'],\n"
         "                      input='text', capture_output=True, text=True)\n"
         "print(done.returncode, repr(done.stdout))\n"
         "found = []\n"
         "threads = [threading.Thread(target=lambda i=i: found.append(i * i)) for i in range(8)]\n"
         "[t.start() for t in threads]; [t.join() for t in threads]\n"
         "print(sorted(found), hashlib.sha256(b'x').hexdigest())\n"});
}

SCENARIO(a_linux_program_has_what_it_is_given) {
    world.put("data/note", "text\n");
    std::filesystem::create_symlink("note", world.at("data/link"));
    const Words data{"--dir", world.at("data") + ":/work", "--cwd", "/work"};
    Words options = data;
    options.insert(options.end(), {"--env", "COLOUR=blue", "--with", "env"});
    const auto seen = run_linux(
        world, options, {"sh", "-c", "cat link 2>/dev/null || read x < link && echo \"$x\"; pwd; echo $COLOUR"});
    EXPECT_SAYING(seen.status == 0 && seen.out == "text\n/work\nblue\n", seen.out + seen.err);
    // Nothing of this machine that was not given, and nothing given can be changed.
    const auto kept = run_linux(world, data,
                                {"sh", "-c",
                                 "echo x > note; echo x > /new; echo y > /tmp/new && read a < /tmp/new; "
                                 "echo $a; [ -e /home ] || [ -e /root ] || echo alone"});
    EXPECT_SAYING(kept.out == "y\nalone\n", kept.out);
    EXPECT(world.get(world.at("data/note")) == "text\n");
}

SCENARIO(a_root_of_its_own) {
    if (!std::filesystem::exists("/bin/busybox")) {
        SKIP("there is no busybox here");
    }
    std::filesystem::create_directories(world.at("root/bin"));
    std::filesystem::copy_file("/bin/busybox", world.at("root/bin/busybox"));
    for (const char* name : {"sh", "ls", "cat"})
        std::filesystem::create_symlink("busybox", world.at(std::string("root/bin/") + name));
    world.put("root/etc/motd", "welcome\n");
    const auto done =
        run_linux(world, {"--rootfs", world.at("root")}, {"sh", "-c", "cat /etc/motd; ls -d /bin/* | cat"});
    EXPECT_SAYING(done.status == 0 && done.out == "welcome\n/bin/busybox\n/bin/cat\n/bin/ls\n/bin/sh\n",
                  done.out + done.err);
    const auto missing = run_linux(world, {"--rootfs", world.at("root")}, {"python3"});
    EXPECT_SAYING(missing.status == 127 && missing.err.contains("'python3' was not found on PATH"), missing.err);
}

SCENARIO(what_run_linux_refuses) {
    world.put("text", "words\n");
    std::filesystem::permissions(world.at("text"), std::filesystem::perms::owner_all);
    const auto refused = [&](const Words& words, int status, std::string_view part) {
        Words all{"run-linux"};
        all.insert(all.end(), words.begin(), words.end());
        const auto done = world.aios(all);
        EXPECT_SAYING(done.status == status, std::format("{}: status {}: {}", part, done.status, done.err));
        EXPECT_SAYING(done.err.starts_with("aios: ") && done.err.find('\n') == done.err.size() - 1, done.err);
        EXPECT_SAYING(done.err.contains(part), done.err);
    };
    refused({}, 125, "needs a program behind two dashes");
    refused({"--"}, 125, "needs a program behind two dashes");
    refused({"ls"}, 125, "does not know 'ls'");
    refused({"--frob", "--", "ls"}, 125, "--frob");
    refused({"--dir", "here", "--", "ls"}, 125, "--dir takes HOST:GUEST");
    refused({"--dir", world.at("nowhere") + ":/x", "--", "ls"}, 125, "nowhere");
    refused({"--dir", world.at("") + ":/x", "--dir", world.at("") + ":/y/../x/:rw", "--", "ls"}, 125, "gives /x twice");
    refused({"--out", world.at("out"), "--", "ls"}, 125, "--dir HOST:GUEST:rw");
    world.put("full/file", "");
    refused({"--dir", world.at("full") + ":/x:rw", "--out", world.at("full"), "--", "ls"}, 125, "is not empty");
    refused({"--dir", world.at("full") + ":/x:rw", "--out", world.at("full/file"), "--", "ls"}, 125, "--out");
    refused({"--env", "NAME", "--", "ls"}, 125, "--env takes NAME=VALUE");
    refused({"--memory", "1", "--", "ls"}, 125, "--memory");
    refused({"--rootfs", world.at("nowhere"), "--", "ls"}, 125, "nowhere");
    refused({"--cwd", "/nowhere", "--", "ls"}, 126, "--cwd /nowhere is not there");
    refused({"--", world.at("text")}, 126, "neither an ELF program nor a script");
    refused({"--", "/"}, 126, "it is a directory");
    refused({"--", "no-such-program"}, 127, "'no-such-program' was not found on PATH");
    refused({"--timeout", "2", "--", "sleep", "1000"}, 124, "did not end within 2 s");
}

// What a program may use up is what the machine has: the sentence says what to do.
SCENARIO(a_linux_program_that_wants_too_much) {
    if (!std::filesystem::exists("/usr/bin/perl")) {
        SKIP("there is no perl here");
    }
    const auto done = run_linux(world, {"--memory", "256"}, {"perl", "-e", "my @a; push @a, 'x' x 1000000 while 1"});
    // perl ends by itself when it gets no more, or is ended where it touches what there is not.
    EXPECT_SAYING(done.status == 1 || done.status == 137, std::format("{}: {}", done.status, done.err));
}

} // namespace aios::scenario
