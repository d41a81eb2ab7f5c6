// What the calls on files refuse, and with which error: Linux's own, for arguments that are wrong in one way each.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

struct Descriptor {
    int fd;
    explicit Descriptor(int number) : fd(number) {}
    ~Descriptor() {
        if (fd >= 0) close(fd);
    }
};

long size_of(int fd) {
    struct stat info{};
    return fstat(fd, &info) == 0 ? info.st_size : -1;
}

TestFolder folder;
const std::string file = folder.path("file"), to_file = folder.path("link"), directory = folder.path("directory");
const Descriptor both(open(file.c_str(), O_RDWR | O_CREAT, 0600));
const bool are_made =
    write(both.fd, "contents", 8) == 8 && symlink("file", to_file.c_str()) == 0 && mkdir(directory.c_str(), 0700) == 0;
const Descriptor reader(open(file.c_str(), O_RDONLY)), writer(open(file.c_str(), O_WRONLY)),
    path(open(file.c_str(), O_PATH)), folder_fd(open(directory.c_str(), O_RDONLY)),
    appender(open(folder.path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)), null(open("/dev/null", O_RDWR));
char room[64] = {};

LINUX_TEST(open) {
    CHECK(are_made);
    EXPECT(-ENOTDIR, SYS_open, to_file.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    EXPECT(-EISDIR, SYS_open, directory.c_str(), O_RDONLY | O_CREAT, 0600);
    EXPECT(-EISDIR, SYS_open, directory.c_str(), O_RDONLY | O_TRUNC);
    EXPECT(-EEXIST, SYS_open, to_file.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600); // the link itself is in the way
    const Descriptor of_link(open(to_file.c_str(), O_PATH | O_NOFOLLOW));
    EXPECT(4, SYS_readlinkat, of_link.fd, "", room, sizeof(room));
    CHECK(std::string(room, 4) == "file");
    EXPECT(-ENOENT, SYS_readlinkat, path.fd, "", room, sizeof(room));
    if (on_aios()) {
        EXPECT(-EINVAL, SYS_open, file.c_str(), 3);
        EXPECT(-EOPNOTSUPP, SYS_open, directory.c_str(), O_RDWR | O_TMPFILE, 0600);
    }
}

LINUX_TEST(access) {
    EXPECT(-EINVAL, SYS_access, file.c_str(), 8);
    EXPECT(-EACCES, SYS_access, file.c_str(), X_OK); // no such bit is set
    EXPECT(0, SYS_access, directory.c_str(), X_OK);
    EXPECT(0, SYS_access, "/dev/null", R_OK | W_OK);
    EXPECT(-EINVAL, SYS_faccessat2, AT_FDCWD, file.c_str(), R_OK, 1);
    EXPECT(-ENOENT, SYS_access, folder.path("none").c_str(), F_OK);
}

LINUX_TEST(truncate) {
    EXPECT(-EINVAL, SYS_truncate, file.c_str(), -1);
    EXPECT(-EISDIR, SYS_truncate, directory.c_str(), 0);
    EXPECT(-EFBIG, SYS_truncate, file.c_str(), 0x7fff'ffff'ffff'ffff);
    EXPECT(-EBADF, SYS_ftruncate, path.fd, 0);
    EXPECT(-EINVAL, SYS_ftruncate, reader.fd, 0);
    EXPECT(-EINVAL, SYS_ftruncate, null.fd, 0);
    CHECK(size_of(both.fd) == 8);
}

LINUX_TEST(fallocate) {
    EXPECT(-EINVAL, SYS_fallocate, both.fd, 0, -1, 10);
    EXPECT(-EINVAL, SYS_fallocate, both.fd, 0, 0, 0);
    EXPECT(-EINVAL, SYS_fallocate, both.fd, 0, 0, -1);
    EXPECT(-EOPNOTSUPP, SYS_fallocate, both.fd, 0x1000, 0, 10);
    EXPECT(-EBADF, SYS_fallocate, reader.fd, 0, 0, 10);
    EXPECT(-EFBIG, SYS_fallocate, both.fd, 0, 0x7fff'ffff'ffff'f000, 10);
    CHECK(size_of(both.fd) == 8);
    EXPECT(0, SYS_fallocate, both.fd, 1, 0, 100); // keeps the size
    CHECK(size_of(both.fd) == 8);
    EXPECT(0, SYS_fallocate, both.fd, 0, 90, 10);
    CHECK(size_of(both.fd) == 100);
    EXPECT(0, SYS_fallocate, both.fd, 0, 0, 5); // never shrinks
    CHECK(size_of(both.fd) == 100);
    EXPECT(0, SYS_ftruncate, both.fd, 8);
}

LINUX_TEST(sync_and_advice) {
    EXPECT(0, SYS_fsync, both.fd);
    EXPECT(-EBADF, SYS_fsync, path.fd);
    EXPECT(-EBADF, SYS_fdatasync, path.fd);
    EXPECT(-EBADF, SYS_fsync, 4000);
    for (int advice = 0; advice <= 5; ++advice)
        EXPECT(0, SYS_fadvise64, both.fd, 0, 0, advice);
    EXPECT(-EINVAL, SYS_fadvise64, both.fd, 0, 0, 6);
    EXPECT(-EBADF, SYS_fadvise64, path.fd, 0, 0, 0);
}

LINUX_TEST(positions) {
    EXPECT(-EINVAL, SYS_lseek, both.fd, 0, 5);
    EXPECT(-EBADF, SYS_lseek, path.fd, 0, SEEK_SET);
    EXPECT(0, SYS_lseek, both.fd, 0, SEEK_SET);
    EXPECT(0, SYS_lseek, both.fd, 0, SEEK_CUR);
    EXPECT(2, SYS_lseek, both.fd, 2, 3); // data begins where one asks
    EXPECT(7, SYS_lseek, both.fd, 7, 3);
    EXPECT(8, SYS_lseek, both.fd, 2, 4); // and ends with the file
    EXPECT(-ENXIO, SYS_lseek, both.fd, 8, 3);
    EXPECT(-ENXIO, SYS_lseek, both.fd, 8, 4);
    EXPECT(-EINVAL, SYS_pread64, reader.fd, room, 4, -1);
    EXPECT(-EBADF, SYS_pread64, writer.fd, room, 4, 0);
    EXPECT(-EBADF, SYS_pwrite64, reader.fd, room, 4, 0);
    EXPECT(-EISDIR, SYS_pread64, folder_fd.fd, room, 4, 0);
    EXPECT(0, SYS_pread64, null.fd, room, 4, 0);
    EXPECT(4, SYS_pwrite64, appender.fd, "abcd", 4, 0);
    EXPECT(4, SYS_pwrite64, appender.fd, "efgh", 4, 0); // appended all the same, against POSIX
    CHECK(size_of(appender.fd) == 8);
}

LINUX_TEST(vectors) {
    const iovec one{room, 4}, wrong[] = {{room, 4}, {room, static_cast<std::size_t>(-1)}};
    EXPECT(-EBADF, SYS_readv, writer.fd, &one, 1);
    EXPECT(-EBADF, SYS_writev, reader.fd, &one, 1);
    EXPECT(-EBADF, SYS_readv, path.fd, &one, 1);
    EXPECT(-EINVAL, SYS_readv, reader.fd, &one, 1025);
    EXPECT(-EINVAL, SYS_writev, null.fd, &wrong[1], 1);
    EXPECT(0, SYS_readv, reader.fd, &one, 0);
    EXPECT(4, SYS_writev, null.fd, &one, 1);
}

LINUX_TEST(sendfile) {
    long offset = -1;
    EXPECT(-EBADF, SYS_sendfile, null.fd, writer.fd, nullptr, 4);
    EXPECT(-EBADF, SYS_sendfile, reader.fd, reader.fd, nullptr, 4);
    EXPECT(-EINVAL, SYS_sendfile, null.fd, reader.fd, &offset, 4);
    EXPECT(-EINVAL, SYS_sendfile, null.fd, folder_fd.fd, nullptr, 4);
    EXPECT(-EINVAL, SYS_sendfile, appender.fd, reader.fd, nullptr, 4);
    EXPECT(-EFAULT, SYS_sendfile, null.fd, reader.fd, 8, 4);
    offset = 3;
    EXPECT(5, SYS_sendfile, null.fd, reader.fd, &offset, 100); // to the end of the file
    CHECK(offset == 8);
    EXPECT(0, SYS_sendfile, null.fd, reader.fd, &offset, 100);
    EXPECT(0, SYS_lseek, reader.fd, 0, SEEK_CUR);
}

LINUX_TEST(names) {
    const std::string dot = folder.root() + "/.", dots = directory + "/..", slash = file + "/";
    EXPECT(-EINVAL, SYS_renameat2, AT_FDCWD, file.c_str(), AT_FDCWD, "x", 0x80);
    EXPECT(-EBUSY, SYS_rename, dot.c_str(), file.c_str());
    EXPECT(-EBUSY, SYS_rename, directory.c_str(), dots.c_str());
    EXPECT(-ENOTDIR, SYS_rename, slash.c_str(), folder.path("other").c_str());
    EXPECT(-ENOTDIR, SYS_unlink, slash.c_str());
    EXPECT(-ENOTEMPTY, SYS_rmdir, dots.c_str());
    EXPECT(0, SYS_rename, file.c_str(), file.c_str());
    EXPECT(-EINVAL, SYS_linkat, AT_FDCWD, file.c_str(), AT_FDCWD, folder.path("l").c_str(), 1);
    EXPECT(-EEXIST, SYS_link, file.c_str(), to_file.c_str());
    EXPECT(-ENOENT, SYS_symlink, "file", folder.path("s/").c_str());
    EXPECT(-ENOENT, SYS_symlink, "", folder.path("s").c_str());
    EXPECT(-EINVAL, SYS_readlink, to_file.c_str(), room, -1);
    EXPECT(-EEXIST, SYS_mkdir, directory.c_str(), 0700);
    EXPECT(-ENOTDIR, SYS_fchdir, both.fd);
    EXPECT(-EBADF, SYS_fchdir, 4000);
    if (on_aios()) {
        EXPECT(-EBUSY, SYS_rmdir, "/tmp");
        EXPECT(-EBUSY, SYS_rename, "/tmp", folder.path("t").c_str());
        EXPECT(-EXDEV, SYS_rename, file.c_str(), "/bin/x");
        EXPECT(-EXDEV, SYS_link, file.c_str(), "/bin/x");
        EXPECT(-EXDEV, SYS_link, "/dev/null", folder.path("n").c_str());
        EXPECT(-EROFS, SYS_unlink, "/dev/null");
        EXPECT(-EROFS, SYS_rename, "/dev/null", folder.path("n").c_str());
        EXPECT(-EROFS, SYS_mkdir, "/bin/made", 0700);
        EXPECT(-EROFS, SYS_symlink, "x", "/bin/made");
        EXPECT(-EROFS, SYS_open, "/bin/made", O_CREAT | O_RDWR, 0600);
        EXPECT(-EROFS, SYS_open, "/bin/test_errors", O_RDWR);
        EXPECT(-EROFS, SYS_access, "/bin/test_errors", W_OK);
        EXPECT(-EROFS, SYS_truncate, "/bin/test_errors", 0);
        EXPECT(-EROFS, SYS_chmod, "/bin/test_errors", 0700);
        EXPECT(-EROFS, SYS_unlink, "/bin/test_errors");
    }
}

LINUX_TEST(looks) {
    struct stat info{};
    alignas(8) char statx_room[256];
    EXPECT(-EINVAL, SYS_newfstatat, AT_FDCWD, file.c_str(), &info, 1);
    EXPECT(-EINVAL, SYS_statx, AT_FDCWD, file.c_str(), 1, 0x7ff, statx_room);
    EXPECT(-EINVAL, SYS_statx, AT_FDCWD, file.c_str(), 0, 0x8000'0000u, statx_room);
    EXPECT(-ENOTDIR, SYS_newfstatat, both.fd, "x", &info, 0);
    EXPECT(0, SYS_newfstatat, both.fd, "", &info, AT_EMPTY_PATH);
    CHECK(info.st_size == 8 && S_ISREG(info.st_mode));
    EXPECT(0, SYS_newfstatat, AT_FDCWD, "", &info, AT_EMPTY_PATH);
    CHECK(S_ISDIR(info.st_mode));
    EXPECT(-ENOENT, SYS_newfstatat, AT_FDCWD, "", &info, 0);
    EXPECT(0, SYS_lstat, to_file.c_str(), &info);
    CHECK(S_ISLNK(info.st_mode) && info.st_size == 4);
    EXPECT(0, SYS_newfstatat, AT_FDCWD, to_file.c_str(), &info, AT_SYMLINK_NOFOLLOW);
    CHECK(S_ISLNK(info.st_mode));
    const struct {
        const char* path;
        unsigned minor;
    } devices[] = {{"/dev/null", 3}, {"/dev/zero", 5}, {"/dev/urandom", 9}};
    for (const auto& device : devices) {
        EXPECT(0, SYS_stat, device.path, &info);
        CHECK(S_ISCHR(info.st_mode) && info.st_rdev == (1u << 8 | device.minor));
    }
    EXPECT(0, SYS_lstat, "/proc/self/exe", &info);
    CHECK(S_ISLNK(info.st_mode));
}

LINUX_TEST(attributes) {
    const timespec late[] = {{0, 0}, {0, 1'000'000'000}}, negative[] = {{0, -1}, {0, 0}};
    const timespec omitted[] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}}, wanted[] = {{7, 0}, {1234, 5000}};
    struct stat before{}, after{};
    EXPECT(-EINVAL, SYS_utimensat, AT_FDCWD, file.c_str(), late, 0);
    EXPECT(-EINVAL, SYS_utimensat, AT_FDCWD, file.c_str(), negative, 0);
    EXPECT(-EINVAL, SYS_utimensat, AT_FDCWD, file.c_str(), wanted, 1);
    EXPECT(0, SYS_utimensat, AT_FDCWD, file.c_str(), wanted, 0);
    CHECK(stat(file.c_str(), &before) == 0 && before.st_mtim.tv_sec == 1234 && before.st_mtim.tv_nsec == 5000);
    EXPECT(0, SYS_utimensat, AT_FDCWD, file.c_str(), omitted, 0);
    CHECK(stat(file.c_str(), &after) == 0 && after.st_mtim.tv_sec == 1234);
    EXPECT(0, SYS_utimensat, both.fd, nullptr, nullptr, 0);
    CHECK(stat(file.c_str(), &after) == 0 && after.st_mtim.tv_sec > 1234);
    EXPECT(-EINVAL, SYS_fchownat, AT_FDCWD, file.c_str(), -1, -1, 1);
    EXPECT(0, SYS_fchownat, both.fd, "", -1, -1, AT_EMPTY_PATH);
    EXPECT(0, SYS_fchown, both.fd, 0, -1);
    EXPECT(-EBADF, SYS_fchmod, path.fd, 0600);
    EXPECT(-EBADF, SYS_fchown, path.fd, 0, 0);
    EXPECT(0, SYS_fchmod, both.fd, 0640);
    CHECK(stat(file.c_str(), &after) == 0 && (after.st_mode & 07777) == 0640);
    if (on_aios()) {
        EXPECT(-EROFS, SYS_fchmod, null.fd, 0600);
    }
}

LINUX_TEST(descriptors) {
    struct flock lock{};
    EXPECT(-EINVAL, SYS_dup3, both.fd, 200, 1);
    EXPECT(-EBADF, SYS_dup2, 4000, 4000);
    EXPECT(-EINVAL, SYS_fcntl, both.fd, F_DUPFD, 1 << 30);
    EXPECT(-EINVAL, SYS_fcntl, both.fd, 9999, 0);
    lock.l_type = 77;
    EXPECT(-EINVAL, SYS_fcntl, both.fd, F_GETLK, &lock);
    EXPECT(-EINVAL, SYS_fcntl, both.fd, F_SETLK, &lock);
    lock.l_type = F_WRLCK;
    EXPECT(0, SYS_fcntl, both.fd, F_GETLK, &lock);
    CHECK(lock.l_type == F_UNLCK); // nobody holds one
    lock.l_type = F_WRLCK;
    EXPECT(-EBADF, SYS_fcntl, reader.fd, F_SETLK, &lock);
    EXPECT(0, SYS_fcntl, writer.fd, F_SETLK, &lock);
    lock.l_type = F_RDLCK;
    EXPECT(-EBADF, SYS_fcntl, writer.fd, F_SETLK, &lock);
    EXPECT(-EBADF, SYS_fcntl, path.fd, F_SETLK, &lock);
    CHECK((fcntl(appender.fd, F_GETFL) & O_APPEND) != 0 && (fcntl(path.fd, F_GETFL) & O_PATH) != 0);
    CHECK((fcntl(writer.fd, F_GETFL) & O_ACCMODE) == O_WRONLY && (fcntl(reader.fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
    EXPECT(0, SYS_fcntl, writer.fd, F_SETFL, O_APPEND);
    CHECK((fcntl(writer.fd, F_GETFL) & O_APPEND) != 0);
    EXPECT(0, SYS_fcntl, writer.fd, F_SETFL, 0);
    EXPECT(-EINVAL, SYS_close_range, 6000, 5000, 0);
    EXPECT(-EINVAL, SYS_close_range, 5000, 6000, 1);
    const int first = fcntl(both.fd, F_DUPFD, 150), second = fcntl(both.fd, F_DUPFD, 151);
    EXPECT(0, SYS_close_range, 150, 150, 4);
    CHECK(fcntl(first, F_GETFD) == FD_CLOEXEC && fcntl(second, F_GETFD) == 0);
    EXPECT(0, SYS_close_range, first, second, 0);
    CHECK(fcntl(first, F_GETFD) == -1 && fcntl(second, F_GETFD) == -1 && fcntl(both.fd, F_GETFD) != -1);
    EXPECT(-EBADF, SYS_ioctl, path.fd, 0x5451, 0);
    EXPECT(0, SYS_ioctl, both.fd, 0x5451, 0);
    CHECK(fcntl(both.fd, F_GETFD) == FD_CLOEXEC);
    EXPECT(0, SYS_ioctl, both.fd, 0x5450, 0);
    CHECK(fcntl(both.fd, F_GETFD) == 0);
    EXPECT(-EBADF, SYS_getdents64, path.fd, room, sizeof(room));
}

LINUX_TEST(poll) {
    pollfd entries[] = {{both.fd, POLLIN | POLLOUT, 0}, {-1, POLLIN, 99}, {4000, POLLIN, 0}};
    EXPECT(2, SYS_poll, entries, 3, 0);
    CHECK(entries[0].revents == (POLLIN | POLLOUT) && entries[1].revents == 0 && entries[2].revents == POLLNVAL);
    EXPECT(0, SYS_poll, &entries[1], 1, 1);
    EXPECT(-EINVAL, SYS_poll, entries, 1 << 30, 0);
    EXPECT(-EFAULT, SYS_poll, 8, 1, 0);
}

LINUX_TEST(mappings) {
    EXPECT(-EBADF, SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, path.fd, 0);
    EXPECT(-ENODEV, SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, folder_fd.fd, 0);
    EXPECT(-EACCES, SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, writer.fd, 0);
    EXPECT(-EINVAL, SYS_mremap, 0x10000, 4096, 4096, 0x100);
}

} // namespace

int main() { return run_all("errors"); }
