// What a path allows follows from the rights of the tree that it leads to, and from nothing else. The first program
// mounts the tree of /tmp a second time at /job, with the rights that the argument names: what is made in /tmp is
// looked at and changed through /job. Needs AIOS; the developer's own Linux is not asked.
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <vector>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

bool may_read, may_write; // through /job

// The value of a call that makes a descriptor, which is closed.
long closed(long fd) {
    if (fd >= 0) close(static_cast<int>(fd));
    return fd;
}

long in_folder(const char* path, long (*function)()) {
    const long moved = raw(SYS_chdir, path);
    if (moved < 0) return moved;
    const long result = function();
    raw(SYS_chdir, "/");
    return result;
}

long through_descriptor(long (*function)(int fd)) {
    const long fd = raw(SYS_open, "/job/file", O_RDONLY);
    if (fd < 0) return fd;
    const long result = function(static_cast<int>(fd));
    close(static_cast<int>(fd));
    return result;
}

long map_to_execute(const char* path) {
    const long fd = raw(SYS_open, path, O_RDONLY);
    if (fd < 0) return fd;
    const long at = raw(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    close(static_cast<int>(fd));
    if (at > 0) raw(SYS_munmap, at, 4096);
    return at;
}

struct Case {
    const char* name;
    bool reads, writes; // what the call needs
    long (*call)();
};

struct stat info;
struct statfs space;
char room[512];

const Case kCases[] = {
    {"open_to_read", true, false, [] { return closed(raw(SYS_open, "/job/file", O_RDONLY)); }},
    {"open_to_write", true, true, [] { return closed(raw(SYS_open, "/job/file", O_WRONLY)); }},
    {"open_to_truncate", true, true, [] { return closed(raw(SYS_open, "/job/file", O_RDONLY | O_TRUNC)); }},
    {"open_a_path", true, false, [] { return closed(raw(SYS_open, "/job/file", O_PATH)); }},
    {"create", true, true, [] { return closed(raw(SYS_open, "/job/new", O_WRONLY | O_CREAT, 0600)); }},
    {"access", true, false, [] { return raw(SYS_access, "/job/file", R_OK); }},
    {"access_to_write", true, true, [] { return raw(SYS_access, "/job/file", W_OK); }},
    {"stat", true, false, [] { return raw(SYS_stat, "/job/file", &info); }},
    {"lstat", true, false, [] { return raw(SYS_lstat, "/job/link", &info); }},
    {"statx", true, false, [] { return raw(SYS_statx, AT_FDCWD, "/job/file", 0, 0x7ff, room); }},
    {"statfs", true, false, [] { return raw(SYS_statfs, "/job/file", &space); }},
    {"readlink", true, false, [] { return raw(SYS_readlink, "/job/link", room, sizeof(room)); }},
    {"chdir", true, false, [] { return in_folder("/job/folder", [] { return 0l; }); }},
    {"stat_here", true, false,
     [] { return in_folder("/job", [] { return raw(SYS_newfstatat, AT_FDCWD, "", &info, AT_EMPTY_PATH); }); }},
    {"truncate", false, true, [] { return raw(SYS_truncate, "/job/file", 3); }},
    {"chmod", false, true, [] { return raw(SYS_chmod, "/job/file", 0644); }},
    {"chown", false, true, [] { return raw(SYS_chown, "/job/file", 0, 0); }},
    {"utimensat", false, true, [] { return raw(SYS_utimensat, AT_FDCWD, "/job/file", nullptr, 0); }},
    {"mkdir", false, true, [] { return raw(SYS_mkdir, "/job/made", 0777); }},
    {"rmdir", false, true, [] { return raw(SYS_rmdir, "/job/folder"); }},
    {"unlink", false, true, [] { return raw(SYS_unlink, "/job/file"); }},
    {"rename", false, true, [] { return raw(SYS_rename, "/job/file", "/job/renamed"); }},
    {"link", false, true, [] { return raw(SYS_link, "/job/file", "/job/hard"); }},
    {"symlink", false, true, [] { return raw(SYS_symlink, "file", "/job/soft"); }},
};

void set_up() {
    for (const char* path : {"/tmp/file", "/tmp/link", "/tmp/new", "/tmp/renamed", "/tmp/hard", "/tmp/soft"})
        raw(SYS_unlink, path);
    for (const char* path : {"/tmp/folder", "/tmp/made"})
        raw(SYS_rmdir, path);
    const long fd = raw(SYS_open, "/tmp/file", O_RDWR | O_CREAT, 0600);
    CHECK(raw(SYS_write, fd, "contents", 8) == 8);
    close(static_cast<int>(fd));
    CHECK(raw(SYS_symlink, "file", "/tmp/link") == 0 && raw(SYS_mkdir, "/tmp/folder", 0777) == 0);
}

} // namespace

int main(int, char** arguments) {
    const std::string mode = arguments[1];
    const std::string own = "rights." + mode;
    program = own.c_str();
    may_read = mode == "read" || mode == "both";
    may_write = mode == "write" || mode == "both";
    for (const Case& one : kCases)
        run(one.name, [&] {
            set_up();
            const bool granted = (may_read || !one.reads) && (may_write || !one.writes);
            const long result = one.call();
            if (granted ? result < 0 : result != -EACCES) failed(one.name, __LINE__, error_name(result));
        });
    // A descriptor has the rights that its tree had when it was opened.
    run("descriptors", [] {
        set_up();
        const long wanted = !may_read ? -EACCES : !may_write ? -EROFS : 0;
        CHECK(through_descriptor([](int fd) { return raw(SYS_fchmod, fd, 0644); }) == wanted);
        CHECK(through_descriptor([](int fd) { return raw(SYS_fchown, fd, 0, 0); }) == wanted);
        CHECK(through_descriptor([](int fd) { return raw(SYS_utimensat, fd, nullptr, nullptr, 0); }) == wanted);
    });
    // To inspect is not to execute: /job may be inspected, and the tree of programs may not.
    run("execute", [] {
        set_up();
        CHECK(map_to_execute("/job/file") == (may_read ? -EPERM : -EACCES));
        CHECK(map_to_execute("/bin/rights") > 0);
    });
    return finish();
}
