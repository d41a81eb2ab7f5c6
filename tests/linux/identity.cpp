// Users, groups and capabilities: what a process says that it is, and what follows for files and signals once it has given
// user 0 up.
#include <csignal>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "tests/linux/child.hpp"

using namespace linux_test;

namespace {

constexpr uid_t kSomebody = 4242, kOther = 4343;

int become(uid_t user) {
    return setgroups(0, nullptr) == 0 && setresgid(user, user, user) == 0 && setresuid(user, user, user) == 0 ? 0 : -1;
}

bool makes(const std::string& path, mode_t mode) {
    const int fd = open(path.c_str(), O_CREAT | O_WRONLY, mode);
    return fd >= 0 && write(fd, "text", 4) == 4 && close(fd) == 0 && chmod(path.c_str(), mode) == 0;
}

} // namespace

LINUX_TEST(numbers_follow_the_rules_of_setuid) {
    CHECK_IN_CHILD([] {
        HOLDS(setresuid(1, 2, 3) == 0);
        uid_t real = 0, effective = 0, saved = 0;
        HOLDS(getresuid(&real, &effective, &saved) == 0 && real == 1 && effective == 2 && saved == 3);
        HOLDS(setuid(7) == -1 && errno == EPERM);
        HOLDS(setuid(3) == 0 && geteuid() == 3 && getuid() == 1);
        HOLDS(setreuid(-1, 1) == 0 && geteuid() == 1);
        HOLDS(setresuid(-1, 9, -1) == -1 && errno == EPERM);
        HOLDS(seteuid(3) == 0 && geteuid() == 3);
        return 0;
    });
    CHECK_IN_CHILD([] {
        HOLDS(setregid(5, 6) == 0 && getgid() == 5 && getegid() == 6);
        gid_t real = 0, effective = 0, saved = 0;
        HOLDS(getresgid(&real, &effective, &saved) == 0 && saved == 6);
        HOLDS(setfsuid(77) == 0 && setfsuid(-1) == 77);
        HOLDS(raw(SYS_setuid, -1) == -EINVAL);
        return 0;
    });
}

LINUX_TEST(groups_are_kept_and_told) {
    CHECK_IN_CHILD([] {
        const gid_t wanted[] = {30, 10, 20};
        HOLDS(setgroups(3, wanted) == 0 && getgroups(0, nullptr) == 3);
        gid_t told[3] = {};
        HOLDS(getgroups(3, told) == 3 && told[0] + told[1] + told[2] == 60);
        HOLDS(getgroups(2, told) == -1 && errno == EINVAL);
        HOLDS(raw(SYS_setgroups, 65537, wanted) == -EINVAL);
        HOLDS(raw(SYS_setgroups, 2, nullptr) == -EFAULT);
        HOLDS(become(kSomebody) == 0 && setgroups(3, wanted) == -1 && errno == EPERM);
        return 0;
    });
}

LINUX_TEST(a_child_and_a_new_program_stay_who_they_were) {
    CHECK_IN_CHILD([] {
        HOLDS(become(kSomebody) == 0);
        return in_child([] { return getuid() == kSomebody && getegid() == kSomebody ? 0 : __LINE__; });
    });
}

LINUX_TEST(mode_bits_hold_who_is_not_root) {
    const TestFolder folder;
    chmod(folder.root().c_str(), 0755);
    CHECK(makes(folder.path("secret"), 0600) && makes(folder.path("readable"), 0644));
    CHECK(mkdir(folder.path("closed").c_str(), 0700) == 0 && makes(folder.path("closed/inside"), 0666));
    CHECK_IN_CHILD([&] {
        HOLDS(become(kSomebody) == 0);
        HOLDS(open(folder.path("secret").c_str(), O_RDONLY) == -1 && errno == EACCES);
        HOLDS(open(folder.path("readable").c_str(), O_RDONLY) >= 0);
        HOLDS(open(folder.path("readable").c_str(), O_RDWR) == -1 && errno == EACCES);
        HOLDS(truncate(folder.path("readable").c_str(), 0) == -1 && errno == EACCES);
        HOLDS(open(folder.path("closed/inside").c_str(), O_RDONLY) == -1 && errno == EACCES);
        HOLDS(chdir(folder.path("closed").c_str()) == -1 && errno == EACCES);
        HOLDS(open(folder.path("new").c_str(), O_CREAT | O_WRONLY, 0644) == -1 && errno == EACCES);
        HOLDS(mkdir(folder.path("new").c_str(), 0755) == -1 && errno == EACCES);
        HOLDS(unlink(folder.path("readable").c_str()) == -1 && errno == EACCES);
        HOLDS(rename(folder.path("readable").c_str(), folder.path("new").c_str()) == -1 && errno == EACCES);
        HOLDS(chmod(folder.path("readable").c_str(), 0777) == -1 && errno == EPERM);
        HOLDS(chown(folder.path("readable").c_str(), kSomebody, -1) == -1 && errno == EPERM);
        HOLDS(access(folder.path("readable").c_str(), R_OK) == 0);
        HOLDS(access(folder.path("readable").c_str(), W_OK) == -1 && errno == EACCES);
        return 0;
    });
}

LINUX_TEST(access_asks_for_the_real_user) {
    const TestFolder folder;
    chmod(folder.root().c_str(), 0755);
    CHECK(makes(folder.path("secret"), 0600));
    CHECK_IN_CHILD([&] {
        HOLDS(setresuid(kSomebody, 0, 0) == 0);
        HOLDS(access(folder.path("secret").c_str(), R_OK) == -1 && errno == EACCES);
        HOLDS(faccessat(AT_FDCWD, folder.path("secret").c_str(), R_OK, AT_EACCESS) == 0);
        return 0;
    });
}

LINUX_TEST(a_sticky_directory_keeps_what_is_of_others) {
    const TestFolder folder;
    chmod(folder.root().c_str(), 01777);
    CHECK(makes(folder.path("roots"), 0666));
    CHECK_IN_CHILD([&] {
        HOLDS(become(kSomebody) == 0);
        HOLDS(makes(folder.path("own"), 0644));
        struct stat info{};
        HOLDS(stat(folder.path("own").c_str(), &info) == 0 && info.st_uid == kSomebody && info.st_gid == kSomebody);
        HOLDS(unlink(folder.path("roots").c_str()) == -1 && errno == EPERM);
        HOLDS(unlink(folder.path("own").c_str()) == 0);
        return 0;
    });
}

LINUX_TEST(chown_changes_the_owner_and_takes_setuid_away) {
    const TestFolder folder;
    CHECK(makes(folder.path("program"), 06755));
    CHECK(chown(folder.path("program").c_str(), kSomebody, kOther) == 0);
    struct stat info{};
    CHECK(stat(folder.path("program").c_str(), &info) == 0);
    CHECK(info.st_uid == kSomebody && info.st_gid == kOther && (info.st_mode & 07777) == 0755);
    CHECK(chown(folder.path("program").c_str(), -1, 0) == 0 && stat(folder.path("program").c_str(), &info) == 0);
    CHECK(info.st_uid == kSomebody && info.st_gid == 0);
    CHECK_IN_CHILD([&] {
        HOLDS(chmod(folder.root().c_str(), 0755) == 0 && become(kSomebody) == 0);
        HOLDS(chown(folder.path("program").c_str(), -1, kSomebody) == 0);
        HOLDS(chown(folder.path("program").c_str(), 0, -1) == -1 && errno == EPERM);
        return 0;
    });
}

LINUX_TEST(signals_go_to_the_own_user_alone) {
    CHECK_IN_CHILD([] {
        int ends[2];
        HOLDS(pipe(ends) == 0);
        const pid_t root = fork();
        if (root == 0) { // until this process ends
            close(ends[1]);
            char byte;
            _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
        }
        HOLDS(become(kSomebody) == 0);
        HOLDS(kill(root, 0) == -1 && errno == EPERM);
        HOLDS(raw(SYS_tgkill, root, root, SIGTERM) == -EPERM);
        HOLDS(kill(getpid(), 0) == 0);
        return 0;
    });
}

LINUX_TEST(capabilities_can_be_given_up) {
    CHECK_IN_CHILD([] {
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        __user_cap_data_struct sets[2] = {};
        HOLDS(raw(SYS_capget, &header, sets) == 0 && (sets[0].effective >> CAP_SETUID & 1) != 0);
        sets[0].effective &= ~(1u << CAP_SETUID);
        HOLDS(raw(SYS_capset, &header, sets) == 0);
        HOLDS(setuid(5) == -1 && errno == EPERM);
        sets[0].permitted &= ~(1u << CAP_SETUID);
        HOLDS(raw(SYS_capset, &header, sets) == 0);
        sets[0].permitted |= 1u << CAP_SETUID;
        HOLDS(raw(SYS_capset, &header, sets) == -EPERM);
        header.version = 1;
        HOLDS(raw(SYS_capget, &header, sets) == -EINVAL && header.version == _LINUX_CAPABILITY_VERSION_3);
        return 0;
    });
    CHECK_IN_CHILD([] {
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        __user_cap_data_struct sets[2] = {};
        HOLDS(prctl(PR_SET_KEEPCAPS, 1) == 0 && setresuid(kSomebody, kSomebody, kSomebody) == 0);
        HOLDS(raw(SYS_capget, &header, sets) == 0 && sets[0].permitted != 0 && sets[0].effective == 0);
        HOLDS(prctl(PR_CAPBSET_READ, CAP_CHOWN) == 1 && prctl(PR_CAPBSET_READ, 99) == -1 && errno == EINVAL);
        return 0;
    });
}

int main() { return run_all("identity"); }
