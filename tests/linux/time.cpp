// Clocks, sleeping and what a program is told about the system.
#include <chrono>
#include <ctime>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <thread>

#include "tests/linux/test.hpp"

using namespace linux_test;
using namespace std::chrono_literals;

int main() {
    program = "time";
    run("clocks_advance", [] {
        for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
                                      CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME}) {
            timespec a{}, b{}, resolution{};
            CHECK(raw(SYS_clock_gettime, clock, &a) == 0);
            std::this_thread::sleep_for(20ms);
            CHECK(raw(SYS_clock_gettime, clock, &b) == 0);
            const long ns = (b.tv_sec - a.tv_sec) * 1'000'000'000 + b.tv_nsec - a.tv_nsec;
            CHECK(ns >= 8'000'000 && ns < 60'000'000'000);
            CHECK(clock_getres(clock, &resolution) == 0 && resolution.tv_sec == 0);
        }
        timespec time{};
        EXPECT(-EINVAL, SYS_clock_gettime, 77, &time);
        EXPECT(-EFAULT, SYS_clock_gettime, CLOCK_MONOTONIC, 8);
    });
    run("monotonic_never_goes_back", [] {
        auto last = std::chrono::steady_clock::now();
        for (int i = 0; i < 20000; ++i) {
            const auto now = std::chrono::steady_clock::now();
            if (now < last) failed("went back", __LINE__);
            last = now;
        }
    });
    run("cpu_clocks", [] {
        timespec before{}, after{}, of_process{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
        volatile unsigned long sum = 0;
        do {
            for (int i = 0; i < 100000; ++i)
                sum = sum + static_cast<unsigned long>(i);
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
        } while (after.tv_sec == before.tv_sec && after.tv_nsec - before.tv_nsec < 2'000'000);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &of_process);
        CHECK(of_process.tv_sec * 1'000'000'000 + of_process.tv_nsec > 1'000'000);
        rusage usage{};
        CHECK(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > 0);
    });
    run("sleeps", [] {
        const auto before = std::chrono::steady_clock::now();
        const timespec time{0, 30'000'000};
        CHECK(nanosleep(&time, nullptr) == 0);
        CHECK(std::chrono::steady_clock::now() - before >= 30ms);
        timespec until{};
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += 20'000'000;
        if (until.tv_nsec >= 1'000'000'000) {
            until.tv_nsec -= 1'000'000'000;
            ++until.tv_sec;
        }
        CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == 0);
        timespec now{};
        clock_gettime(CLOCK_MONOTONIC, &now);
        CHECK(now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
        const timespec past{0, 0}, bad{0, 1'000'000'000}, negative{-1, 0};
        EXPECT(0, SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &past, nullptr);
        EXPECT(-EINVAL, SYS_nanosleep, &bad, nullptr);
        EXPECT(-EINVAL, SYS_nanosleep, &negative, nullptr);
        EXPECT(-EFAULT, SYS_nanosleep, 8, nullptr);
    });
    run("wall_clock", [] {
        timeval value{};
        CHECK(gettimeofday(&value, nullptr) == 0);
        CHECK(std::abs(value.tv_sec - std::time(nullptr)) <= 1);
        CHECK(value.tv_sec > 1'577'836'800); // 2020
        const auto now = std::chrono::system_clock::now();
        CHECK(std::chrono::floor<std::chrono::days>(now).time_since_epoch().count() > 18000);
    });
    run("system", [] {
        utsname name{};
        CHECK(uname(&name) == 0);
        CHECK(std::string(name.sysname) == "Linux" && std::string(name.machine) == "x86_64");
        struct sysinfo info{};
        CHECK(sysinfo(&info) == 0 && info.totalram > 0 && info.freeram <= info.totalram && info.mem_unit >= 1);
        CHECK(sysconf(_SC_PAGESIZE) == 4096 && sysconf(_SC_CLK_TCK) == 100);
        CHECK(getuid() == geteuid() && getgid() == getegid());
    });
    run("random_bytes", [] {
        unsigned char a[32]{}, b[32]{};
        CHECK(getrandom(a, sizeof(a), 0) == 32 && getrandom(b, sizeof(b), GRND_NONBLOCK) == 32);
        CHECK(std::memcmp(a, b, 32) != 0);
        EXPECT(-EINVAL, SYS_getrandom, a, 1, 0x80);
        EXPECT(-EFAULT, SYS_getrandom, 8, 32, 0);
    });
    return finish();
}
