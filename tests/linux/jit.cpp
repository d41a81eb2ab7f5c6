// Memory that is writable and executable at once, as just-in-time compilers have it. On AIOS this program is started with
// the capability `jit` (init.cpp); memory.cpp shows what happens without.
#include <cstdint>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

constexpr int kAll = PROT_READ | PROT_WRITE | PROT_EXEC;
constexpr std::size_t kPage = 4096;

// Makes a function that answers `value`: mov eax, imm32; ret.
void write_function(void* at, std::uint32_t value) {
    const unsigned char code[] = {0xb8,
                                  static_cast<unsigned char>(value),
                                  static_cast<unsigned char>(value >> 8),
                                  static_cast<unsigned char>(value >> 16),
                                  static_cast<unsigned char>(value >> 24),
                                  0xc3};
    std::memcpy(at, code, sizeof(code));
}
std::uint32_t call(void* at) {
    return reinterpret_cast<std::uint32_t (*)()>(at)();
} // SAFETY: write_function() was there

void* map(int protection, std::size_t bytes = kPage) {
    return mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

// What this program does when it is executed once more.
int again() {
    void* page = map(kAll);
    if (page == MAP_FAILED) return 1;
    write_function(page, 21);
    return static_cast<int>(call(page));
}

LINUX_TEST(anonymous) {
    void* page = map(kAll);
    CHECK(page != MAP_FAILED);
    for (std::uint32_t value = 1; value < 1000; value *= 3) { // written and executed in turns
        write_function(page, value);
        CHECK(call(page) == value);
    }
    CHECK(munmap(page, kPage) == 0);
}

LINUX_TEST(protected_later) {
    void* page = map(PROT_READ | PROT_WRITE);
    write_function(page, 7);
    CHECK(mprotect(page, kPage, kAll) == 0);
    CHECK(call(page) == 7);
    write_function(page, 8);
    CHECK(call(page) == 8);
    CHECK(mprotect(page, kPage, PROT_READ | PROT_EXEC) == 0 && call(page) == 8);
    CHECK(munmap(page, kPage) == 0);
}

LINUX_TEST(part_of_a_reservation) {
    constexpr std::size_t kReserved = std::size_t{128} << 30;
    void* all = map(PROT_NONE, kReserved);
    CHECK(all != MAP_FAILED);
    auto* piece = static_cast<char*>(all) + (std::size_t{77} << 30);
    CHECK(mprotect(piece, 16 * kPage, kAll) == 0);
    write_function(piece + 3 * kPage, 42);
    CHECK(call(piece + 3 * kPage) == 42);
    CHECK(munmap(all, kReserved) == 0);
}

LINUX_TEST(own_copy_of_a_file) {
    const int file = open("/proc/self/exe", O_RDONLY);
    CHECK(file >= 0);
    void* page = mmap(nullptr, kPage, kAll, MAP_PRIVATE, file, 0);
    CHECK(page != MAP_FAILED);
    write_function(page, 99);
    CHECK(call(page) == 99);
    char first = 0;
    CHECK(pread(file, &first, 1, 0) == 1 && first == 0x7f); // the file stays as it is
    CHECK(munmap(page, kPage) == 0 && close(file) == 0);
}

LINUX_TEST(children_have_it) {
    void* page = map(kAll);
    write_function(page, 5);
    const pid_t child = fork();
    if (child == 0) {
        write_function(page, 6); // its own copy
        void* other = map(kAll);
        if (call(page) != 6 || other == MAP_FAILED) _exit(1);
        write_function(other, 3);
        _exit(call(other) == 3 ? 0 : 2);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(call(page) == 5);
    CHECK(munmap(page, kPage) == 0);
}

LINUX_TEST(kept_over_execve) {
    const pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "jit", "again", nullptr);
        _exit(120);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 21);
}

} // namespace

int main(int argc, char**) { return argc == 2 ? again() : run_all("jit"); }
