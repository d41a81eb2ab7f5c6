/* The smallest ordinary program: one line through the C library. */
#include <stdio.h>

#ifndef TEST_NAME
#define TEST_NAME "hello"
#endif

int main(int argc, char** argv) {
    printf("TEST " TEST_NAME ".print %s\n",
           argc >= 1 && argv[0] != NULL && argv[argc] == NULL ? "pass" : "fail arguments");
    return 0;
}
