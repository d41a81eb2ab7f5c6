/* Rows of single calls. */
#include <sys/syscall.h>

#include "bench/kernel/linux/rows/measure.h"

void row_null(void) { REPEAT(null, 100000, syscall(SYS_getppid)); }

void row_derive_close(void) {
    REPEAT(derive_close, 5000, {
        const int copy = dup(1);
        if (copy < 0) give_up("derive_close", "dup");
        close(copy);
    });
}
