// Times of files, and what else is told about them: when they were read, changed and renamed.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>

#include "tests/linux/child.hpp"

using namespace linux_test;

namespace {

struct stat info_of(const std::string& path) {
    struct stat info{};
    CHECK(stat(path.c_str(), &info) == 0);
    return info;
}
std::string new_file(const TestFolder& folder, const char* name) {
    const int fd = open(folder.path(name).c_str(), O_CREAT | O_RDWR, 0644);
    CHECK(fd >= 0 && write(fd, "text", 4) == 4);
    close(fd);
    return folder.path(name);
}
bool is_later(const timespec& a, const timespec& b) {
    return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}
void pass_some_time() { usleep(20'000); }

} // namespace

LINUX_TEST(each_time_is_its_own) {
    const TestFolder folder;
    const std::string path = new_file(folder, "f");
    const timespec times[2] = {{1000, 5}, {2000, 6}};
    CHECK(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
    const struct stat info = info_of(path);
    CHECK(info.st_atim.tv_sec == 1000 && info.st_atim.tv_nsec == 5);
    CHECK(info.st_mtim.tv_sec == 2000 && info.st_mtim.tv_nsec == 6);
    CHECK(info.st_ctim.tv_sec > 2000);
    const timespec only_read[2] = {{3000, 0}, {0, UTIME_OMIT}};
    CHECK(utimensat(AT_FDCWD, path.c_str(), only_read, 0) == 0);
    CHECK(info_of(path).st_atime == 3000 && info_of(path).st_mtime == 2000);
    const timespec bad[2] = {{0, 1'000'000'000}, {0, 0}};
    EXPECT(-EINVAL, SYS_utimensat, AT_FDCWD, path.c_str(), bad, 0);
}

LINUX_TEST(older_calls_set_both_times) {
    const TestFolder folder;
    const std::string path = new_file(folder, "f");
    const utimbuf seconds{11, 12};
    CHECK(utime(path.c_str(), &seconds) == 0 && info_of(path).st_atime == 11 && info_of(path).st_mtime == 12);
    const timeval micro[2] = {{21, 500'000}, {22, 0}};
    EXPECT(0, SYS_utimes, path.c_str(), micro);
    CHECK(info_of(path).st_atime == 21 && info_of(path).st_atim.tv_nsec == 500'000'000);
    EXPECT(0, SYS_futimesat, AT_FDCWD, path.c_str(), micro);
    const timeval bad[2] = {{0, 1'000'000}, {0, 0}};
    EXPECT(-EINVAL, SYS_utimes, path.c_str(), bad);
    EXPECT(-ENOENT, SYS_utime, folder.path("none").c_str(), nullptr);
    EXPECT(0, SYS_utime, path.c_str(), nullptr);
    CHECK(info_of(path).st_mtime > 1'000'000);
}

LINUX_TEST(changes_move_the_time_of_change) {
    const TestFolder folder;
    const std::string path = new_file(folder, "f");
    const timespec before = info_of(path).st_ctim;
    pass_some_time();
    CHECK(chmod(path.c_str(), 0600) == 0);
    const timespec after_mode = info_of(path).st_ctim;
    CHECK(is_later(after_mode, before));
    pass_some_time();
    CHECK(link(path.c_str(), folder.path("g").c_str()) == 0);
    CHECK(is_later(info_of(path).st_ctim, after_mode) && info_of(path).st_nlink == 2);
    const timespec directory = info_of(folder.root()).st_mtim;
    pass_some_time();
    CHECK(unlink(folder.path("g").c_str()) == 0 && is_later(info_of(folder.root()).st_mtim, directory));
}

LINUX_TEST(reading_moves_the_time_of_reading) {
    const TestFolder folder;
    const std::string path = new_file(folder, "f");
    const timespec old[2] = {{1000, 0}, {2000, 0}};
    CHECK(utimensat(AT_FDCWD, path.c_str(), old, 0) == 0);
    const int fd = open(path.c_str(), O_RDONLY);
    char byte;
    CHECK(fd >= 0 && read(fd, &byte, 1) == 1);
    close(fd);
    CHECK(info_of(path).st_atime > 2000 && info_of(path).st_mtime == 2000);
}

LINUX_TEST(who_is_not_the_owner_sets_no_times) {
    const TestFolder folder;
    CHECK(chmod(folder.root().c_str(), 0755) == 0);
    const std::string path = new_file(folder, "f");
    CHECK_IN_CHILD([&] {
        HOLDS(setresuid(4242, 4242, 4242) == 0);
        const timespec times[2] = {{1, 0}, {1, 0}};
        HOLDS(utimensat(AT_FDCWD, path.c_str(), times, 0) == -1 && errno == EPERM);
        HOLDS(utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == -1 && errno == EACCES);
        return 0;
    });
}

LINUX_TEST(a_node_of_its_kind_is_made) {
    const TestFolder folder;
    CHECK(mknod(folder.path("file").c_str(), S_IFREG | 0640, 0) == 0);
    CHECK(S_ISREG(info_of(folder.path("file")).st_mode));
    CHECK(mknod(folder.path("pipe").c_str(), S_IFIFO | 0600, 0) == 0);
    CHECK(S_ISFIFO(info_of(folder.path("pipe")).st_mode));
    CHECK(mknod(folder.path("pipe").c_str(), S_IFIFO | 0600, 0) == -1 && errno == EEXIST);
    CHECK(mknod(folder.path("none/x").c_str(), S_IFREG, 0) == -1 && errno == ENOENT);
    CHECK(unlink(folder.path("pipe").c_str()) == 0);
}

LINUX_TEST(space_is_counted_in_small_blocks) {
    const TestFolder folder;
    CHECK(info_of(new_file(folder, "f")).st_blocks == 8);
}

int main() { return run_all("attributes"); }
