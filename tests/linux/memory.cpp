// Memory: the heap in its large and small forms, mappings and their limits.
#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <new>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <vector>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

constexpr std::size_t kPage = 4096;

char* map(std::size_t bytes, int protection, int flags = 0) {
    void* at = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return at == MAP_FAILED ? nullptr : static_cast<char*>(at);
}

sigjmp_buf back;
void jump_back(int) { siglongjmp(back, 1); }

// Whether touching the byte faults.
template <typename F>
bool faults(F&& touch) {
    struct sigaction action{}, old_segv{}, old_bus{};
    action.sa_handler = jump_back;
    action.sa_flags = SA_NODEFER;
    sigaction(SIGSEGV, &action, &old_segv);
    sigaction(SIGBUS, &action, &old_bus);
    bool faulted = true;
    if (sigsetjmp(back, 1) == 0) {
        touch();
        faulted = false;
    }
    sigaction(SIGSEGV, &old_segv, nullptr);
    sigaction(SIGBUS, &old_bus, nullptr);
    return faulted;
}
bool can_read(volatile char* at) {
    return !faults([=] { (void)*at; });
}
bool can_write(volatile char* at) {
    return !faults([=] { *at = 1; });
}

LINUX_TEST(heap) {
    std::vector<std::unique_ptr<char[]>> blocks;
    for (std::size_t i = 0; i < 3000; ++i) {
        const std::size_t bytes = 16 + i * 37 % 5000;
        blocks.push_back(std::make_unique<char[]>(bytes));
        std::memset(blocks.back().get(), static_cast<int>(i), bytes);
    }
    for (std::size_t i = 0; i < blocks.size(); i += 2)
        blocks[i].reset();
    for (std::size_t i = 1; i < blocks.size(); i += 2)
        CHECK(blocks[i][0] == static_cast<char>(i));
}

LINUX_TEST(large_blocks) {
    for (int round = 0; round < 3; ++round) {
        const std::size_t bytes = 24 << 20;
        char* block = static_cast<char*>(std::malloc(bytes));
        CHECK(block != nullptr);
        for (std::size_t at = 0; at < bytes; at += kPage)
            block[at] = static_cast<char>(at >> 12);
        CHECK(block[kPage * 100] == 100);
        block = static_cast<char*>(std::realloc(block, bytes * 2));
        CHECK(block != nullptr && block[kPage * 100] == 100);
        std::free(block);
    }
}

LINUX_TEST(too_much_is_refused) {
    bool refused = false;
    try {
        volatile std::size_t bytes = std::size_t{1} << 46;
        std::vector<char> enormous(bytes);
        enormous[bytes - 1] = 1;
        asm volatile("" : : "r"(enormous.data()) : "memory"); // SAFETY: nothing; the compiler may not leave it out
    } catch (const std::bad_alloc&) {
        refused = true;
    }
    CHECK(refused);
    EXPECT(-ENOMEM, SYS_mmap, 0, 1ul << 50, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

LINUX_TEST(reservation) {
    const std::size_t bytes = 256 << 20;
    char* base = map(bytes, PROT_NONE, MAP_NORESERVE);
    CHECK(base != nullptr);
    CHECK(munmap(base, bytes / 4) == 0);
    CHECK(munmap(base + bytes / 2, bytes / 2) == 0);
    CHECK(mprotect(base + bytes / 4, kPage * 4, PROT_READ | PROT_WRITE) == 0);
    base[bytes / 4 + kPage] = 5;
    CHECK(base[bytes / 4 + kPage] == 5);
    CHECK(!can_read(base + bytes / 4 + kPage * 4));
    CHECK(!can_read(base));
    CHECK(munmap(base + bytes / 4, bytes / 4) == 0);
}

LINUX_TEST(protection) {
    char* page = map(kPage * 2, PROT_READ | PROT_WRITE);
    page[0] = 'x';
    CHECK(mprotect(page, kPage, PROT_READ) == 0);
    CHECK(can_read(page));
    CHECK(!can_write(page));
    CHECK(can_write(page + kPage));
    CHECK(mprotect(page, kPage, PROT_NONE) == 0);
    CHECK(!can_read(page));
    CHECK(mprotect(page, kPage, PROT_READ | PROT_WRITE) == 0);
    CHECK(page[0] == 'x');
    munmap(page, kPage * 2);
    CHECK(!can_read(page));
    EXPECT(-ENOMEM, SYS_mprotect, page, kPage, PROT_READ);
    EXPECT(-EINVAL, SYS_mprotect, page + 1, kPage, PROT_READ);
    EXPECT(-EINVAL, SYS_mprotect, page, kPage, 0x40);
}

LINUX_TEST(execute) {
    static const unsigned char kReturn42[] = {0xb8, 42, 0, 0, 0, 0xc3}; // mov eax, 42; ret
    char* page = map(kPage, PROT_READ | PROT_WRITE);
    std::memcpy(page, kReturn42, sizeof(kReturn42));
    CHECK(faults([=] { reinterpret_cast<int (*)()>(page)(); })); // SAFETY: not executable: it must fault
    CHECK(mprotect(page, kPage, PROT_READ | PROT_EXEC) == 0);
    CHECK(reinterpret_cast<int (*)()>(page)() == 42); // SAFETY: the code above
    CHECK(!can_write(page));
    munmap(page, kPage);
}

LINUX_TEST(write_and_execute_at_once) {
    SKIP_UNLESS(on_aios(), "needs AIOS");
    constexpr int kAll = PROT_READ | PROT_WRITE | PROT_EXEC;
    EXPECT(-EACCES, SYS_mmap, nullptr, kPage, kAll, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char* page = map(kPage, PROT_READ | PROT_WRITE);
    EXPECT(-EACCES, SYS_mprotect, page, kPage, kAll);
    page[0] = 1;
    munmap(page, kPage);
}

LINUX_TEST(fixed) {
    char* area = map(kPage * 4, PROT_READ | PROT_WRITE);
    area[0] = area[kPage] = area[3 * kPage] = 1;
    CHECK(mmap(area + kPage, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
          area + kPage);
    CHECK(area[0] == 1 && area[kPage] == 0 && area[3 * kPage] == 1);
    EXPECT(-EEXIST, SYS_mmap, area, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    EXPECT(-EINVAL, SYS_mmap, area + 1, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    EXPECT(-EINVAL, SYS_mmap, 0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(-EINVAL, SYS_mmap, 0, kPage, PROT_READ, MAP_ANONYMOUS, -1, 0);
    EXPECT(-EBADF, SYS_mmap, 0, kPage, PROT_READ, MAP_PRIVATE, 99, 0);
    EXPECT(-EINVAL, SYS_munmap, area + 1, kPage);
    EXPECT(-EINVAL, SYS_munmap, area, 0);
    munmap(area, kPage * 4);
    EXPECT(0, SYS_munmap, area, kPage * 4); // nothing there: no error
}

LINUX_TEST(madvise) {
    char* area = map(kPage * 8, PROT_READ | PROT_WRITE);
    std::memset(area, 7, kPage * 8);
    CHECK(madvise(area + kPage, kPage * 2, MADV_DONTNEED) == 0);
    CHECK(area[0] == 7 && area[kPage] == 0 && area[2 * kPage] == 0 && area[3 * kPage] == 7);
    EXPECT(-EINVAL, SYS_madvise, area + 1, kPage, MADV_DONTNEED);
    EXPECT(-EINVAL, SYS_madvise, area, kPage, 12345);
    munmap(area, kPage * 8);
    EXPECT(-ENOMEM, SYS_madvise, area, kPage, MADV_DONTNEED);
}

LINUX_TEST(mremap) {
    char* area = map(kPage * 2, PROT_READ | PROT_WRITE);
    area[0] = 3;
    area[kPage] = 4;
    char* grown = static_cast<char*>(mremap(area, kPage * 2, kPage * 200, MREMAP_MAYMOVE));
    CHECK(grown != MAP_FAILED);
    CHECK(grown[0] == 3 && grown[kPage] == 4 && grown[kPage * 199] == 0);
    char* shrunk = static_cast<char*>(mremap(grown, kPage * 200, kPage, 0));
    CHECK(shrunk == grown && shrunk[0] == 3);
    CHECK(!can_read(grown + kPage));
    EXPECT(-EFAULT, SYS_mremap, grown + kPage * 8, kPage, kPage * 2, MREMAP_MAYMOVE);
    EXPECT(-EINVAL, SYS_mremap, grown + 1, kPage, kPage, 0);
    EXPECT(-EINVAL, SYS_mremap, grown, kPage, 0, 0);
    munmap(shrunk, kPage);
}

LINUX_TEST(brk) {
    const long start = raw(SYS_brk, 0);
    CHECK(raw(SYS_brk, start + 100000) == start + 100000);
    char* at = reinterpret_cast<char*>(start); // SAFETY: the kernel has just given it
    at[99999] = 1;
    CHECK(raw(SYS_brk, start + 1000) == start + 1000);
    CHECK(raw(SYS_brk, start + 100000) == start + 100000);
    CHECK(at[99999] == 0);
    CHECK(raw(SYS_brk, start) == start);
    CHECK(raw(SYS_brk, 1) == start);
}

LINUX_TEST(file_mappings) {
    TestFolder folder;
    const std::string path = folder.path("mapped");
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    std::string text(kPage + 100, 'a');
    CHECK(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    char* shared = static_cast<char*>(mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    char* copy = static_cast<char*>(mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    CHECK(shared != MAP_FAILED && copy != MAP_FAILED);
    CHECK(copy[10] == 'a' && shared[kPage + 99] == 'a' && shared[kPage + 100] == 0);
    shared[10] = 'b';
    CHECK(copy[10] == 'b');
    copy[10] = 'c';
    char byte = 0;
    CHECK(pread(fd, &byte, 1, 10) == 1 && byte == 'b');
    CHECK(ftruncate(fd, 50) == 0);
    CHECK(!can_read(shared + kPage)); // behind the end of the file
    CHECK(shared[60] == 0);
    munmap(shared, 2 * kPage);
    munmap(copy, 2 * kPage);
    close(fd);
    const int read_only = open(path.c_str(), O_RDONLY);
    EXPECT(-EACCES, SYS_mmap, 0, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, read_only, 0);
    EXPECT(-EINVAL, SYS_mmap, 0, kPage, PROT_READ, MAP_SHARED, read_only, 100);
    void* window = mmap(nullptr, kPage, PROT_READ, MAP_SHARED, read_only, 0);
    CHECK(window != MAP_FAILED);
    EXPECT(-EACCES, SYS_mprotect, window, kPage, PROT_READ | PROT_WRITE);
    munmap(window, kPage);
    close(read_only);
    const int write_only = open(path.c_str(), O_WRONLY);
    EXPECT(-EACCES, SYS_mmap, 0, kPage, PROT_READ, MAP_SHARED, write_only, 0);
    close(write_only);
}

LINUX_TEST(limits) {
    rlimit limit{};
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= 256);
    CHECK(getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur >= 1 << 20);
    EXPECT(-EINVAL, SYS_prlimit64, 0, 99, nullptr, &limit);
    rlimit wrong{5, 4};
    EXPECT(-EINVAL, SYS_prlimit64, 0, RLIMIT_NOFILE, &wrong, nullptr);
}

LINUX_TEST(deep_stack) {
    struct Deep {
        static int down(int depth) {
            volatile char room[4096];
            room[0] = static_cast<char>(depth);
            return depth == 0 ? 0 : down(depth - 1) + (room[0] == static_cast<char>(depth) ? 1 : 0);
        }
    };
    CHECK(Deep::down(1000) == 1000); // 4 MiB of stack
}

} // namespace

int main() { return run_all("memory"); }
