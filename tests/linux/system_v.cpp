// System V message queues, semaphores and shared memory.
#include <cstdint>
#include <ctime>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "tests/linux/child.hpp"

using namespace linux_test;

namespace {

struct Message {
    long type;
    char text[16];
};

union Argument {
    int value;
    unsigned short* values;
    semid_ds* state;
};

int new_queue() { return msgget(IPC_PRIVATE, 0600); }
int new_set(int count) { return semget(IPC_PRIVATE, count, 0600); }
int step(int set, short change, short flags = 0) {
    sembuf one{0, change, flags};
    return semop(set, &one, 1);
}

} // namespace

LINUX_TEST(messages_are_taken_in_order_or_by_type) {
    const int queue = new_queue();
    CHECK(queue >= 0);
    for (long type : {3, 1, 2}) {
        const Message message{type, "hello"};
        CHECK(msgsnd(queue, &message, static_cast<size_t>(5 + type), 0) == 0);
    }
    Message got{};
    CHECK(msgrcv(queue, &got, sizeof(got.text), 2, 0) == 7 && got.type == 2);
    CHECK(msgrcv(queue, &got, sizeof(got.text), -3, 0) == 6 && got.type == 1);
    CHECK(msgrcv(queue, &got, sizeof(got.text), 3, IPC_NOWAIT | MSG_EXCEPT) == -1 && errno == ENOMSG);
    CHECK(msgrcv(queue, &got, 2, 0, 0) == -1 && errno == E2BIG);
    CHECK(msgrcv(queue, &got, 2, 0, MSG_NOERROR) == 2 && got.type == 3);
    CHECK(msgrcv(queue, &got, sizeof(got.text), 0, IPC_NOWAIT) == -1 && errno == ENOMSG);
    const Message bad{0, ""};
    CHECK(msgsnd(queue, &bad, 1, 0) == -1 && errno == EINVAL);
    CHECK(msgsnd(queue, &bad, 1 << 20, 0) == -1 && errno == EINVAL);
    CHECK(msgctl(queue, IPC_RMID, nullptr) == 0);
    CHECK(msgctl(queue, IPC_RMID, nullptr) == -1 && errno == EINVAL);
}

LINUX_TEST(a_full_queue_waits_and_its_end_is_heard) {
    const int queue = new_queue();
    static char big[8192 + sizeof(long)] = {1};
    CHECK(msgsnd(queue, big, 8192, 0) == 0 && msgsnd(queue, big, 8192, 0) == 0);
    CHECK(msgsnd(queue, big, 1, IPC_NOWAIT) == -1 && errno == EAGAIN);
    msqid_ds state{};
    CHECK(msgctl(queue, IPC_STAT, &state) == 0 && state.msg_qnum == 2 && state.msg_lspid == getpid());
    const pid_t child = fork();
    if (child == 0) {
        static char more[8192 + sizeof(long)] = {1};
        _exit(msgsnd(queue, more, 8192, 0) == -1 && errno == EIDRM ? 0 : 1);
    }
    usleep(50'000);
    CHECK(msgctl(queue, IPC_RMID, nullptr) == 0);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

LINUX_TEST(keys_find_what_is_there) {
    const key_t key = 0x41494f53;
    const int made = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(made >= 0 && msgget(key, 0) == made && msgget(key, IPC_CREAT | 0600) == made);
    CHECK(msgget(key, IPC_CREAT | IPC_EXCL) == -1 && errno == EEXIST);
    CHECK(msgctl(made, IPC_RMID, nullptr) == 0);
    CHECK(msgget(key, 0) == -1 && errno == ENOENT);
    const int queue = new_queue();
    CHECK_IN_CHILD([&] {
        HOLDS(setresuid(4242, 4242, 4242) == 0);
        msqid_ds state{};
        HOLDS(msgctl(queue, IPC_STAT, &state) == -1 && errno == EACCES);
        HOLDS(msgctl(queue, IPC_RMID, nullptr) == -1 && errno == EPERM);
        return 0;
    });
    CHECK(msgctl(queue, IPC_RMID, nullptr) == 0);
}

LINUX_TEST(semaphores_step_together_or_not_at_all) {
    const int set = new_set(2);
    CHECK(set >= 0);
    unsigned short values[2] = {5, 0};
    Argument argument{};
    argument.values = values;
    CHECK(semctl(set, 0, SETALL, argument) == 0);
    sembuf both[2] = {{0, -2, 0}, {1, -1, IPC_NOWAIT}};
    CHECK(semop(set, both, 2) == -1 && errno == EAGAIN && semctl(set, 0, GETVAL) == 5);
    both[1].sem_op = 4;
    CHECK(semop(set, both, 2) == 0 && semctl(set, 0, GETVAL) == 3 && semctl(set, 1, GETVAL) == 4);
    CHECK(semctl(set, 1, GETPID) == getpid());
    both[1] = {2, 1, 0};
    CHECK(semop(set, both, 2) == -1 && errno == EFBIG);
    CHECK(step(set, 32767) == -1 && errno == ERANGE);
    CHECK(semop(set, both, 0) == -1 && errno == EINVAL);
    argument.value = 40'000;
    CHECK(semctl(set, 0, SETVAL, argument) == -1 && errno == ERANGE);
    const timespec soon{0, 20'000'000};
    sembuf zero{0, 0, 0};
    CHECK(semtimedop(set, &zero, 1, &soon) == -1 && errno == EAGAIN);
    CHECK(semctl(set, 0, IPC_RMID) == 0);
}

LINUX_TEST(a_waiter_is_counted_woken_and_told_of_the_end) {
    const int set = new_set(1);
    const pid_t child = fork();
    if (child == 0) {
        const bool went_on = step(set, -1) == 0;
        _exit(went_on && step(set, -1) == -1 && errno == EIDRM ? 0 : 1);
    }
    while (semctl(set, 0, GETNCNT) != 1)
        usleep(1000);
    CHECK(step(set, 1) == 0);
    // The value first: while it is not taken, the one that is counted may be the first wait still.
    while (semctl(set, 0, GETVAL) != 0 || semctl(set, 0, GETNCNT) != 1)
        usleep(1000);
    CHECK(semctl(set, 0, IPC_RMID) == 0);
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

LINUX_TEST(undo_is_done_when_the_process_ends) {
    const int set = new_set(1);
    CHECK(step(set, 3) == 0);
    CHECK_IN_CHILD([&] {
        HOLDS(step(set, -2, SEM_UNDO) == 0 && semctl(set, 0, GETVAL) == 1);
        return 0;
    });
    CHECK(semctl(set, 0, GETVAL) == 3);
    CHECK(semctl(set, 0, IPC_RMID) == 0);
}

LINUX_TEST(a_segment_is_shared_and_counted) {
    const int id = shmget(IPC_PRIVATE, 10'000, 0600);
    CHECK(id >= 0);
    auto* const memory = static_cast<volatile int*>(shmat(id, nullptr, 0));
    CHECK(memory != reinterpret_cast<void*>(-1));
    memory[0] = 1;
    CHECK_IN_CHILD([&] {
        shmid_ds state{};
        HOLDS(shmctl(id, IPC_STAT, &state) == 0 && state.shm_nattch == 2 && state.shm_segsz == 10'000);
        memory[0] = memory[0] + 1;
        auto* const again = static_cast<volatile int*>(shmat(id, nullptr, SHM_RDONLY));
        HOLDS(again[0] == 2 && again != memory);
        return 0;
    });
    CHECK(memory[0] == 2);
    shmid_ds state{};
    CHECK(shmctl(id, IPC_STAT, &state) == 0 && state.shm_nattch == 1 && state.shm_cpid == getpid());
    CHECK(shmat(id, const_cast<int*>(memory) + 1, 0) == reinterpret_cast<void*>(-1) && errno == EINVAL);
    CHECK(shmctl(id, IPC_RMID, nullptr) == 0);
    memory[1] = 7; // attached memory stays
    CHECK(shmdt(const_cast<int*>(memory)) == 0);
    CHECK(shmdt(const_cast<int*>(memory)) == -1 && errno == EINVAL);
    CHECK(shmat(id, nullptr, 0) == reinterpret_cast<void*>(-1) && errno == EINVAL);
    CHECK(shmget(IPC_PRIVATE, 0, 0600) == -1 && errno == EINVAL);
}

int main() { return run_all("system_v"); }
