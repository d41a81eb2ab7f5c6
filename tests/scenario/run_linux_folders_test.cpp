// Folders of `./aios run-linux`: what a program may change, and what comes back of it.
#include <format>

#include <sys/stat.h>

#include "tests/scenario/run_linux.hpp"

namespace aios::scenario {

namespace {

// Everything below the folder, a line each: path, kind, permission bits, and the contents or the target.
std::string told(const World& world, const std::filesystem::path& folder) {
    std::vector<std::string> lines;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        const std::string path = entry.path().lexically_relative(folder).native();
        const auto mode = static_cast<unsigned>(entry.symlink_status().permissions());
        if (entry.is_symlink())
            lines.push_back(std::format("{} -> {}", path, std::filesystem::read_symlink(entry.path()).native()));
        else if (entry.is_directory())
            lines.push_back(std::format("{}/", path));
        else
            lines.push_back(std::format("{} {:o} {}", path, mode, world.get(entry.path())));
    }
    std::ranges::sort(lines);
    std::string all;
    for (const std::string& line : lines)
        all += line + "\n";
    return all;
}

} // namespace

SCENARIO(a_folder_comes_back_with_what_was_changed) {
    world.put("data/kept", "kept");
    world.put("data/old", "one\n");
    world.put("data/gone", "gone");
    world.put("data/away/deep/file", "deep");
    world.put("data/tool", "tool");
    std::filesystem::permissions(world.at("data/tool"), std::filesystem::perms::owner_read);
    world.put("fixed/file", "fixed\n");
    const auto done = run_linux(
        world, {"--dir",  world.at("data") + ":/home/me/work:rw",
                "--dir",  world.at("fixed") + ":/home/me/work/fixed",
                "--out",  world.at("out"),
                "--cwd",  "/home/me/work",
                "--with", "rm",
                "--with", "mkdir",
                "--with", "ln",
                "--with", "mv",
                "--with", "chmod",
                "--with", "ls",
                "--with", "cat",
                "--with", "sed",
                "--with", "touch"},
        {"bash", "-c",
         "echo two >> old; rm gone; rm -r away; mkdir -p new/dir; echo n > new/dir/file; ln -s ../old new/link; "
         "chmod 755 tool; touch -d @1000000000 new/dir/file; "
         "(echo x > fixed/file) 2>/dev/null || echo refused; (echo x > fixed/new) 2>/dev/null || echo refused; "
         "echo scratch > /etc/scratch && cat /etc/scratch; sed -i s/one/uno/ old && cat old fixed/file; "
         "echo a > a; mv a b; echo c > c; rm c; mv kept stays; exit 3"});
    EXPECT_SAYING(done.status == 3 && done.out == "refused\nrefused\nscratch\nuno\ntwo\nfixed\n",
                  std::format("{}: {}{}", done.status, done.out, done.err));
    const std::string got = told(world, world.at("out"));
    const std::string wanted = "home/\n"
                               "home/me/\n"
                               "home/me/work/\n"
                               "home/me/work/.wh.away 644 \n"
                               "home/me/work/.wh.gone 644 \n"
                               "home/me/work/.wh.kept 644 \n"
                               "home/me/work/b 644 a\n\n"
                               "home/me/work/new/\n"
                               "home/me/work/new/dir/\n"
                               "home/me/work/new/dir/file 644 n\n\n"
                               "home/me/work/new/link -> ../old\n"
                               "home/me/work/old 644 uno\ntwo\n\n"
                               "home/me/work/stays 644 kept\n"
                               "home/me/work/tool 755 tool\n";
    EXPECT_SAYING(got == wanted, got);
    struct stat info{};
    EXPECT(::stat(world.at("out/home/me/work/new/dir/file").c_str(), &info) == 0 && info.st_mtime == 1'000'000'000);
    EXPECT(world.get(world.at("data/old")) == "one\n" && std::filesystem::exists(world.at("data/gone")));
    EXPECT(world.get(world.at("fixed/file")) == "fixed\n" && !std::filesystem::exists(world.at("fixed/new")));
}

// From init to merge and clone, with the hashes that git makes on this machine; what comes out is a repository.
SCENARIO(git_works_in_a_folder) {
    const std::string core = "/usr/lib/git-core", templates = "/usr/share/git-core";
    if (!std::filesystem::exists(core) || !std::filesystem::exists(templates)) {
        SKIP("there is no git here");
    }
    const std::string script =
        "export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b "
        "GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_AUTHOR_DATE='@1700000000 +0000' "
        "GIT_COMMITTER_DATE='@1700000000 +0000'\n"
        "git init -q -b main . && for i in 1 2 3 4 5 6 7 8 9; do mkdir d$i && echo $i > d$i/file; done && git add . && "
        "git commit -qm first && git checkout -qb side && echo more >> d1/file && git commit -qam second && "
        "git checkout -q main && echo other > d2/file && git commit -qam third && git merge -qm joined side && "
        "git rm -q d3/file && git commit -qm gone && git log --format='%H %s' && git status --porcelain && "
        "git clone -q . clone && git -C clone rev-parse HEAD && git -C clone fsck && cat clone/d1/file clone/d2/file";
    std::filesystem::create_directories(world.at("here"));
    std::filesystem::create_directories(world.at("data"));
    const auto wanted = host::capture_process({"/bin/bash", "-c", "cd '" + world.at("here") + "'\n" + script},
                                              std::chrono::seconds(60));
    const auto got = run_linux(world, {"--dir",  world.at("data") + ":/work:rw",
                                       "--out",  world.at("out"),
                                       "--cwd",  "/work",
                                       "--dir",  core + ":" + core,
                                       "--dir",  templates + ":" + templates,
                                       "--with", "git",
                                       "--with", "sh",
                                       "--with", "git-upload-pack",
                                       "--with", "mkdir",
                                       "--with", "cat"},
                               {"bash", "-c", script});
    EXPECT_SAYING(wanted.status == 0 && got.status == 0 && got.out == wanted.out,
                  std::format("{}: {}{}, here {}: {}", got.status, got.out, got.err, wanted.status, wanted.out));
    const auto kept =
        host::capture_process({"git", "-C", world.at("out/work"), "fsck", "--strict"}, std::chrono::seconds(60));
    EXPECT_SAYING(kept.status == 0, kept.err);
}

// Without --out a folder may be changed all the same, and what was changed goes with the program.
SCENARIO(a_folder_may_be_scratch) {
    world.put("data/old", "one\n");
    const auto done = run_linux(world, {"--dir", world.at("data") + ":/work:rw", "--cwd", "/work", "--with", "cat"},
                                {"bash", "-c", "echo two > new; cat old new; command -v /bin/cat"});
    EXPECT_SAYING(done.status == 0 && done.out == "one\ntwo\n/bin/cat\n" && done.err.empty(), done.out + done.err);
    EXPECT(!std::filesystem::exists(world.at("data/new")));
}

// Also when the program dies of what it wrote, and when there is much of it.
SCENARIO(changes_come_back_however_the_program_ends) {
    world.put("data/big", std::string(3 << 20, 'b'));
    const auto done = run_linux(world,
                                {"--dir", world.at("data") + ":/work:rw", "--out", world.at("out"), "--cwd", "/work",
                                 "--memory", "192", "--with", "dd"},
                                {"sh", "-c",
                                 "printf X | dd of=big bs=1 seek=1000000 conv=notrunc 2>/dev/null; echo made > first; "
                                 "dd if=/dev/zero of=full bs=1M 2>/dev/null; kill -KILL $$"});
    EXPECT_SAYING(done.status == 137, std::format("{}: {}", done.status, done.err));
    std::string big(3 << 20, 'b');
    big[1'000'000] = 'X';
    EXPECT(world.get(world.at("out/work/big")) == big);
    EXPECT(world.get(world.at("out/work/first")) == "made\n");
    std::error_code error;
    EXPECT(std::filesystem::file_size(world.at("out/work/full"), error) > (16 << 20));
}

} // namespace aios::scenario
