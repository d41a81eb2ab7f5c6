// What lies in the bundle beside programs, as Linux programs see it: modes, times, links, further names of files, directories.
// tests/linux/CMakeLists.txt has the list. The developer's own Linux has no such tree: these tests are skipped there.
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

constexpr std::string_view kText = "A file of the image.\n";

struct stat look(const char* path, int flags = AT_SYMLINK_NOFOLLOW) {
    struct stat facts{};
    if (::fstatat(AT_FDCWD, path, &facts, flags) != 0) failed(path, __LINE__, std::strerror(errno));
    return facts;
}

std::string text_of(const char* path) {
    char text[100];
    const int file = ::open(path, O_RDONLY);
    const ssize_t bytes = ::read(file, text, sizeof text);
    ::close(file);
    return {text, bytes < 0 ? 0 : static_cast<std::size_t>(bytes)};
}

std::string target_of(const char* path) {
    char target[100];
    const ssize_t bytes = ::readlink(path, target, sizeof target);
    return {target, bytes < 0 ? 0 : static_cast<std::size_t>(bytes)};
}

// Without "." and "..".
struct Entry {
    unsigned char type;
    ino_t inode;
};
std::map<std::string, Entry> entries_of(const char* path) {
    std::map<std::string, Entry> found;
    DIR* const directory = ::opendir(path);
    while (const dirent* entry = directory == nullptr ? nullptr : ::readdir(directory)) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") found[name] = {entry->d_type, entry->d_ino};
    }
    if (directory != nullptr) ::closedir(directory);
    return found;
}

bool is_time(const timespec& time, long seconds, long nanoseconds) {
    return time.tv_sec == seconds && time.tv_nsec == nanoseconds;
}

// The status of a child that becomes `path`; 100 and the errno if it could not.
int run_program(const char* path) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::execl(path, "end", "status", nullptr);
        ::_exit(100 + errno);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

LINUX_TEST(modes_sizes_and_times) {
    SKIP_UNLESS(on_aios(), "needs AIOS");
    const struct stat note = look("/image/tree/note"), tree = look("/image/tree"), link = look("/image/tree/link");
    CHECK(note.st_mode == (S_IFREG | 0640) && note.st_size == static_cast<off_t>(kText.size()));
    CHECK(is_time(note.st_mtim, 1'700'000'000, 123'456'789));
    CHECK(tree.st_mode == (S_IFDIR | 01750) && is_time(tree.st_mtim, 1'700'000'001, 5));
    CHECK(link.st_mode == (S_IFLNK | 0777) && link.st_size == 4 && is_time(link.st_mtim, 1'700'000'002, 7));
    CHECK(look("/image/empty").st_mode == (S_IFDIR | 0700));
    CHECK(look("/image/set").st_mode == (S_IFREG | 06755));
    CHECK(look("/image").st_mode == (S_IFDIR | 0555)); // not in the list: made for what is in it
    struct statx more{};
    CHECK(::statx(AT_FDCWD, "/image/tree/note", 0, STATX_BASIC_STATS, &more) == 0);
    CHECK(more.stx_mode == (S_IFREG | 0640) && more.stx_mtime.tv_nsec == 123'456'789);
}

LINUX_TEST(names_of_one_file) {
    SKIP_UNLESS(on_aios(), "needs AIOS");
    const struct stat note = look("/image/tree/note"), also = look("/image/tree/also");
    CHECK(note.st_ino == also.st_ino && note.st_nlink == 2 && also.st_nlink == 2);
    CHECK(also.st_mode == note.st_mode && is_time(also.st_mtim, 1'700'000'000, 123'456'789));
    CHECK(text_of("/image/tree/also") == kText);
}

LINUX_TEST(links) {
    SKIP_UNLESS(on_aios(), "needs AIOS");
    CHECK(target_of("/image/tree/link") == "note" && target_of("/image/absolute") == "/image/tree");
    CHECK(text_of("/image/tree/link") == kText);
    CHECK(text_of("/image/absolute/link") == kText);
    CHECK(look("/image/absolute", 0).st_ino == look("/image/tree").st_ino);
    CHECK(look("/image/absolute/", AT_SYMLINK_NOFOLLOW).st_ino == look("/image/tree").st_ino);
    // A ".." behind a link is that of where the link leads: /image/tree/.. is /image.
    CHECK(look("/image/up", 0).st_ino == look("/image/empty").st_ino);
    EXPECT(-ELOOP, SYS_open, "/image/loop", O_RDONLY);
    EXPECT(-ENOENT, SYS_open, "/image/nowhere", O_RDONLY);
    EXPECT(-ELOOP, SYS_open, "/image/tree/link", O_RDONLY | O_NOFOLLOW);
    EXPECT(-ENOTDIR, SYS_open, "/image/tree/link/", O_RDONLY);
    char target[2];
    EXPECT(2, SYS_readlink, "/image/tree/link", target, sizeof target);
    EXPECT(-EINVAL, SYS_readlink, "/image/tree/note", target, sizeof target);
}

LINUX_TEST(directories) {
    SKIP_UNLESS(on_aios(), "needs AIOS");
    const auto image = entries_of("/image"), tree = entries_of("/image/tree");
    std::string names;
    for (const auto& [name, entry] : image)
        names += name + ' ';
    CHECK(names == "absolute empty loop nowhere program set tree up ");
    CHECK(image.at("tree").type == DT_DIR && image.at("set").type == DT_REG && image.at("loop").type == DT_LNK);
    CHECK(tree.size() == 3 && tree.at("link").type == DT_LNK && tree.at("also").type == DT_REG);
    CHECK(tree.at("also").inode == look("/image/tree/note").st_ino);
    CHECK(tree.at("link").inode == look("/image/tree/link").st_ino);
    CHECK(entries_of("/image/empty").empty());
    CHECK(entries_of("/image/up").empty() && entries_of("/image/absolute").size() == 3);
}

LINUX_TEST(nobody_changes_it) {
    SKIP_UNLESS(on_aios(), "needs AIOS");
    EXPECT(-EROFS, SYS_open, "/image/tree/note", O_WRONLY);
    EXPECT(-EROFS, SYS_symlink, "x", "/image/empty/x");
    EXPECT(-EROFS, SYS_unlink, "/image/tree/link");
    EXPECT(-EROFS, SYS_chmod, "/image/tree/note", 0777);
}

LINUX_TEST(programs) {
    SKIP_UNLESS(on_aios(), "needs AIOS");
    CHECK(run_program("/image/program") == 7); // by a link
    CHECK(run_program("/image/tree/note") == 100 + EACCES);
    CHECK(run_program("/image/set") == 100 + ENOEXEC);
}

} // namespace

int main() { return run_all("image"); }
