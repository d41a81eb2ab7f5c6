// Start of a native program without a C library: entry, relocation of the position-independent image, the memory
// functions that the compiler calls, and what a failed assertion does.
#include <__verbose_abort>
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "runtime/kernel/console.hpp"
#include "runtime/kernel/startup.hpp"

namespace {

struct Dynamic {
    std::int64_t tag;
    std::uint64_t value;
};
struct Relocation {
    std::uint64_t offset, info;
    std::int64_t addend;
};

} // namespace

extern "C" const char __ehdr_start[] __attribute__((visibility("hidden")));
extern "C" Dynamic _DYNAMIC[] __attribute__((visibility("hidden")));

// The image is linked at 0: its R_X86_64_RELATIVE entries get the load address added. Runs before anything that needs
// them.
extern "C" [[noreturn]] void aios_start(const aios::StartupBlock* startup) {
    constexpr std::int64_t kRela = 7, kRelaBytes = 8;
    constexpr std::uint64_t kRelative = 8;
    const auto base = reinterpret_cast<std::uint64_t>(__ehdr_start); // SAFETY: where the kernel put the image
    const Relocation* table = nullptr;
    std::size_t count = 0;
    for (const Dynamic* entry = _DYNAMIC; entry->tag != 0; ++entry) {
        if (entry->tag == kRela) table = reinterpret_cast<const Relocation*>(base + entry->value); // SAFETY: own image
        if (entry->tag == kRelaBytes) count = entry->value / sizeof(Relocation);
    }
    for (std::size_t i = 0; i < count; ++i) {
        if ((table[i].info & 0xffffffff) == kRelative) {
            *reinterpret_cast<std::uint64_t*>(base + table[i].offset) = // SAFETY: own writable data
                base + static_cast<std::uint64_t>(table[i].addend);
        }
    }
    const int status = aios_main(*startup);
    for (;;) {
        (void)aios::sys::agent_exit(static_cast<std::uint64_t>(status));
    }
}

// SAFETY: the kernel enters with rdi = startup block and a 16-byte aligned stack; a call keeps the ABI's alignment.
asm(".globl _start\n"
    "_start:\n"
    "    xorl %ebp, %ebp\n"
    "    call aios_start\n"
    "    ud2\n");

extern "C" {

// Eight bytes at a time: a byte loop costs eight times the instructions.
void* memcpy(void* __restrict to, const void* __restrict from, std::size_t bytes) {
    auto* out = static_cast<unsigned char*>(to);
    const auto* in = static_cast<const unsigned char*>(from);
    for (; bytes >= 8; bytes -= 8, out += 8, in += 8) {
        std::uint64_t word;
        __builtin_memcpy_inline(&word, in, 8);
        __builtin_memcpy_inline(out, &word, 8);
    }
    for (; bytes != 0; --bytes) {
        *out++ = *in++;
    }
    return to;
}

void* memmove(void* to, const void* from, std::size_t bytes) {
    auto* out = static_cast<unsigned char*>(to);
    const auto* in = static_cast<const unsigned char*>(from);
    if (out <= in || out >= in + bytes) {
        for (; bytes >= 8; bytes -= 8, out += 8, in += 8) {
            std::uint64_t word;
            __builtin_memcpy_inline(&word, in, 8);
            __builtin_memcpy_inline(out, &word, 8);
        }
        for (; bytes != 0; --bytes) {
            *out++ = *in++;
        }
    } else {
        while (bytes != 0) {
            --bytes;
            out[bytes] = in[bytes];
        }
    }
    return to;
}

void* memset(void* to, int value, std::size_t bytes) {
    auto* out = static_cast<unsigned char*>(to);
    const std::uint64_t word = 0x0101010101010101ull * static_cast<unsigned char>(value);
    for (; bytes >= 8; bytes -= 8, out += 8) {
        __builtin_memcpy_inline(out, &word, 8);
    }
    for (; bytes != 0; --bytes) {
        *out++ = static_cast<unsigned char>(value);
    }
    return to;
}

int memcmp(const void* a, const void* b, std::size_t bytes) {
    const auto* left = static_cast<const unsigned char*>(a);
    const auto* right = static_cast<const unsigned char*>(b);
    for (; bytes != 0; --bytes, ++left, ++right) {
        if (*left != *right) return *left < *right ? -1 : 1;
    }
    return 0;
}

std::size_t strlen(const char* text) {
    std::size_t bytes = 0;
    while (text[bytes] != '\0') {
        ++bytes;
    }
    return bytes;
}
}

namespace aios {

void assertion_failed(const char* text, const char* file, int line) {
    console_print("{}:{}: assertion failed: {}\n", file, line, text);
    for (;;) {
        (void)sys::agent_exit(134);
    }
}

} // namespace aios

// Where the header-only part of the C++ library would throw.
void std::__libcpp_verbose_abort(const char* format, ...) { aios::assertion_failed(format, "libc++", 0); }
