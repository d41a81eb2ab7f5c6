// Waiting for others: processes by descriptors, locks whose owner died, waiters that are moved from futex to futex, and many
// messages in one call.
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <thread>

#include "tests/linux/child.hpp"

using namespace linux_test;

namespace {

#ifndef P_PIDFD
constexpr idtype_t kProcessFile = static_cast<idtype_t>(3);
#else
constexpr idtype_t kProcessFile = P_PIDFD;
#endif

bool is_ready(int fd, int milliseconds) {
    pollfd entry{fd, POLLIN, 0};
    return poll(&entry, 1, milliseconds) == 1 && (entry.revents & POLLIN) != 0;
}

} // namespace

LINUX_TEST(a_process_descriptor_waits_for_the_end) {
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(1);
    }
    const int fd = static_cast<int>(raw(SYS_pidfd_open, child, 0));
    CHECK(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 && !is_ready(fd, 0));
    EXPECT(0, SYS_pidfd_send_signal, fd, 0, nullptr, 0);
    EXPECT(-EINVAL, SYS_pidfd_send_signal, fd, 65, nullptr, 0);
    EXPECT(-EINVAL, SYS_pidfd_send_signal, fd, 0, nullptr, 1 << 10);
    EXPECT(-EBADF, SYS_pidfd_send_signal, 1, SIGTERM, nullptr, 0);
    EXPECT(0, SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0);
    CHECK(is_ready(fd, 10'000));
    siginfo_t info{};
    CHECK(waitid(kProcessFile, static_cast<id_t>(fd), &info, WEXITED) == 0);
    CHECK(info.si_pid == child && info.si_status == SIGKILL && info.si_code == CLD_KILLED);
    CHECK(is_ready(fd, 0));
    EXPECT(-ESRCH, SYS_pidfd_send_signal, fd, SIGTERM, nullptr, 0);
    close(fd);
    EXPECT(-EINVAL, SYS_pidfd_open, -1, 0);
    EXPECT(-EINVAL, SYS_pidfd_open, getpid(), 1);
    EXPECT(-ESRCH, SYS_pidfd_open, 1 << 21, 0);
}

LINUX_TEST(a_robust_lock_is_told_of_its_owners_death) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_t mutex;
    CHECK(pthread_mutex_init(&mutex, &attributes) == 0);
    std::thread([&] { pthread_mutex_lock(&mutex); }).join();
    CHECK(pthread_mutex_lock(&mutex) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
    // And one who waits already.
    std::atomic<bool> has_it{false};
    std::thread owner([&] {
        pthread_mutex_lock(&mutex);
        has_it = true;
        usleep(50'000);
    });
    while (!has_it)
        usleep(1000);
    CHECK(pthread_mutex_lock(&mutex) == EOWNERDEAD);
    owner.join();
    pthread_mutex_consistent(&mutex);
    pthread_mutex_unlock(&mutex);
    unsigned long head = 0, bytes = 0;
    EXPECT(0, SYS_get_robust_list, 0, &head, &bytes);
    CHECK(head != 0 && bytes == 24);
    EXPECT(-ESRCH, SYS_get_robust_list, 1 << 21, &head, &bytes);
    EXPECT(-EINVAL, SYS_set_robust_list, head, 25);
}

LINUX_TEST(waiters_are_moved_and_woken_where_they_are) {
    static std::uint32_t first = 0, second = 0;
    std::atomic<int> woken{0};
    std::thread threads[3];
    for (auto& thread : threads)
        thread = std::thread([&] {
            raw(SYS_futex, &first, FUTEX_WAIT_PRIVATE, 0, nullptr);
            ++woken;
        });
    long moved = 0;
    while (moved != 3) { // until all of them wait
        EXPECT(-EAGAIN, SYS_futex, &first, FUTEX_CMP_REQUEUE_PRIVATE, 0, 9, &second, 1);
        moved += raw(SYS_futex, &first, FUTEX_CMP_REQUEUE_PRIVATE, 0, 9, &second, 0);
        usleep(1000);
    }
    EXPECT(0, SYS_futex, &first, FUTEX_WAKE_PRIVATE, 9);
    CHECK(woken == 0);
    // Adds 5 to the second word, and wakes one there because it was 0.
    constexpr unsigned kAddFiveIfZero = FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 0);
    EXPECT(1, SYS_futex, &first, FUTEX_WAKE_OP_PRIVATE, 1, 1, &second, kAddFiveIfZero);
    CHECK(second == 5);
    EXPECT(0, SYS_futex, &first, FUTEX_WAKE_OP_PRIVATE, 1, 1, &second, kAddFiveIfZero);
    CHECK(second == 10);
    EXPECT(2, SYS_futex, &second, FUTEX_WAKE_PRIVATE, 9);
    for (auto& thread : threads)
        thread.join();
    CHECK(woken == 3);
}

LINUX_TEST(many_messages_go_in_one_call) {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
    char texts[3][4] = {"a", "bb", "ccc"};
    iovec out[3], in[4];
    mmsghdr messages[4] = {};
    for (size_t i = 0; i < 3; ++i) {
        out[i] = {texts[i], i + 1};
        messages[i].msg_hdr.msg_iov = &out[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    CHECK(sendmmsg(ends[0], messages, 3, 0) == 3 && messages[2].msg_len == 3);
    char got[4][8] = {};
    for (size_t i = 0; i < 4; ++i) {
        in[i] = {got[i], sizeof(got[i])};
        messages[i] = {};
        messages[i].msg_hdr.msg_iov = &in[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    CHECK(recvmmsg(ends[1], messages, 4, MSG_WAITFORONE, nullptr) == 3);
    CHECK(messages[1].msg_len == 2 && std::string(got[2]) == "ccc");
    CHECK(recvmmsg(ends[1], messages, 4, MSG_DONTWAIT, nullptr) == -1 && errno == EAGAIN);
    CHECK(sendmmsg(99, messages, 1, 0) == -1 && errno == EBADF);
    close(ends[0]);
    close(ends[1]);
}

int main() { return run_all("watching"); }
