// The shared object in a program's memory that tells the time without a call.
#include <atomic>
#include <ctime>
#include <elf.h>
#include <fstream>
#include <link.h>
#include <string>
#include <string_view>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <thread>
#include <vector>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

char* image() {
    return reinterpret_cast<char*>(getauxval(AT_SYSINFO_EHDR));
} // SAFETY: the kernel says that it is there

// A function of it by its name, as a C library looks for it; null: there is none.
void* find(std::string_view name) {
    const auto* head = reinterpret_cast<const Elf64_Ehdr*>(image());
    const auto* rows = reinterpret_cast<const Elf64_Phdr*>(image() + head->e_phoff);
    const Elf64_Sym* symbols = nullptr;
    const char* strings = nullptr;
    const std::uint32_t* hash = nullptr;
    const char* base = image();
    for (int i = 0; i < head->e_phnum; ++i)
        if (rows[i].p_type == PT_LOAD) base = image() + rows[i].p_offset - rows[i].p_vaddr;
    for (int i = 0; i < head->e_phnum; ++i) {
        if (rows[i].p_type != PT_DYNAMIC) continue;
        for (const auto* at = reinterpret_cast<const Elf64_Dyn*>(base + rows[i].p_vaddr); at->d_tag != DT_NULL; ++at) {
            const char* there = base + at->d_un.d_ptr;
            if (at->d_tag == DT_SYMTAB) symbols = reinterpret_cast<const Elf64_Sym*>(there);
            if (at->d_tag == DT_STRTAB) strings = there;
            if (at->d_tag == DT_HASH) hash = reinterpret_cast<const std::uint32_t*>(there);
        }
    }
    if (symbols == nullptr || strings == nullptr || hash == nullptr) return nullptr;
    for (std::uint32_t i = 0; i < hash[1]; ++i)
        if (strings + symbols[i].st_name == name) return const_cast<char*>(base) + symbols[i].st_value;
    return nullptr;
}

bool is_not_later(const timespec& a, const timespec& b) {
    return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec <= b.tv_nsec);
}

using GetTime = int (*)(clockid_t, timespec*);

LINUX_TEST(says_what_the_kernel_says) {
    SKIP_UNLESS(image() != nullptr, "this Linux has none");
    const auto get_time = reinterpret_cast<GetTime>(find("__vdso_clock_gettime"));
    CHECK(get_time != nullptr);
    if (get_time == nullptr) return;
    for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME}) {
        for (int i = 0; i < 2000; ++i) { // in turns they never go back
            timespec a{}, b{}, c{};
            CHECK(raw(SYS_clock_gettime, clock, &a) == 0);
            CHECK(get_time(clock, &b) == 0);
            CHECK(raw(SYS_clock_gettime, clock, &c) == 0);
            CHECK(is_not_later(a, b) && is_not_later(b, c) && b.tv_nsec < 1'000'000'000);
        }
    }
    timespec time{}; // what it does not know it asks for
    CHECK(get_time(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 && time.tv_sec + time.tv_nsec > 0);
    CHECK(get_time(77, &time) == -EINVAL);
}

LINUX_TEST(other_functions) {
    SKIP_UNLESS(image() != nullptr, "this Linux has none");
    const auto day = reinterpret_cast<int (*)(timeval*, void*)>(find("__vdso_gettimeofday"));
    const auto seconds = reinterpret_cast<time_t (*)(time_t*)>(find("__vdso_time"));
    CHECK(day != nullptr && seconds != nullptr);
    if (day == nullptr || seconds == nullptr) return;
    timeval a{}, b{}, c{};
    CHECK(raw(SYS_gettimeofday, &a, nullptr) == 0 && day(&b, nullptr) == 0 && raw(SYS_gettimeofday, &c, nullptr) == 0);
    CHECK(!timercmp(&b, &a, <) && !timercmp(&c, &b, <) && b.tv_usec < 1'000'000);
    struct timezone zone{};
    CHECK(day(&b, &zone) == 0);
    const time_t before = raw(SYS_time, nullptr), now = seconds(nullptr);
    time_t kept = 0;
    CHECK(now >= before && now <= before + 2 && seconds(&kept) >= now && kept >= now);
}

// On every CPU and in every thread the same clock.
LINUX_TEST(same_in_all_threads) {
    std::vector<std::thread> threads;
    std::atomic<std::uint64_t> last{0};
    std::atomic<int> wrong{0};
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int k = 0; k < 20'000; ++k) {
                const std::uint64_t seen = last.load();
                timespec time{};
                clock_gettime(CLOCK_MONOTONIC, &time);
                const std::uint64_t ns = static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
                if (ns < seen) ++wrong;
                std::uint64_t old = seen;
                while (old < ns && !last.compare_exchange_weak(old, ns)) {
                }
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(wrong == 0);
}

LINUX_TEST(nobody_can_change_it) {
    SKIP_UNLESS(on_aios(), "needs AIOS"); // Linux lets a program change its own copy
    EXPECT(-EACCES, SYS_mprotect, image(), 4096, PROT_READ | PROT_WRITE);
    const pid_t child = fork();
    if (child == 0) {
        *const_cast<volatile char*>(image()) = 1;
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    CHECK(memcmp(image(), ELFMAG, SELFMAG) == 0);
}

LINUX_TEST(stands_in_the_list_of_mappings) {
    SKIP_UNLESS(image() != nullptr, "this Linux has none");
    std::ifstream maps("/proc/self/maps");
    std::string line;
    bool found = false;
    while (std::getline(maps, line))
        found = found || (line.ends_with("[vdso]") && line.find(" r-xp ") != std::string::npos &&
                          std::stoul(line, nullptr, 16) == getauxval(AT_SYSINFO_EHDR));
    CHECK(found);
}

} // namespace

int main() { return run_all("vdso"); }
