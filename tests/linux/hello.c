/* The smallest ordinary program: one line through the C library. */
#include <stdio.h>

int main(int argc, char** argv) {
    printf("TEST hello.print %s\n", argc >= 1 && argv[0] != NULL && argv[argc] == NULL ? "pass" : "fail arguments");
    return 0;
}
