// Checks that change the process run in a child of their own: what fails there is told by its exit code, which is the line.
#pragma once

#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/linux/test.hpp"

namespace linux_test {

// Runs `body` in a child, which answers 0 or the line of what did not hold.
template <typename F>
int in_child(F&& body) {
    const pid_t child = fork();
    if (child == 0) _exit(body() & 0xff);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

} // namespace linux_test

#define HOLDS(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) return __LINE__;                                                                             \
    } while (false)
#define CHECK_IN_CHILD(...)                                                                                            \
    do {                                                                                                               \
        const int code = linux_test::in_child(__VA_ARGS__);                                                            \
        if (code != 0) linux_test::failed("in a child", code == -1 ? __LINE__ : code);                                 \
    } while (false)
