// The table of answered calls against reality: every call of coverage.def answers something other than ENOSYS, whatever
// its arguments; on AIOS every other number below 512 answers ENOSYS, and so do numbers that nobody has.
#include <fcntl.h>
#include <linux/futex.h>
#include <set>
#include <signal.h>
#include <sys/mman.h>
#include <thread>

#include "tests/linux/test.hpp"

using namespace linux_test;

namespace {

struct Row {
    int number;
    const char* name;
};
constexpr Row kRows[] = {
#define LINUX_CALL(number, name, tier, restart, answered, arguments) {number, #name},
#include "personality/linux/coverage.def"
#undef LINUX_CALL
};

// Calls that end or stop the caller, or change what the test stands on: tried in their own way.
const std::set<int> kTriedElsewhere = {SYS_exit,          SYS_exit_group,  SYS_rt_sigreturn, SYS_pause,
                                       SYS_rt_sigsuspend, SYS_fork,        SYS_vfork,        SYS_setsid,
                                       SYS_vhangup,       SYS_sethostname, SYS_setdomainname}; // Linux would do them
// Those that would be in earnest with these arguments get others.
const std::set<int> kWithBadDescriptor = {SYS_close, SYS_dup2, SYS_dup3, SYS_fchdir, SYS_close_range, SYS_ioctl};

long harmless(int number) {
    switch (number) {
    case SYS_brk:
        return raw(number, 0);
    case SYS_clone:
        return raw(number, 0x10000, 0, 0, 0, 0); // THREAD without SIGHAND: EINVAL
    case SYS_kill:
        return raw(number, getpid(), 0);
    case SYS_tkill:
        return raw(number, raw(SYS_gettid), 0);
    case SYS_umask: {
        const long old = raw(number, 022);
        raw(number, old);
        return old;
    }
    case SYS_arch_prctl:
        return raw(number, 0x9999, 0);
    case SYS_set_tid_address: // keep the library's own word
        return raw(number, 0) > 0 ? 0 : -1;
    case SYS_set_robust_list:
        return raw(number, 0, 1);
    case SYS_close_range:
        return raw(number, 5000, 6000, 0);
    case SYS_futex:
        return raw(number, 0, FUTEX_WAKE, 1, 0, 0, 0);
    case SYS_mmap:
        return raw(number, 0, 0, 0, 0, -1, 0);
    case SYS_ppoll: // without a time it would wait
        return raw(number, 8, 1, 8, 0, 0);
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
        return raw(number, 0, 0, 8, 8);
    default:
        if (kWithBadDescriptor.contains(number)) return raw(number, 4000, 4001, 0, 0, 0, 0);
        return raw(number, -1, 0, 0, 0, 0, 0);
    }
}

} // namespace

int main() {
    program = "calls";
    std::set<int> listed;
    for (const Row& row : kRows)
        listed.insert(row.number);

    run("table_is_ascending", [&] {
        int before = -1;
        for (const Row& row : kRows) {
            if (row.number <= before || row.number >= 512) failed("order", __LINE__, row.name);
            before = row.number;
        }
    });
    for (const Row& row : kRows) {
        if (kTriedElsewhere.contains(row.number)) continue;
        const bool is_optional = row.number == SYS_iopl || row.number == SYS_ioperm; // not in every Linux
        if (is_optional && !on_aios()) continue;
        run((std::string("listed_") + row.name).c_str(), [&] {
            const long result = harmless(row.number);
            if (result == -ENOSYS) failed("is answered", __LINE__, "ENOSYS");
        });
    }
    run("thread_exit", [] {
        bool ran = false;
        std::thread([&] {
            ran = true;
            pthread_exit(nullptr); // SYS_exit
        }).join();
        CHECK(ran);
    });
    if (on_aios()) {
        run("unlisted_numbers", [&] {
            for (int number = 0; number < 512; ++number) {
                if (listed.contains(number)) continue;
                const long result = raw(number, 0, 0, 0, 0, 0, 0);
                if (result != -ENOSYS) failed("is ENOSYS", __LINE__, std::to_string(number));
            }
            for (const long number : {512l, 600l, 4095l, -1l, 1l << 40}) {
                const long result = raw(number, 0, 0, 0, 0, 0, 0);
                if (number < 4096 && number >= 0 && result != -ENOSYS)
                    failed("is ENOSYS", __LINE__, std::to_string(number));
                if (result >= 0) failed("is refused", __LINE__, std::to_string(number));
            }
        });
    }
    return finish();
}
