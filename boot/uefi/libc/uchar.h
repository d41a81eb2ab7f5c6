// libc++'s <iosfwd> names mbstate_t; the loader never converts characters by locale.
#pragma once

struct mbstate_t {
    int state;
};
