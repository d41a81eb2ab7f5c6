// A kernel for the loader's tests: checks everything that the hand-off promises (docs/design/boot.md), says over COM1
// what it found, and leaves by the debug-exit port: 0x10 if all holds (QEMU's status 33), 0x11 if not (status 35).
// Linked like the kernel: a static-pie at 0x200000. It has no relocations, so that it need not apply any.
#include <cstdint>
#include <initializer_list>

#include "boot/container.hpp"
#include "boot/handoff.hpp"

using namespace aios::boot;

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint16_t kSerial = 0x3f8;
constexpr std::uint16_t kDebugExit = 0xf4;

// Larger than the file's part of its segment, and non-zero data before it: shows that gaps are zeroed and data copied.
#ifndef STAND_IN_ZEROED_BYTES
#define STAND_IN_ZEROED_BYTES (3 * kPage + 5)
#endif
volatile std::uint8_t zeroed[STAND_IN_ZEROED_BYTES];
volatile std::uint32_t copied = 0xa105'da7a;

void out8(std::uint16_t port, std::uint8_t value) {
    // SAFETY: ring 0, and the machine of the test has both ports.
    asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

std::uint8_t in8(std::uint16_t port) {
    std::uint8_t value;
    // SAFETY: as above.
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

void print(const char* text) {
    for (; *text != 0; ++text) {
        while ((in8(kSerial + 5) & 0x20) == 0) {
        }
        out8(kSerial, static_cast<std::uint8_t>(*text));
    }
}

void print_hex(std::uint64_t value) {
    char text[19] = "0x";
    for (int i = 0; i < 16; ++i)
        text[2 + i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    text[18] = 0;
    print(text);
}

bool failed = false;

void check(bool holds, const char* what) {
    if (holds) return;
    failed = true;
    print("stand-in: FAILED: ");
    print(what);
    print("\r\n");
}

// The one range of `kind`, or nullptr if there is none or more than one.
const MemoryRange* only(const HandOff& hand_off, MemoryKind kind) {
    const MemoryRange* found = nullptr;
    for (std::uint32_t i = 0; i < hand_off.range_count; ++i) {
        if (hand_off.ranges[i].kind != kind) continue;
        if (found != nullptr) return nullptr;
        found = &hand_off.ranges[i];
    }
    return found;
}

bool inside(const MemoryRange* range, std::uint64_t at, std::uint64_t bytes) {
    return range != nullptr && at >= range->base && bytes <= range->bytes && at - range->base <= range->bytes - bytes;
}

bool same(const char* left, const char* right, std::uint64_t bytes) {
    for (std::uint64_t i = 0; i < bytes; ++i)
        if (left[i] != right[i]) return false;
    return true;
}

std::uint64_t image_start() {
    std::uint64_t start;
    // SAFETY: an address computed relative to this instruction; __ehdr_start is the image's first byte.
    asm("lea __ehdr_start(%%rip), %0" : "=r"(start));
    return start;
}

void check_image(const HandOff& hand_off) {
    check(hand_off.kernel_base == image_start(), "kernel_base is not where the image lies");
    check(hand_off.kernel_base % 0x200000 == 0 && hand_off.kernel_base + hand_off.kernel_bytes <= 1ull << 32,
          "kernel_base is not aligned, or above 4 GiB");
    const MemoryRange* range = only(hand_off, MemoryKind::kernel);
    check(range != nullptr && range->base == hand_off.kernel_base && range->bytes == hand_off.kernel_bytes,
          "the kernel's range is not exactly its image");
    check(copied == 0xa105'da7a, "initialised data was not copied");
    bool zero = true;
    for (const volatile std::uint8_t& byte : zeroed)
        zero = zero && byte == 0;
    check(zero, "uninitialised data is not zero");
}

void check_map(const HandOff& hand_off) {
    check(hand_off.range_count > 0 && hand_off.range_count <= kMaxMemoryRanges, "range_count is out of range");
    std::uint64_t usable = 0;
    for (std::uint32_t i = 0; i < hand_off.range_count; ++i) {
        const MemoryRange& range = hand_off.ranges[i];
        check(range.bytes != 0 && range.base % kPage == 0 && range.bytes % kPage == 0, "a range is not whole pages");
        check(i == 0 || range.base >= hand_off.ranges[i - 1].base + hand_off.ranges[i - 1].bytes, "ranges overlap");
        if (range.kind != MemoryKind::usable) continue;
        check(range.base != 0, "page 0 is usable");
        usable += range.bytes;
        // SAFETY: the hand-off promises that usable memory is identity mapped and writable; nothing else lies there.
        for (std::uint64_t at : {range.base, range.base + range.bytes - 8}) {
            auto* word = reinterpret_cast<volatile std::uint64_t*>(at);
            *word = at;
            check(*word == at, "usable memory does not keep what is written");
        }
    }
    print("stand-in: usable ");
    print_hex(usable);
    print(" bytes\r\n");
}

void check_container(const HandOff& hand_off) {
    const MemoryRange* range = only(hand_off, MemoryKind::container);
    check(range != nullptr && range->base == hand_off.container_base && hand_off.container_base % kPage == 0 &&
              range->bytes == (hand_off.container_bytes + kPage - 1) / kPage * kPage,
          "the container's range is not exactly the container");
    // SAFETY: identity mapped, as checked above.
    const auto* bytes = reinterpret_cast<const char*>(hand_off.container_base);
    check(same(bytes, kContainerMagic, sizeof(kContainerMagic)), "the container does not start with its magic");
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < hand_off.container_bytes; i += kPage)
        sum = sum * 31 + static_cast<std::uint8_t>(bytes[i]);
    print("stand-in: container ");
    print_hex(hand_off.container_bytes);
    print(" sum ");
    print_hex(sum);
    print("\r\n");
}

void check_block(const HandOff& hand_off, std::uint64_t stack) {
    const MemoryRange* range = only(hand_off, MemoryKind::boot);
    // SAFETY: addresses are compared, not followed.
    check(inside(range, reinterpret_cast<std::uint64_t>(&hand_off), sizeof(hand_off)),
          "the block is not in `boot` memory");
    check(inside(range, stack - 16, 16), "the stack is not in `boot` memory");
    std::uint64_t page_tables, flags;
    // SAFETY: reads registers.
    asm volatile("mov %%cr3, %0; pushfq; pop %1" : "=r"(page_tables), "=r"(flags));
    check(inside(range, page_tables & ~(kPage - 1), kPage), "the page tables are not in `boot` memory");
    check((flags & 0x200) == 0, "interrupts are on");
    check(stack % 16 == 0, "the stack is not aligned");
    check(hand_off.command_line == 0 || inside(range, hand_off.command_line, 1),
          "the command line is not in `boot` memory");
    check(hand_off.seed_bytes <= sizeof(hand_off.seed), "seed_bytes is out of range");
    bool seeded = false;
    for (std::uint8_t byte : hand_off.seed)
        seeded = seeded || byte != 0;
    check(seeded == (hand_off.seed_bytes != 0), "the seed and its size disagree");
    check(hand_off.entry_tsc != 0, "entry_tsc is missing");
    // SAFETY: the RSDP lies in ACPI or reserved memory below 4 GiB, which is identity mapped.
    check(hand_off.rsdp != 0 && same(reinterpret_cast<const char*>(hand_off.rsdp), "RSD PTR ", 8), "there is no RSDP");
}

} // namespace

extern "C" [[noreturn, gnu::visibility("default")]] void stand_in_main(const HandOff* hand_off, std::uint64_t stack) {
    std::uint32_t low, high;
    // SAFETY: reads the time stamp counter.
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    std::uint64_t entered = std::uint64_t{high} << 32 | low;
    check(hand_off->magic == kHandOffMagic && hand_off->version == kHandOffVersion && hand_off->path == BootPath::uefi,
          "magic, version or path are wrong");
    check_image(*hand_off);
    check_map(*hand_off);
    check_container(*hand_off);
    check_block(*hand_off, stack);
    print("stand-in: time stamp at the loader's start ");
    print_hex(hand_off->entry_tsc);
    print(" now ");
    print_hex(entered);
    print("\r\nstand-in: kernel at ");
    print_hex(hand_off->kernel_base);
    print("\r\nstand-in: seed bytes ");
    print_hex(hand_off->seed_bytes);
    print("\r\nstand-in: command line [");
    // SAFETY: a NUL-ended text in `boot` memory.
    if (hand_off->command_line != 0) print(reinterpret_cast<const char*>(hand_off->command_line));
    print(failed ? "]\r\nstand-in: FAILED\r\n" : "]\r\nstand-in: all holds\r\n");
    out8(kDebugExit, failed ? 0x11 : 0x10);
    for (;;) {
        // SAFETY: nothing is left to do.
        asm volatile("hlt");
    }
}

// The 64-bit entry: rdi = hand-off, rsp = the loader's stack.
asm(".section .text.entry, \"ax\"\n"
    ".globl aios_entry64\n"
    "aios_entry64:\n"
    "    mov %rsp, %rsi\n"
    "    call stand_in_main\n");
