// The memory functions that the compiler calls. Eight bytes a step, by string instructions: under TCG one repetition
// counts as one instruction, and fast byte moves (ERMS) are not there. Before relocation these run too: no absolute
// address.
#include <cstddef>
#include <cstdint>

extern "C" {

void* memcpy(void* to, const void* from, std::size_t bytes) {
    void* at = to;
    std::size_t words = bytes >> 3;
    std::size_t rest = bytes & 7;
    // SAFETY: the caller gives `bytes` readable and writable bytes; DF is clear by the ABI.
    asm volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
    asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(rest) : : "memory");
    return to;
}

void* memmove(void* to, const void* from, std::size_t bytes) {
    const auto target = reinterpret_cast<std::uintptr_t>(to);
    const auto source = reinterpret_cast<std::uintptr_t>(from);
    if (target - source >= bytes) return memcpy(to, from, bytes); // also when `to` lies below `from`
    auto* end_to = static_cast<char*>(to) + bytes - 1;
    const auto* end_from = static_cast<const char*>(from) + bytes - 1;
    std::size_t rest = bytes & 7;
    std::size_t words = bytes >> 3;
    // SAFETY: as above, from the end; DF is set only inside one statement, so no interrupt handler runs C++ with it
    // (entry code clears it).
    asm volatile("std\n\t"
                 "rep movsb\n\t"
                 "subq $7, %%rdi\n\t"
                 "subq $7, %%rsi\n\t"
                 "movq %3, %%rcx\n\t"
                 "rep movsq\n\t"
                 "cld"
                 : "+&D"(end_to), "+&S"(end_from), "+&c"(rest)
                 : "r"(words)
                 : "memory", "cc");
    return to;
}

void* memset(void* to, int value, std::size_t bytes) {
    void* at = to;
    std::uint64_t pattern = static_cast<std::uint8_t>(value) * 0x0101'0101'0101'0101ull;
    std::size_t words = bytes >> 3;
    std::size_t rest = bytes & 7;
    // SAFETY: the caller gives `bytes` writable bytes.
    asm volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
    asm volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(pattern) : "memory");
    return to;
}

int memcmp(const void* left, const void* right, std::size_t bytes) {
    const auto* a = static_cast<const unsigned char*>(left);
    const auto* b = static_cast<const unsigned char*>(right);
    for (; bytes >= 8; bytes -= 8, a += 8, b += 8) {
        std::uint64_t x, y;
        __builtin_memcpy(&x, a, 8);
        __builtin_memcpy(&y, b, 8);
        if (x == y) continue;
        x = __builtin_bswap64(x);
        y = __builtin_bswap64(y);
        return x < y ? -1 : 1;
    }
    for (; bytes != 0; --bytes, ++a, ++b) {
        if (*a != *b) return *a < *b ? -1 : 1;
    }
    return 0;
}

std::size_t strlen(const char* text) {
    std::size_t length = 0;
    while (text[length] != '\0')
        ++length;
    return length;
}

// libc++ asks for these by name; wmemchr searches 32-bit words.
wchar_t* wmemchr(const wchar_t* words, wchar_t value, std::size_t count) {
    for (; count != 0; --count, ++words) {
        if (*words == value) return const_cast<wchar_t*>(words);
    }
    return nullptr;
}
void* memchr(const void* bytes, int value, std::size_t count) {
    const auto* at = static_cast<const unsigned char*>(bytes);
    for (; count != 0; --count, ++at) {
        if (*at == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(at);
    }
    return nullptr;
}
char* strcpy(char* to, const char* from) {
    memcpy(to, from, strlen(from) + 1);
    return to;
}
int strcmp(const char* a, const char* b) {
    for (; *a != '\0' && *a == *b; ++a, ++b) {
    }
    return static_cast<unsigned char>(*a) - static_cast<unsigned char>(*b);
}

} // extern "C"
