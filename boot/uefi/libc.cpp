// memcpy and its relatives for the loader: clang calls them also where the source does not. Compiled with -fno-builtin,
// so that none is turned into a call of itself. String instructions by eight bytes, because an emulated processor is
// slow by one.
#include <string.h>

extern "C" {

void* memcpy(void* to, const void* from, size_t bytes) {
    void* start = to;
    size_t words = bytes / 8;
    size_t rest = bytes % 8;
    // SAFETY: the caller owns both blocks of `bytes`; the direction flag is clear by the calling convention.
    asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
    return start;
}

void* memmove(void* to, const void* from, size_t bytes) {
    char* target = static_cast<char*>(to);
    const char* source = static_cast<const char*>(from);
    if (target <= source || target >= source + bytes) return memcpy(to, from, bytes);
    while (bytes-- != 0)
        target[bytes] = source[bytes];
    return to;
}

void* memset(void* to, int value, size_t bytes) {
    void* start = to;
    size_t words = bytes / 8;
    size_t rest = bytes % 8;
    unsigned long long pattern = 0x0101010101010101ull * static_cast<unsigned char>(value);
    // SAFETY: the caller owns the block of `bytes`; the direction flag is clear by the calling convention.
    asm volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
    asm volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(pattern) : "memory");
    return start;
}

int memcmp(const void* left, const void* right, size_t bytes) {
    const unsigned char* a = static_cast<const unsigned char*>(left);
    const unsigned char* b = static_cast<const unsigned char*>(right);
    for (size_t i = 0; i < bytes; ++i)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}

void* memchr(const void* where, int value, size_t bytes) {
    const unsigned char* at = static_cast<const unsigned char*>(where);
    for (size_t i = 0; i < bytes; ++i)
        if (at[i] == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(at + i);
    return nullptr;
}

size_t strlen(const char* text) {
    size_t length = 0;
    while (text[length] != 0)
        ++length;
    return length;
}

} // extern "C"
