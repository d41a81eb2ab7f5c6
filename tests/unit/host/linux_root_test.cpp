// The root of a Linux program: links are followed as a kernel would, programs found as a shell would, libraries as ld.so
// does, and what is missing is named.
#include <algorithm>
#include <fstream>

#include <elf.h>
#include <sys/stat.h>

#include "tests/unit/host/support.hpp"
#include "tools/aios/linux/elf_needs.hpp"
#include "tools/aios/linux/needs.hpp"
#include "tools/aios/linux/program_record.hpp"

namespace aios::host {
namespace {

// An ELF file that has just what a loader looks at.
struct MadeElf {
    std::string interpreter;
    std::vector<std::string> libraries;
    std::string rpath, runpath;
    unsigned machine = EM_X86_64;

    [[nodiscard]] std::string bytes() const {
        std::string strings(1, '\0'), text;
        std::vector<Elf64_Dyn> dynamic;
        const auto add = [&](std::int64_t tag, const std::string& value) {
            dynamic.push_back({tag, {strings.size()}});
            strings += value + '\0';
        };
        for (const std::string& library : libraries)
            add(DT_NEEDED, library);
        if (!rpath.empty()) add(DT_RPATH, rpath);
        if (!runpath.empty()) add(DT_RUNPATH, runpath);
        constexpr std::uint64_t kBase = 0x10000, kHeads = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);
        const std::uint64_t strings_at = kHeads + interpreter.size() + 1;
        const std::uint64_t dynamic_at = strings_at + strings.size();
        dynamic.push_back({DT_STRTAB, {kBase + strings_at}});
        dynamic.push_back({DT_NULL, {0}});
        const std::uint64_t end = dynamic_at + dynamic.size() * sizeof(Elf64_Dyn);
        Elf64_Ehdr head{};
        std::memcpy(head.e_ident, ELFMAG, SELFMAG);
        head.e_ident[EI_CLASS] = ELFCLASS64;
        head.e_machine = static_cast<Elf64_Half>(machine);
        head.e_type = ET_DYN;
        head.e_phoff = sizeof head;
        head.e_phentsize = sizeof(Elf64_Phdr);
        head.e_phnum = 3;
        Elf64_Phdr segments[3]{};
        segments[0] = {PT_LOAD, PF_R, 0, kBase, kBase, end, end, 4096};
        segments[1] = {PT_DYNAMIC, PF_R, dynamic_at, kBase + dynamic_at, 0, end - dynamic_at, end - dynamic_at, 8};
        segments[2] = {interpreter.empty() ? Elf64_Word{PT_NULL} : Elf64_Word{PT_INTERP},
                       PF_R,
                       kHeads,
                       0,
                       0,
                       interpreter.size() + 1,
                       interpreter.size() + 1,
                       1};
        const auto raw = [&](const auto& value) { text.append(reinterpret_cast<const char*>(&value), sizeof value); };
        raw(head);
        for (const auto& segment : segments)
            raw(segment);
        text += interpreter + '\0' + strings;
        for (const auto& entry : dynamic)
            raw(entry);
        return text;
    }
};

class LinuxRootTest : public ScratchTest {
protected:
    void SetUp() override {
        ScratchTest::SetUp();
        std::filesystem::create_directories(at("root"));
    }
    void file(const std::string& path, const std::string& bytes, mode_t mode = 0755) {
        const auto place = at("root") / path;
        std::filesystem::create_directories(place.parent_path());
        std::ofstream(place, std::ios::binary) << bytes;
        ASSERT_EQ(chmod(place.c_str(), mode), 0);
    }
    void link(const std::string& path, const std::string& target) {
        const auto place = at("root") / path;
        std::filesystem::create_directories(place.parent_path());
        std::filesystem::create_symlink(target, place);
    }
    std::string started_; // the arguments of what was looked at last
    Root packed() {
        Root root(Root::Missing::is_missing);
        EXPECT_TRUE(root.add_folder(at("root"), "/"));
        return root;
    }
    // What refuses the program; "" if it can run.
    std::string complaint(const std::string& program, int* status = nullptr, const std::string& library_path = "") {
        Root root(Root::Missing::comes_from_here);
        EXPECT_TRUE(root.add_folder(at("root"), "/"));
        const auto found = find_program(root, program, "/", "/bin:/usr/bin");
        std::vector<std::string> arguments{program, "one"};
        const auto needs = found ? find_needs(root, *found, library_path, arguments)
                                 : Outcome<std::string>(std::unexpected(found.error()));
        started_.clear();
        for (const std::string& argument : arguments)
            started_ += argument + ' ';
        if (status != nullptr) *status = needs ? 0 : static_cast<int>(needs.error().exit);
        return needs ? "" : needs.error().sentence;
    }
};

TEST_F(LinuxRootTest, LinksAreFollowedAsAKernelDoes) {
    file("usr/bin/tool", "x");
    link("bin", "usr/bin");
    link("abs", "/usr/bin/../bin/tool");
    link("loop", "loop");
    link("away", "/nowhere");
    link("up", "../../../usr/bin/tool"); // above the root is the root
    Root root = packed();
    for (const char* path : {"/usr/bin/tool", "/bin/tool", "//bin/./tool", "/abs", "/bin/../bin/tool", "/up"}) {
        const auto found = root.find(path);
        ASSERT_TRUE(found && *found != nullptr) << path;
        EXPECT_EQ((*found)->path, "usr/bin/tool") << path;
    }
    EXPECT_EQ(root.place_of("/bin/tool"), "/usr/bin/tool");
    EXPECT_EQ(*root.find("/away"), nullptr);
    EXPECT_EQ(*root.find("/usr"), nullptr); // a directory is no file
    EXPECT_FALSE(root.find("/loop"));
    EXPECT_TRUE(root.has_directory("/bin"));
    EXPECT_TRUE(root.has_directory("/"));
    EXPECT_FALSE(root.has_directory("/abs"));
    EXPECT_FALSE(root.has_directory("/us"));
}

TEST_F(LinuxRootTest, AFolderLiesWhereItIsPut) {
    file("note", "text", 0640);
    Root root(Root::Missing::is_missing);
    ASSERT_TRUE(root.add_folder(at("root"), "/data/in"));
    EXPECT_EQ((*root.find("/data/in/note"))->mode, 0640);
    EXPECT_TRUE(root.has_directory("/data"));
    EXPECT_EQ(*root.find("/note"), nullptr);
    EXPECT_FALSE(root.add_folder(at("nowhere"), "/x"));
}

TEST_F(LinuxRootTest, ThisMachinesFilesComeWithTheirLinks) {
    file("real/libx.so", "\x7f"
                         "ELF of some kind");
    file("real/secret", "a private key");
    link("libx.so", "real/libx.so");
    Root root(Root::Missing::comes_from_here);
    const std::string path = at("root").native() + "/libx.so";
    const auto found = root.find(path);
    ASSERT_TRUE(found && *found != nullptr);
    EXPECT_EQ((*found)->bytes, "\x7f"
                               "ELF of some kind");
    EXPECT_EQ(*root.find(path + "-not"), nullptr);
    // Only code comes by itself: a program could name any file as its library.
    EXPECT_EQ(*root.find(at("root").native() + "/real/secret"), nullptr);
    Bundle bundle = std::move(root).bundle();
    const auto linked = std::ranges::find(bundle.entries, path.substr(1), &BundleEntry::path);
    ASSERT_NE(linked, bundle.entries.end());
    EXPECT_EQ(linked->target, "real/libx.so");
}

TEST_F(LinuxRootTest, ProgramsAreFoundAsAShellDoes) {
    file("usr/bin/tool", MadeElf{}.bytes());
    file("bin/data", "x", 0644);
    int status = 0;
    EXPECT_EQ(complaint("tool"), "");
    EXPECT_EQ(complaint("/usr/bin/tool"), "");
    EXPECT_EQ(complaint("usr/bin/tool"), "");
    EXPECT_EQ(complaint("other", &status), "'other' was not found on PATH (/bin:/usr/bin).");
    EXPECT_EQ(status, 127);
    EXPECT_EQ(complaint("/bin/other", &status), "'/bin/other' was not found.");
    EXPECT_EQ(status, 127);
    EXPECT_EQ(complaint("data", &status), "'data' cannot run: it is not executable.");
    EXPECT_EQ(status, 126);
    EXPECT_EQ(complaint("/usr/bin", &status), "'/usr/bin' cannot run: it is a directory.");
    EXPECT_EQ(status, 126);
}

TEST_F(LinuxRootTest, LibrariesAreFoundAsTheLoaderDoes) {
    const std::string plain = MadeElf{}.bytes();
    file("lib64/ld.so", plain);
    file("bin/p", MadeElf{"/lib64/ld.so", {"liba.so"}, "", ""}.bytes());
    EXPECT_EQ(complaint("p"), "'p' cannot run: the library liba.so is not there.");
    file("opt/own/liba.so", MadeElf{"", {"libb.so"}, "", ""}.bytes());
    EXPECT_EQ(complaint("p", nullptr, "/opt/own"),
              "'p' cannot run: the library libb.so is not there, which /opt/own/liba.so needs.");
    file("usr/lib/libb.so", plain);
    EXPECT_EQ(complaint("p", nullptr, "/opt/own"), "");
    file("bin/q", MadeElf{"/lib64/ld.so", {"liba.so"}, "", "$ORIGIN/../opt/own"}.bytes());
    EXPECT_EQ(complaint("q"), "");
    // An rpath counts for the libraries of libraries too, a runpath does not, and makes the file's own rpath void.
    file("opt/own/libb.so", plain);
    std::filesystem::remove(at("root") / "usr/lib/libb.so");
    EXPECT_EQ(complaint("q"), "'q' cannot run: the library libb.so is not there, which /opt/own/liba.so needs.");
    file("bin/r", MadeElf{"/lib64/ld.so", {"liba.so"}, "${ORIGIN}/../opt/own", ""}.bytes());
    EXPECT_EQ(complaint("r"), "");
    // Of another architecture: passed over.
    file("lib/libc.so", MadeElf{"", {}, "", "", EM_AARCH64}.bytes());
    file("usr/lib/libc.so", plain);
    file("bin/s", MadeElf{"/lib64/ld.so", {"libc.so"}, "", ""}.bytes());
    EXPECT_EQ(complaint("s"), "");
    // One that its loader knows by its configuration alone.
    file("strange/libd.so", plain);
    file("bin/t", MadeElf{"/lib64/ld.so", {"libd.so"}, "", ""}.bytes());
    EXPECT_NE(complaint("t"), "");
    file("etc/ld.so.conf", "# comment\n/strange/ # here\n");
    EXPECT_EQ(complaint("t"), "");
}

TEST_F(LinuxRootTest, WhatCannotRunSaysWhy) {
    file("bin/text", "hello");
    file("bin/arm", MadeElf{"", {}, "", "", EM_AARCH64}.bytes());
    file("bin/cut", MadeElf{}.bytes().substr(0, 70));
    file("bin/lost", MadeElf{"/lib/nothing", {}, "", ""}.bytes());
    file("bin/script", "#! /bin/none -x\n");
    file("bin/empty", "#!\n");
    file("bin/circle", "#!/bin/circle\n");
    EXPECT_EQ(complaint("text"), "'text' cannot run: it is neither an ELF program nor a script.");
    EXPECT_EQ(complaint("arm"), "'arm' cannot run: /bin/arm is for another architecture (AArch64).");
    EXPECT_EQ(complaint("cut"), "'cut' cannot run: /bin/cut is damaged: it ends within its segments.");
    EXPECT_EQ(complaint("lost"), "'lost' cannot run: its loader /lib/nothing is not there.");
    EXPECT_EQ(complaint("script"), "'script' cannot run: /bin/none is not there.");
    EXPECT_EQ(complaint("empty"), "'empty' cannot run: its first line names no interpreter.");
    EXPECT_EQ(complaint("circle"), "'circle' cannot run: its interpreters are scripts, too many of them.");
    file("bin/none", MadeElf{}.bytes());
    EXPECT_EQ(complaint("script"), "");
    EXPECT_EQ(started_, "/bin/none -x /bin/script one ");
    file("bin/twice", "#!/bin/script\ty z \n");
    EXPECT_EQ(complaint("twice"), "");
    EXPECT_EQ(started_, "/bin/none -x /bin/script y z /bin/twice one ");
}

TEST(LinuxStatus, IsWhatAShellWouldTell) {
    EXPECT_EQ(shell_status(EndReason::exited, 7), 7);
    EXPECT_EQ(shell_status(EndReason::exited, 0x107), 7);
    EXPECT_EQ(shell_status(EndReason::killed, 15), 143);
    EXPECT_EQ(shell_status(EndReason::killed, 0), 137);
    EXPECT_EQ(shell_status(EndReason::fault, 14), 139);
    EXPECT_EQ(shell_status(EndReason::fault, 0), 136);
    EXPECT_EQ(shell_status(EndReason::fault, 6), 132);
    EXPECT_EQ(shell_status(EndReason::quota, 14), 137);
}

} // namespace
} // namespace aios::host
