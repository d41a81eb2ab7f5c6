// Mappings that are moved to a place that is named, or leave an empty one behind; what a child gets of a mapping.
#include <cstdint>
#include <fcntl.h>
#include <sys/mman.h>

#include "tests/linux/child.hpp"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

namespace {

using namespace linux_test;

constexpr std::size_t kPage = 4096;
char* map(std::size_t pages, int flags = MAP_PRIVATE) {
    return static_cast<char*>(mmap(nullptr, pages * kPage, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0));
}
bool is_mapped(const void* at) {
    unsigned char there;
    return mincore(const_cast<void*>(at), 1, &there) == 0;
}
long move(void* from, std::size_t old_bytes, std::size_t new_bytes, int flags, void* to = nullptr) {
    return raw(SYS_mremap, from, old_bytes, new_bytes, flags, to);
}

LINUX_TEST(to_a_place) {
    for (const int flags : {MAP_PRIVATE, MAP_SHARED}) {
        char* const from = map(4, flags);
        char* const area = map(8);
        std::memset(area, 'o', 8 * kPage);
        for (std::size_t i = 0; i < 4; ++i)
            from[i * kPage] = static_cast<char>('a' + i);
        char* const to = area + 2 * kPage;
        CHECK(move(from, 4 * kPage, 4 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED, to) == word(to));
        CHECK(!is_mapped(from) && !is_mapped(from + 3 * kPage));
        for (std::size_t i = 0; i < 4; ++i)
            CHECK(to[i * kPage] == static_cast<char>('a' + i) && to[i * kPage + 1] == 0);
        CHECK(area[kPage] == 'o' && area[6 * kPage] == 'o'); // what lies beside it stays
        munmap(area, 8 * kPage);
    }
}

LINUX_TEST(larger_and_smaller) {
    char* const from = map(4);
    char* const area = map(8);
    from[0] = 'a';
    from[3 * kPage] = 'd';
    CHECK(move(from, 4 * kPage, 6 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED, area) == word(area));
    CHECK(area[0] == 'a' && area[3 * kPage] == 'd' && area[5 * kPage] == 0);
    area[5 * kPage] = 'f';
    char* const other = map(8);
    CHECK(move(area, 6 * kPage, 2 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED, other) == word(other));
    CHECK(other[0] == 'a' && !is_mapped(area) && !is_mapped(area + 5 * kPage));
    CHECK(is_mapped(area + 7 * kPage));
    // Out of the middle, to another part of the same mapping.
    char* const whole = map(9);
    for (std::size_t i = 0; i < 9; ++i)
        whole[i * kPage] = static_cast<char>('0' + i);
    CHECK(move(whole + 6 * kPage, 2 * kPage, 2 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED, whole + kPage) ==
          word(whole + kPage));
    CHECK(whole[0] == '0' && whole[kPage] == '6' && whole[2 * kPage] == '7' && whole[3 * kPage] == '3');
    CHECK(!is_mapped(whole + 6 * kPage) && !is_mapped(whole + 7 * kPage) && whole[8 * kPage] == '8');
    munmap(whole, 9 * kPage);
    munmap(other, 8 * kPage);
    munmap(area, 8 * kPage);
}

LINUX_TEST(moves_that_are_refused) {
    char* const from = map(4);
    char* const to = map(4);
    CHECK(move(from, 4 * kPage, 4 * kPage, MREMAP_FIXED, to) == -EINVAL);
    CHECK(move(from, 4 * kPage, 4 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED, to + 1) == -EINVAL);
    CHECK(move(from, 4 * kPage, 4 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED, from + kPage) == -EINVAL);
    CHECK(move(from + kPage, 2 * kPage, 4 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED, from) == -EINVAL);
    CHECK(move(from, 4 * kPage, 4 * kPage, 8, to) == -EINVAL);
    CHECK(move(from, 4 * kPage, 0, MREMAP_MAYMOVE | MREMAP_FIXED, to) == -EINVAL);
    CHECK(move(from, 4 * kPage, 4 * kPage, MREMAP_DONTUNMAP) == -EINVAL);
    CHECK(move(from, 4 * kPage, 2 * kPage, MREMAP_MAYMOVE | MREMAP_DONTUNMAP) == -EINVAL);
    munmap(from, 4 * kPage);
    CHECK(move(from, 4 * kPage, 4 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED, to) == -EFAULT);
    munmap(to, 4 * kPage);
}

LINUX_TEST(no_room_to_grow) {
    char* const area = map(4);
    munmap(area + 3 * kPage, kPage);
    mmap(area + 3 * kPage, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(move(area, 3 * kPage, 4 * kPage, 0) == -ENOMEM);
    munmap(area + kPage, kPage);
    CHECK(move(area, 3 * kPage, 4 * kPage, 0) == -EFAULT);
    munmap(area, 4 * kPage);
}

LINUX_TEST(what_is_advised_and_mapped) {
    char* const area = map(3);
    char* const shared = map(1, MAP_SHARED);
    CHECK(madvise(area, 3 * kPage, MADV_FREE) == 0 && madvise(area, 3 * kPage, MADV_WILLNEED) == 0);
    CHECK(madvise(shared, kPage, MADV_FREE) == -1 && errno == EINVAL);
    munmap(area + kPage, kPage);
    CHECK(madvise(area, 3 * kPage, MADV_NORMAL) == -1 && errno == ENOMEM);
    EXPECT(-EBADF, SYS_mmap, 0, 0, PROT_READ, MAP_SHARED, 999, 0);
    EXPECT(-EINVAL, SYS_mmap, 0, kPage, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0);
    const int file = open("/proc/self/exe", O_RDONLY);
    EXPECT(-EOPNOTSUPP, SYS_mmap, 0, kPage, PROT_READ, MAP_SHARED_VALIDATE | 1 << 21, file, 0);
    const long mapped = raw(SYS_mmap, 0, kPage, PROT_READ, MAP_SHARED_VALIDATE, file, 0);
    CHECK(mapped > 0 && raw(SYS_munmap, mapped, kPage) == 0);
    close(file);
    munmap(area, 3 * kPage);
    munmap(shared, kPage);
}

LINUX_TEST(an_empty_one_stays) {
    char* const from = map(3);
    std::memset(from, 'a', 3 * kPage);
    const long moved = move(from, 3 * kPage, 3 * kPage, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
    SKIP_UNLESS(moved != -EINVAL, "no MREMAP_DONTUNMAP");
    auto* const to = reinterpret_cast<char*>(moved); // SAFETY: an address, as the kernel tells it
    CHECK(to != from && to[0] == 'a' && to[3 * kPage - 1] == 'a');
    CHECK(from[0] == 0 && from[3 * kPage - 1] == 0);
    from[0] = 'b';
    CHECK(to[0] == 'a');
    char* const place = map(3);
    CHECK(move(to, 3 * kPage, 3 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, place) == word(place));
    CHECK(place[5] == 'a' && to[5] == 0);
    for (char* at : {from, to, place})
        munmap(at, 3 * kPage);
}

LINUX_TEST(what_a_child_gets) {
    char* const memory = map(6);
    std::memset(memory, 'p', 6 * kPage);
    CHECK(madvise(memory + kPage, kPage, MADV_WIPEONFORK) == 0);
    CHECK(madvise(memory + 3 * kPage, 2 * kPage, MADV_DONTFORK) == 0);
    CHECK_IN_CHILD([&] {
        HOLDS(memory[0] == 'p' && memory[2 * kPage] == 'p' && memory[5 * kPage] == 'p');
        HOLDS(memory[kPage] == 0 && memory[2 * kPage - 1] == 0);
        HOLDS(!is_mapped(memory + 3 * kPage) && !is_mapped(memory + 4 * kPage));
        memory[kPage] = 'c';
        HOLDS(in_child([&] { return memory[kPage] == 0 ? 0 : 1; }) == 0); // it goes on to its children
        HOLDS(memory[kPage] == 'c');
        return 0;
    });
    CHECK(memory[kPage] == 'p' && memory[3 * kPage] == 'p');
    CHECK(madvise(memory, 6 * kPage, MADV_KEEPONFORK) == 0 && madvise(memory, 6 * kPage, MADV_DOFORK) == 0);
    CHECK_IN_CHILD([&] {
        for (std::size_t i = 0; i < 6 * kPage; i += 512)
            HOLDS(memory[i] == 'p');
        return 0;
    });
    char* const shared = map(1, MAP_SHARED);
    CHECK(madvise(shared, kPage, MADV_WIPEONFORK) == -1 && errno == EINVAL);
    CHECK(madvise(shared, kPage, MADV_DONTFORK) == 0);
    munmap(shared, kPage);
    CHECK(madvise(shared, kPage, MADV_DONTFORK) == -1 && errno == ENOMEM);
    munmap(memory, 6 * kPage);
}

} // namespace

int main() { return run_all("moves"); }
