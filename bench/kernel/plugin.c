/* A plugin of QEMU's TCG that counts what a row cannot say of itself: executed instructions of each CPU, by user and
 * kernel, those of marked programs apart, and among them writes of CR3, accesses of model-specific registers, atomic operations, and interrupts sent to
 * other CPUs. Counted is what runs while a window is open (window.h). At the end of the machine one line for each
 * window and CPU goes to QEMU's log:
 *
 *   WINDOW number cpu user kernel apart cr3 msr_writes msr_reads atomics ipis
 *
 * Invariants: windows are opened and closed by any CPU and count on all; a counter is written by its own CPU alone. An
 * instruction counts when its block begins, so a block that a fault leaves early counts whole. The interface is version
 * 1 of the plugin API, declared here because Debian ships no header of it; a QEMU that has another version refuses the
 * plugin. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
enum { kNoRegisters = 0, kMemoryWrites = 2 };
typedef void (*OnRun)(unsigned cpu, void* data);
typedef void (*OnAccess)(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void* data);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb*, OnRun, int, void*);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn*, OnRun, int, void*);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn*, OnAccess, int, int, void*);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void*), void*);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb*);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb*, size_t);
const void* qemu_plugin_insn_data(const struct qemu_plugin_insn*);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn*);
struct qemu_plugin_hwaddr* qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t, uint64_t);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr*);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr*);
void qemu_plugin_outs(const char*);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

enum { kWindows = 32, kMostCpus = 16 };
enum Kind { kCr3, kMsrWrite, kMsrRead, kAtomic, kIpi, kKinds };
/* The low half of the local APIC's interrupt command register (Intel SDM volume 3, section 11.6.1). */
static const uint64_t kInterruptCommand = 0xfee00300;

struct Counts {
    uint64_t user, kernel, apart, kinds[kKinds];
};
static struct {
    struct Counts window[kWindows];
    char apart[128]; /* no cache line is shared with the next CPU */
} counts[kMostCpus];
static _Atomic uint32_t open_windows = 1; /* a bit each; the one from reset is open */

struct Block {
    uint32_t instructions;
    bool kernel, apart, special;
    uint8_t kinds[kKinds];
};

static void on_block(unsigned cpu, void* data) {
    const struct Block* block = data;
    for (uint32_t open = atomic_load_explicit(&open_windows, memory_order_relaxed); open != 0; open &= open - 1) {
        struct Counts* to = &counts[cpu % kMostCpus].window[__builtin_ctz(open)];
        *(block->kernel ? &to->kernel : block->apart ? &to->apart : &to->user) += block->instructions;
        for (int kind = 0; block->special && kind < kIpi; kind++)
            to->kinds[kind] += block->kinds[kind];
    }
}

static void on_open(unsigned cpu, void* data) {
    (void)cpu;
    atomic_fetch_or(&open_windows, (uint32_t)(uintptr_t)data);
}

static void on_close(unsigned cpu, void* data) {
    (void)cpu;
    atomic_fetch_and(&open_windows, ~(uint32_t)(uintptr_t)data);
}

static void on_write(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void* data) {
    (void)data;
    uint32_t open = atomic_load_explicit(&open_windows, memory_order_relaxed) & ~1u;
    if ((address & 0xfff) != (kInterruptCommand & 0xfff) || open == 0) return;
    const struct qemu_plugin_hwaddr* place = qemu_plugin_get_hwaddr(info, address);
    if (place == NULL || !qemu_plugin_hwaddr_is_io(place) || qemu_plugin_hwaddr_phys_addr(place) != kInterruptCommand)
        return;
    for (; open != 0; open &= open - 1)
        counts[cpu % kMostCpus].window[__builtin_ctz(open)].kinds[kIpi]++;
}

static bool is_prefix(uint8_t byte) {
    return (byte & 0xf0) == 0x40 || byte == 0x66 || byte == 0xf2 || byte == 0xf3 || byte == 0x64 || byte == 0x65;
}

/* What of the kinds an instruction is, or kKinds. */
static enum Kind kind_of(const uint8_t* bytes, size_t size) {
    size_t at = 0;
    while (at < size && is_prefix(bytes[at]))
        at++;
    if (at + 1 >= size) return kKinds;
    const bool to_memory = (bytes[at + 1] >> 6) != 3;
    if (bytes[at] == 0xf0) return kAtomic;                                     /* LOCK */
    if ((bytes[at] == 0x86 || bytes[at] == 0x87) && to_memory) return kAtomic; /* XCHG, which locks by itself */
    if (bytes[at] != 0x0f) return kKinds;
    if (bytes[at + 1] == 0x22 && at + 2 < size && (bytes[at + 2] & 0x38) == 0x18) return kCr3;
    if (bytes[at + 1] == 0x30) return kMsrWrite;
    return bytes[at + 1] == 0x32 ? kMsrRead : kKinds;
}

/* The marks of window.h: nopl 0x5a5aNNNN(%rax), nopl 0x5b5bNNNN(%rax) and nopl 0x5c5c0000(%rax). */
static void watch_mark(struct Block* block, struct qemu_plugin_insn* instruction, const uint8_t* bytes, size_t size) {
    if (size != 7 || bytes[0] != 0x0f || bytes[1] != 0x1f || bytes[2] != 0x80 || bytes[5] != bytes[6] ||
        bytes[3] >= kWindows)
        return;
    void* bit = (void*)(uintptr_t)(1u << bytes[3]);
    if (bytes[6] == 0x5a) qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_open, kNoRegisters, bit);
    if (bytes[6] == 0x5c) block->apart = true;
    if (bytes[6] == 0x5b) qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_close, kNoRegisters, bit);
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
    (void)id;
    struct Block* block = calloc(1, sizeof *block); /* lives as long as the machine: QEMU may keep the block */
    if (block == NULL) abort();
    block->instructions = (uint32_t)qemu_plugin_tb_n_insns(tb);
    block->kernel = qemu_plugin_tb_vaddr(tb) >> 63;
    for (size_t i = 0; i < block->instructions; i++) {
        struct qemu_plugin_insn* instruction = qemu_plugin_tb_get_insn(tb, i);
        const uint8_t* bytes = qemu_plugin_insn_data(instruction);
        const size_t size = qemu_plugin_insn_size(instruction);
        watch_mark(block, instruction, bytes, size);
        const enum Kind kind = kind_of(bytes, size);
        if (kind != kKinds) {
            block->kinds[kind]++;
            block->special = true;
        }
        if (block->kernel) qemu_plugin_register_vcpu_mem_cb(instruction, on_write, kNoRegisters, kMemoryWrites, NULL);
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, kNoRegisters, block);
}

static void at_exit(qemu_plugin_id_t id, void* data) {
    (void)id;
    (void)data;
    for (int window = 0; window < kWindows; window++) {
        for (int cpu = 0; cpu < kMostCpus; cpu++) {
            const struct Counts* of = &counts[cpu].window[window];
            char line[256];
            if ((of->user | of->kernel | of->apart) == 0) continue;
            snprintf(line, sizeof line,
                     "WINDOW %d %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                     " %" PRIu64 "\n",
                     window, cpu, of->user, of->kernel, of->apart, of->kinds[kCr3], of->kinds[kMsrWrite],
                     of->kinds[kMsrRead], of->kinds[kAtomic], of->kinds[kIpi]);
            qemu_plugin_outs(line);
        }
    }
}

struct qemu_info;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info* info, int count, char** values) {
    (void)info;
    (void)count;
    (void)values;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
    return 0;
}
