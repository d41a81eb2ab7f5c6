// libc++'s character traits name EOF. remove() is declared, never defined: its <cstdio> takes the name from here, and an
// unresolved one would clash with the algorithm std::remove.
#pragma once

#define EOF (-1)

extern "C" int remove(const char* path);
