// The C memory functions that compilers and the C++ library call; libc.cpp defines them. The loader has no C library:
// the headers of this folder declare just enough for the header-only part of libc++ that the loader uses.
#pragma once

#include <stddef.h>

extern "C" {
void* memcpy(void* to, const void* from, size_t bytes);
void* memmove(void* to, const void* from, size_t bytes);
void* memset(void* to, int value, size_t bytes);
int memcmp(const void* left, const void* right, size_t bytes);
void* memchr(const void* where, int value, size_t bytes);
size_t strlen(const char* text);
}
