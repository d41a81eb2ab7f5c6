// Reading and writing at positions: vectors, copies from file to file, limits of size, and files that are memory alone.
#include <csignal>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "tests/linux/child.hpp"

using namespace linux_test;

namespace {

int new_file(const TestFolder& folder, const char* name, int flags = 0) {
    return open(folder.path(name).c_str(), O_CREAT | O_RDWR | flags, 0644);
}
off_t size_of(int fd) {
    struct stat info{};
    return fstat(fd, &info) == 0 ? info.st_size : -1;
}

} // namespace

LINUX_TEST(vectors_at_a_position_leave_the_files_own) {
    const TestFolder folder;
    const int fd = new_file(folder, "f");
    char one[] = "abc", two[] = "defg";
    iovec vectors[2] = {{one, 3}, {two, 4}};
    CHECK(pwritev(fd, vectors, 2, 5) == 7 && lseek(fd, 0, SEEK_CUR) == 0 && size_of(fd) == 12);
    char in[8] = {};
    iovec to[2] = {{in, 2}, {in + 2, 6}};
    CHECK(preadv(fd, to, 2, 5) == 7 && std::string(in) == "abcdefg");
    CHECK(preadv(fd, to, 2, 100) == 0);
    EXPECT(-EINVAL, SYS_preadv, fd, vectors, 2, -1, 0);
    EXPECT(-EINVAL, SYS_preadv, fd, vectors, 2000, 0, 0);
    EXPECT(-EBADF, SYS_pwritev, 999, vectors, 2, 0, 0);
    int ends[2];
    CHECK(pipe(ends) == 0);
    EXPECT(-ESPIPE, SYS_preadv, ends[0], vectors, 2, 0, 0);
    CHECK(preadv2(fd, to, 2, -1, 0) == 8 && lseek(fd, 0, SEEK_CUR) == 8); // from the file's own position
    EXPECT(-EOPNOTSUPP, SYS_preadv2, fd, to, 2, 0, 0, 1 << 20);
    close(fd);
}

LINUX_TEST(an_appending_file_keeps_its_position_too) {
    const TestFolder folder;
    const int fd = new_file(folder, "f", O_APPEND);
    CHECK(write(fd, "1234", 4) == 4 && lseek(fd, 1, SEEK_SET) == 1);
    CHECK(pwrite(fd, "56", 2, 0) == 2 && lseek(fd, 0, SEEK_CUR) == 1 && size_of(fd) == 6);
    close(fd);
}

LINUX_TEST(ranges_are_copied_between_files) {
    const TestFolder folder;
    const int from = new_file(folder, "from"), to = new_file(folder, "to");
    const std::string text(10'000, 'x');
    CHECK(write(from, text.data(), text.size()) == 10'000);
    off_t start = 100, target = 50;
    CHECK(copy_file_range(from, &start, to, &target, 20'000, 0) == 9'900);
    CHECK(start == 10'000 && target == 9'950 && size_of(to) == 9'950 && lseek(to, 0, SEEK_CUR) == 0);
    CHECK(copy_file_range(from, &start, to, &target, 10, 0) == 0);
    start = 0;
    target = 10;
    CHECK(copy_file_range(from, &start, from, &target, 100, 0) == -1 && errno == EINVAL);
    CHECK(copy_file_range(from, nullptr, to, nullptr, 1, 1) == -1 && errno == EINVAL);
    const int read_only = open(folder.path("to").c_str(), O_RDONLY);
    CHECK(copy_file_range(from, nullptr, read_only, nullptr, 1, 0) == -1 && errno == EBADF);
    close(from);
    close(to);
    close(read_only);
}

LINUX_TEST(a_file_grows_no_larger_than_the_limit) {
    const TestFolder folder;
    CHECK_IN_CHILD([&] {
        const int fd = new_file(folder, "f");
        static volatile sig_atomic_t signals = 0;
        signal(SIGXFSZ, [](int) { signals = signals + 1; });
        const rlimit limit{100, 100};
        HOLDS(setrlimit(RLIMIT_FSIZE, &limit) == 0);
        const std::string text(200, 'x');
        HOLDS(write(fd, text.data(), 200) == 100 && signals == 0);
        HOLDS(write(fd, text.data(), 1) == -1 && errno == EFBIG && signals == 1);
        HOLDS(ftruncate(fd, 101) == -1 && errno == EFBIG && signals == 2);
        HOLDS(ftruncate(fd, 50) == 0 && pwrite(fd, text.data(), 200, 90) == 10);
        return 0;
    });
}

LINUX_TEST(a_file_of_memory_has_no_name_and_takes_seals) {
    const int fd = memfd_create("notes", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, "text", 4) == 4 && size_of(fd) == 4 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(fcntl(fd, F_GET_SEALS) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
    CHECK(ftruncate(fd, 2) == -1 && errno == EPERM);
    CHECK(ftruncate(fd, 9) == -1 && errno == EPERM);
    CHECK(pwrite(fd, "more", 4, 2) == -1 && errno == EPERM);
    CHECK(pwrite(fd, "T", 1, 0) == 1);
    void* const mapped = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(mapped != MAP_FAILED && std::memcmp(mapped, "Text", 4) == 0);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1 && errno == EBUSY);
    CHECK(munmap(mapped, 4096) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) == 0);
    CHECK(pwrite(fd, "t", 1, 0) == -1 && errno == EPERM);
    CHECK(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
    void* const looks = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(looks != MAP_FAILED);
    munmap(looks, 4096);
    CHECK(fcntl(fd, F_ADD_SEALS, 0x20 /* F_SEAL_EXEC */) == -1 && errno == EPERM);
    close(fd);
    const int plain = memfd_create("plain", 0);
    CHECK(fcntl(plain, F_GET_SEALS) == F_SEAL_SEAL);
    CHECK(fcntl(plain, F_ADD_SEALS, F_SEAL_WRITE) == -1 && errno == EPERM);
    close(plain);
    EXPECT(-EINVAL, SYS_memfd_create, "x", 0x8000);
    EXPECT(-EINVAL, SYS_memfd_create, std::string(250, 'n').c_str(), 0);
    EXPECT(-EFAULT, SYS_memfd_create, 8, 0);
}

LINUX_TEST(memory_says_whether_it_is_there) {
    auto* const memory =
        static_cast<char*>(mmap(nullptr, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    memory[4096] = 1;
    unsigned char there[3] = {9, 9, 9};
    CHECK(mincore(memory, 3 * 4096, there) == 0 && (there[0] & 1) == 0 && (there[1] & 1) == 1);
    CHECK(mincore(memory + 1, 4096, there) == -1 && errno == EINVAL);
    CHECK(mlock(memory, 3 * 4096) == 0 && mincore(memory, 3 * 4096, there) == 0 && (there[2] & 1) == 1);
    CHECK(munlock(memory, 3 * 4096) == 0 && msync(memory, 4096, MS_SYNC) == 0);
    CHECK(msync(memory, 4096, MS_SYNC | MS_ASYNC) == -1 && errno == EINVAL);
    CHECK(munmap(memory + 4096, 4096) == 0);
    CHECK(mincore(memory, 3 * 4096, there) == -1 && errno == ENOMEM);
    CHECK(msync(memory, 3 * 4096, MS_SYNC) == -1 && errno == ENOMEM);
    CHECK(mlock(memory, 3 * 4096) == -1 && errno == ENOMEM);
}

int main() { return run_all("positions"); }
