// Files: std::filesystem and the calls below it, on the temporary tree.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <thread>
#include <vector>

#include "tests/linux/test.hpp"

using namespace linux_test;
namespace fs = std::filesystem;

namespace {

void put(const std::string& path, const std::string& text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
}
std::string get(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct Descriptor {
    int fd;
    explicit Descriptor(int number) : fd(number) {}
    ~Descriptor() {
        if (fd >= 0) close(fd);
    }
};

TestFolder folder;
const fs::path root = folder.root();

LINUX_TEST(write_and_read) {
    std::string text;
    for (int i = 0; i < 5000; ++i)
        text += "line " + std::to_string(i) + "\n";
    put(folder.path("text"), text);
    CHECK(get(folder.path("text")) == text);
    CHECK(fs::file_size(folder.path("text")) == text.size());
    std::fstream both(folder.path("text"), std::ios::in | std::ios::out | std::ios::binary);
    both.seekp(5);
    both << "X";
    both.seekg(0);
    std::string first;
    std::getline(both, first);
    CHECK(first == "line X");
}

LINUX_TEST(directories) {
    CHECK(fs::create_directories(root / "a/b/c"));
    CHECK(!fs::create_directories(root / "a/b/c"));
    for (int i = 0; i < 300; ++i)
        put((root / "a" / ("file" + std::to_string(i))).string(), "x");
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(root / "a"))
        names.insert(entry.path().filename().string());
    CHECK(names.size() == 301);
    CHECK(names.contains("b") && names.contains("file299"));
    std::size_t all = 0;
    for (const auto& entry : fs::recursive_directory_iterator(root / "a")) {
        ++all;
        CHECK(entry.is_directory() == (entry.path().filename() == "b" || entry.path().filename() == "c"));
    }
    CHECK(all == 302);
    std::error_code error;
    CHECK(!fs::remove(root / "a", error) && error == std::errc::directory_not_empty);
    CHECK(fs::remove_all(root / "a") == 303);
    CHECK(!fs::exists(root / "a"));
}

LINUX_TEST(remove_while_reading) {
    fs::create_directory(root / "many");
    for (int i = 0; i < 200; ++i)
        put((root / "many" / std::to_string(i)).string(), "");
    std::size_t removed = 0;
    for (const auto& entry : fs::directory_iterator(root / "many"))
        removed += fs::remove(entry.path()) ? 1 : 0;
    CHECK(removed == 200);
    CHECK(fs::is_empty(root / "many"));
    fs::remove(root / "many");
}

LINUX_TEST(rename) {
    put((root / "old").string(), "1");
    put((root / "other").string(), "2");
    fs::rename(root / "old", root / "new");
    CHECK(get((root / "new").string()) == "1" && !fs::exists(root / "old"));
    fs::rename(root / "new", root / "other"); // replaces
    CHECK(get((root / "other").string()) == "1");
    fs::create_directories(root / "d1/in");
    fs::create_directory(root / "d2");
    std::error_code error;
    fs::rename(root / "other", root / "d1", error);
    CHECK(error == std::errc::is_a_directory);
    fs::rename(root / "d1", root / "other", error);
    CHECK(error == std::errc::not_a_directory);
    fs::rename(root / "d2", root / "d1", error);
    CHECK(error == std::errc::directory_not_empty);
    fs::rename(root / "d1", root / "d1/in/deeper", error);
    CHECK(error == std::errc::invalid_argument);
    fs::rename(root / "d1", root / "d2"); // over an empty directory
    CHECK(fs::is_directory(root / "d2/in") && !fs::exists(root / "d1"));
    fs::rename(root / "missing", root / "x", error);
    CHECK(error == std::errc::no_such_file_or_directory);
    EXPECT(-EEXIST, SYS_renameat2, AT_FDCWD, (root / "other").c_str(), AT_FDCWD, (root / "d2").c_str(), 1);
    fs::remove_all(root / "d2");
    fs::remove(root / "other");
}

LINUX_TEST(links) {
    put((root / "target").string(), "content");
    fs::create_hard_link(root / "target", root / "hard");
    CHECK(fs::hard_link_count(root / "target") == 2);
    CHECK(fs::equivalent(root / "target", root / "hard"));
    fs::create_symlink("target", root / "soft");
    CHECK(fs::is_symlink(root / "soft") && fs::read_symlink(root / "soft") == "target");
    CHECK(get((root / "soft").string()) == "content");
    CHECK(fs::canonical(root / "soft").filename() == "target");
    fs::remove(root / "target");
    CHECK(get((root / "hard").string()) == "content" && fs::hard_link_count(root / "hard") == 1);
    CHECK(!fs::exists(root / "soft") && fs::is_symlink(root / "soft"));
    put((root / "soft").string(), "through"); // creates what the link names
    CHECK(get((root / "target").string()) == "through");
    fs::create_directory(root / "dir");
    fs::create_directory_symlink("dir", root / "dirlink");
    put((root / "dirlink/inside").string(), "i");
    CHECK(fs::exists(root / "dir/inside"));
    CHECK(fs::exists(root / "dirlink/../dir/inside"));
    fs::create_symlink("loop2", root / "loop1");
    fs::create_symlink("loop1", root / "loop2");
    EXPECT(-ELOOP, SYS_open, (root / "loop1").c_str(), O_RDONLY);
    EXPECT(-ELOOP, SYS_open, (root / "soft").c_str(), O_RDONLY | O_NOFOLLOW);
    EXPECT(-EEXIST, SYS_symlink, "x", (root / "soft").c_str());
    EXPECT(-ENOENT, SYS_symlink, "", (root / "empty").c_str());
    EXPECT(-EPERM, SYS_link, (root / "dir").c_str(), (root / "dir2").c_str());
    char text[64];
    EXPECT(-EINVAL, SYS_readlink, (root / "target").c_str(), text, sizeof(text));
    EXPECT(3, SYS_readlink, (root / "soft").c_str(), text, 3);
    EXPECT(-EINVAL, SYS_readlink, (root / "soft").c_str(), text, 0);
    for (const char* name : {"target", "hard", "soft", "dirlink", "loop1", "loop2"})
        CHECK(fs::remove(root / name));
    fs::remove_all(root / "dir");
}

LINUX_TEST(permissions_and_times) {
    const fs::path file = root / "p";
    umask(022);
    put(file.string(), "x");
    CHECK(fs::status(file).permissions() == fs::perms(0644));
    fs::permissions(file, fs::perms(0600));
    CHECK(fs::status(file).permissions() == fs::perms(0600));
    fs::permissions(file, fs::perms::owner_exec, fs::perm_options::add);
    CHECK(fs::status(file).permissions() == fs::perms(0700));
    const auto then = fs::file_time_type::clock::now() - std::chrono::hours(48);
    fs::last_write_time(file, then);
    const auto difference = fs::last_write_time(file) - then;
    CHECK(difference < std::chrono::milliseconds(1) && difference > std::chrono::milliseconds(-1));
    put(file.string(), "y");
    CHECK(fs::last_write_time(file) > then + std::chrono::hours(24));
    mkdir((root / "strict").c_str(), 0777);
    CHECK(fs::status(root / "strict").permissions() == fs::perms(0755));
    fs::remove(root / "strict");
    fs::remove(file);
}

LINUX_TEST(space) {
    const auto space = fs::space(root);
    CHECK(space.capacity > 0 && space.free <= space.capacity && space.available <= space.capacity);
    struct statfs info{};
    CHECK(statfs(root.c_str(), &info) == 0 && info.f_bsize >= 512 && info.f_namelen == 255);
}

LINUX_TEST(copy) {
    put((root / "from").string(), std::string(300'000, 'z'));
    CHECK(fs::copy_file(root / "from", root / "to"));
    CHECK(get((root / "to").string()) == std::string(300'000, 'z'));
    std::error_code error;
    CHECK(!fs::copy_file(root / "from", root / "to", error) && error == std::errc::file_exists);
    fs::create_directories(root / "tree/sub");
    put((root / "tree/sub/leaf").string(), "leaf");
    fs::copy(root / "tree", root / "tree2", fs::copy_options::recursive);
    CHECK(get((root / "tree2/sub/leaf").string()) == "leaf");
    fs::remove_all(root / "tree");
    fs::remove_all(root / "tree2");
    fs::remove(root / "from");
    fs::resize_file(root / "to", 10);
    CHECK(fs::file_size(root / "to") == 10);
    fs::resize_file(root / "to", 100'000);
    const std::string text = get((root / "to").string());
    CHECK(text.size() == 100'000 && text[9] == 'z' && text[10] == 0 && text[99'999] == 0);
    fs::remove(root / "to");
}

LINUX_TEST(working_directory) {
    const fs::path before = fs::current_path();
    fs::create_directory(root / "here");
    fs::current_path(root / "here");
    CHECK(fs::current_path() == root / "here");
    put("relative", "r");
    CHECK(get((root / "here/relative").string()) == "r");
    CHECK(fs::exists("../here/./relative"));
    CHECK(fs::absolute("relative") == root / "here/relative");
    char text[8];
    EXPECT(-ERANGE, SYS_getcwd, text, 3);
    fs::current_path(before);
    EXPECT(-ENOTDIR, SYS_chdir, (root / "here/relative").c_str());
    EXPECT(-ENOENT, SYS_chdir, (root / "nowhere").c_str());
    fs::remove_all(root / "here");
}

LINUX_TEST(open_flags) {
    const std::string path = folder.path("flags");
    EXPECT(-ENOENT, SYS_open, path.c_str(), O_RDONLY);
    {
        Descriptor made(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600));
        CHECK(made.fd >= 3);
        CHECK(write(made.fd, "hello", 5) == 5);
    }
    EXPECT(-EEXIST, SYS_open, path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    EXPECT(-ENOTDIR, SYS_open, path.c_str(), O_RDONLY | O_DIRECTORY);
    EXPECT(-ENOTDIR, SYS_open, (path + "/below").c_str(), O_RDONLY);
    EXPECT(-ENOTDIR, SYS_open, (path + "/").c_str(), O_RDONLY);
    EXPECT(-EISDIR, SYS_open, root.c_str(), O_WRONLY);
    EXPECT(-EISDIR, SYS_open, folder.path("new/").c_str(), O_CREAT | O_RDWR, 0600);
    EXPECT(-ENOENT, SYS_open, folder.path("no/such").c_str(), O_CREAT | O_RDWR, 0600);
    EXPECT(-ENOENT, SYS_open, "", O_RDONLY);
    EXPECT(-ENAMETOOLONG, SYS_open, folder.path(std::string(256, 'n')).c_str(), O_RDONLY);
    EXPECT(-ENAMETOOLONG, SYS_open, ("/" + std::string(5000, 'n')).c_str(), O_RDONLY);
    {
        Descriptor append(open(path.c_str(), O_WRONLY | O_APPEND));
        CHECK(write(append.fd, "!", 1) == 1);
        CHECK(lseek(append.fd, 0, SEEK_CUR) == 6);
        char byte;
        CHECK(read(append.fd, &byte, 1) == -1 && errno == EBADF);
    }
    CHECK(get(path) == "hello!");
    {
        Descriptor truncated(open(path.c_str(), O_WRONLY | O_TRUNC));
        struct stat info{};
        CHECK(fstat(truncated.fd, &info) == 0 && info.st_size == 0);
    }
    {
        Descriptor only(open(path.c_str(), O_PATH));
        char byte;
        CHECK(only.fd >= 0 && read(only.fd, &byte, 1) == -1 && errno == EBADF);
        struct stat info{};
        CHECK(fstatat(only.fd, "", &info, AT_EMPTY_PATH) == 0 && S_ISREG(info.st_mode));
    }
    fs::remove(path);
}

LINUX_TEST(descriptors) {
    Descriptor first(open(folder.path("d").c_str(), O_RDWR | O_CREAT, 0600));
    CHECK(write(first.fd, "abcdef", 6) == 6);
    Descriptor second(dup(first.fd));
    CHECK(lseek(second.fd, 2, SEEK_SET) == 2);
    char text[8]{};
    CHECK(read(first.fd, text, 2) == 2 && std::string(text) == "cd"); // one position for both
    CHECK(fcntl(first.fd, F_GETFD) == 0);
    CHECK(fcntl(first.fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(first.fd, F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(second.fd, F_GETFD) == 0);
    CHECK((fcntl(first.fd, F_GETFL) & O_ACCMODE) == O_RDWR);
    Descriptor high(fcntl(first.fd, F_DUPFD_CLOEXEC, 100));
    CHECK(high.fd == 100 && fcntl(100, F_GETFD) == FD_CLOEXEC);
    CHECK(dup2(first.fd, 101) == 101 && close(101) == 0);
    CHECK(dup2(first.fd, first.fd) == first.fd);
    EXPECT(-EINVAL, SYS_dup3, first.fd, first.fd, 0);
    EXPECT(-EBADF, SYS_dup, 77);
    EXPECT(-EBADF, SYS_close, 77);
    EXPECT(-EBADF, SYS_close, -1);
    EXPECT(-EBADF, SYS_dup2, first.fd, 1 << 30);
    for (const unsigned request : {0x5401u, 0x5413u, 0x5414u}) // nothing of a terminal
        EXPECT(-ENOTTY, SYS_ioctl, first.fd, request, text);
    fs::remove(folder.path("d"));
}

// So that C libraries write it line by line: what a program printed is out when it is killed. Elsewhere standard
// output is whatever the tests were started with.
LINUX_TEST(console_is_a_terminal) {
    SKIP_UNLESS(on_aios(), "needs AIOS");
    struct {
        unsigned short rows, columns, width, height;
    } window{};
    CHECK(isatty(1) == 1);
    EXPECT(0, SYS_ioctl, 1, 0x5413, &window);
    CHECK(window.rows == 24 && window.columns == 80);
    EXPECT(-ENOTTY, SYS_ioctl, 1, 0x5414, &window); // its size cannot be set
    EXPECT(-EFAULT, SYS_ioctl, 1, 0x5413, 1);
    EXPECT(-EFAULT, SYS_ioctl, 1, 0x5401, 1);
}

LINUX_TEST(all_descriptors) {
    std::vector<int> taken;
    put(folder.path("e"), "e");
    int fd;
    while ((fd = open(folder.path("e").c_str(), O_RDONLY)) >= 0 && taken.size() < 100'000)
        taken.push_back(fd);
    CHECK(errno == EMFILE);
    CHECK(taken.size() >= 200);
    for (int number : taken)
        close(number);
    fs::remove(folder.path("e"));
}

LINUX_TEST(positions_and_vectors) {
    Descriptor file(open(folder.path("v").c_str(), O_RDWR | O_CREAT, 0600));
    char one[] = "one", two[] = "two", empty[] = "";
    const iovec out[] = {{one, 3}, {empty, 0}, {two, 3}};
    CHECK(writev(file.fd, out, 3) == 6);
    CHECK(pwrite(file.fd, "X", 1, 5000) == 1);
    CHECK(lseek(file.fd, 0, SEEK_END) == 5001);
    CHECK(lseek(file.fd, 0, SEEK_CUR) == 5001);
    EXPECT(-EINVAL, SYS_lseek, file.fd, -1, SEEK_SET);
    EXPECT(-EINVAL, SYS_lseek, file.fd, 0, 99);
    EXPECT(0, SYS_lseek, file.fd, 0, SEEK_SET);
    char left[4]{}, right[5]{};
    const iovec in[] = {{left, 3}, {right, 4}};
    CHECK(readv(file.fd, in, 2) == 7);
    CHECK(std::string(left) == "one" && std::string(right, 3) == "two" && right[3] == 0);
    char byte = 0;
    CHECK(pread(file.fd, &byte, 1, 5000) == 1 && byte == 'X');
    CHECK(pread(file.fd, &byte, 1, 5001) == 0);
    EXPECT(-EINVAL, SYS_pread64, file.fd, &byte, 1, -5);
    EXPECT(-EINVAL, SYS_readv, file.fd, in, -1);
    EXPECT(-EINVAL, SYS_writev, file.fd, in, 5000);
    EXPECT(-EFAULT, SYS_write, file.fd, 8, 10);
    EXPECT(0, SYS_write, file.fd, one, 0);
    fs::remove(folder.path("v"));
}

LINUX_TEST(sendfile) {
    put(folder.path("s"), std::string(70'000, 's'));
    Descriptor in(open(folder.path("s").c_str(), O_RDONLY));
    Descriptor out(open(folder.path("t").c_str(), O_WRONLY | O_CREAT, 0600));
    off_t from = 10;
    CHECK(sendfile(out.fd, in.fd, &from, 1000) == 1000 && from == 1010);
    CHECK(lseek(in.fd, 0, SEEK_CUR) == 0);
    CHECK(sendfile(out.fd, in.fd, nullptr, 100'000) == 70'000);
    CHECK(sendfile(out.fd, in.fd, nullptr, 1) == 0);
    CHECK(fs::file_size(folder.path("t")) == 71'000);
    fs::remove(folder.path("s"));
    fs::remove(folder.path("t"));
}

LINUX_TEST(unlinked_file_lives) {
    Descriptor file(open(folder.path("u").c_str(), O_RDWR | O_CREAT, 0600));
    CHECK(unlink(folder.path("u").c_str()) == 0);
    CHECK(write(file.fd, "still", 5) == 5);
    char text[6]{};
    CHECK(pread(file.fd, text, 5, 0) == 5 && std::string(text) == "still");
    struct stat info{};
    CHECK(fstat(file.fd, &info) == 0 && info.st_nlink == 0 && info.st_size == 5);
    CHECK(!fs::exists(folder.path("u")));
}

LINUX_TEST(directory_entries) {
    fs::create_directory(root / "entries");
    put((root / "entries/file").string(), "");
    fs::create_symlink("file", root / "entries/link");
    fs::create_directory(root / "entries/dir");
    DIR* directory = opendir((root / "entries").c_str());
    CHECK(directory != nullptr);
    std::set<std::string> names;
    long after_first = 0;
    while (const dirent* entry = readdir(directory)) {
        const std::string name = entry->d_name;
        names.insert(name);
        if (name == "file") CHECK(entry->d_type == DT_REG);
        if (name == "link") CHECK(entry->d_type == DT_LNK);
        if (name == "dir" || name == "." || name == "..") CHECK(entry->d_type == DT_DIR);
        if (names.size() == 1) after_first = telldir(directory);
    }
    CHECK(names.size() == 5);
    seekdir(directory, after_first);
    std::size_t rest = 0;
    while (readdir(directory) != nullptr)
        ++rest;
    CHECK(rest == 4);
    rewinddir(directory);
    CHECK(readdir(directory) != nullptr);
    closedir(directory);
    char small[4];
    Descriptor again(open((root / "entries").c_str(), O_RDONLY | O_DIRECTORY));
    EXPECT(-EINVAL, SYS_getdents64, again.fd, small, sizeof(small));
    char byte;
    CHECK(read(again.fd, &byte, 1) == -1 && errno == EISDIR);
    Descriptor inside(openat(again.fd, "file", O_RDONLY));
    CHECK(inside.fd >= 0);
    EXPECT(-ENOTDIR, SYS_openat, inside.fd, "x", O_RDONLY);
    EXPECT(-ENOTDIR, SYS_getdents64, inside.fd, small, sizeof(small));
    fs::remove_all(root / "entries");
}

LINUX_TEST(removal_errors) {
    fs::create_directory(root / "rd");
    put((root / "rf").string(), "");
    EXPECT(-EISDIR, SYS_unlink, (root / "rd").c_str());
    EXPECT(-ENOTDIR, SYS_rmdir, (root / "rf").c_str());
    EXPECT(-ENOENT, SYS_unlink, (root / "none").c_str());
    EXPECT(-EINVAL, SYS_rmdir, (root / "rd/.").c_str());
    EXPECT(-EEXIST, SYS_mkdir, (root / "rd").c_str(), 0777);
    EXPECT(-EEXIST, SYS_mkdir, (root / "rf").c_str(), 0777);
    EXPECT(-ENOTDIR, SYS_mkdir, (root / "rf/x").c_str(), 0777);
    EXPECT(-EINVAL, SYS_unlinkat, AT_FDCWD, (root / "rf").c_str(), 7);
    EXPECT(0, SYS_unlinkat, AT_FDCWD, (root / "rd").c_str(), AT_REMOVEDIR);
    EXPECT(0, SYS_unlink, (root / "rf").c_str());
}

LINUX_TEST(appends_do_not_mix) {
    const std::string path = folder.path("log");
    std::vector<std::thread> threads;
    for (char letter = 'a'; letter < 'e'; ++letter) {
        threads.emplace_back([&, letter] {
            Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
            const std::string line = std::string(99, letter) + "\n";
            for (int i = 0; i < 100; ++i) {
                if (write(file.fd, line.data(), line.size()) != 100) failed("append", __LINE__);
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    std::ifstream in(path);
    std::string line;
    int lines = 0;
    while (std::getline(in, line)) {
        CHECK(line.size() == 99 && line.find_first_not_of(line[0]) == std::string::npos);
        ++lines;
    }
    CHECK(lines == 400);
    fs::remove(path);
}

LINUX_TEST(special_files) {
    Descriptor null(open("/dev/null", O_RDWR));
    char text[16];
    CHECK(write(null.fd, "x", 1) == 1 && read(null.fd, text, 16) == 0);
    Descriptor zero(open("/dev/zero", O_RDONLY));
    std::memset(text, 1, sizeof(text));
    CHECK(read(zero.fd, text, 16) == 16 && text[0] == 0 && text[15] == 0);
    Descriptor random(open("/dev/urandom", O_RDONLY));
    unsigned char bytes[64]{};
    CHECK(read(random.fd, bytes, 64) == 64);
    CHECK(std::count(bytes, bytes + 64, bytes[0]) < 20);
    const fs::path own = fs::read_symlink("/proc/self/exe");
    CHECK(own.filename() == "test_files");
    CHECK(fs::file_size(own) > 100'000);
}

// Numbers of this boot do not show: the trees are numbered in the order of the name space.
LINUX_TEST(device_numbers) {
    SKIP_UNLESS(on_aios(), "needs AIOS");
    struct stat info{};
    std::set<unsigned long> devices;
    for (const char* path : {"/", "/tmp", "/dev/null"}) {
        CHECK(stat(path, &info) == 0 && info.st_dev >= 1 && info.st_dev <= 4);
        devices.insert(info.st_dev);
    }
    CHECK(devices.size() == 3);
}

} // namespace

int main() { return run_all("files"); }
