// I/O APICs (Intel 82093AA): each line (global system interrupt) that is enabled gets a vector of its own and goes to
// the boot CPU. A level line stays asserted until its driver has served the device, which hook::device_interrupt does
// before the end of interrupt is sent. Lock: a plain flag around the pair of index and data registers.
#include <atomic>

#include "base/static_vector.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/device_window.hpp"
#include "kernel/arch/x86_64/vectors.hpp"

namespace aios::arch {
namespace {

struct IoApic {
    volatile std::uint32_t* registers;
    unsigned first, count;
};
constexpr std::uint32_t kVersion = 1, kFirstEntry = 0x10;
constexpr std::uint32_t kMasked = 1 << 16, kLevel = 1 << 15, kLow = 1 << 13;

constinit StaticVector<IoApic, 8> io_apics;
constinit std::atomic<bool> lock{false};
constinit std::atomic<unsigned> line_of_vector[x86::kDeviceVectors]; // line + 1; 0 = free

class Guard {
public:
    Guard() {
        while (lock.exchange(true, std::memory_order_acquire))
            relax();
    }
    ~Guard() { lock.store(false, std::memory_order_release); }

private:
    InterruptGuard interrupts_;
};

std::uint32_t read(const IoApic& io, std::uint32_t index) {
    io.registers[0] = index;
    return io.registers[4];
}
void write(const IoApic& io, std::uint32_t index, std::uint32_t value) {
    io.registers[0] = index;
    io.registers[4] = value;
}

const IoApic* find(unsigned line) {
    for (const IoApic& io : io_apics) {
        if (line >= io.first && line - io.first < io.count) return &io;
    }
    return nullptr;
}

} // namespace

Result<> add_io_apic(std::uint64_t physical, unsigned first_line) {
    // SAFETY: MADT says that an I/O APIC's registers are there.
    IoApic io{static_cast<volatile std::uint32_t*>(TRY(x86::map_window(physical, 32, true))), first_line, 0};
    Guard guard;
    io.count = (read(io, kVersion) >> 16 & 0xff) + 1;
    for (unsigned i = 0; i < io.count; ++i) {
        write(io, kFirstEntry + 2 * i, kMasked);
        write(io, kFirstEntry + 2 * i + 1, 0);
    }
    return io_apics.push_back(io);
}

Result<> enable_line(unsigned line, LineTrigger trigger, LinePolarity polarity) {
    Guard guard;
    const IoApic* io = find(line);
    if (io == nullptr) return fail(Error::not_found);
    unsigned slot = 0;
    for (unsigned i = x86::kDeviceVectors; i != 0; --i) {
        const unsigned taken = line_of_vector[i - 1].load(std::memory_order_relaxed);
        if (taken == line + 1) return fail(Error::already_exists);
        if (taken == 0) slot = i;
    }
    if (slot == 0) return fail(Error::no_space);
    line_of_vector[slot - 1].store(line + 1, std::memory_order_release);
    std::uint32_t low = x86::kVectorDevices + slot - 1;
    if (trigger == LineTrigger::level) low |= kLevel;
    if (polarity == LinePolarity::low) low |= kLow;
    const unsigned entry = kFirstEntry + 2 * (line - io->first);
    write(*io, entry + 1, x86::cpu_blocks[0].apic_id << 24);
    write(*io, entry, low);
    return {};
}

void disable_line(unsigned line) {
    Guard guard;
    const IoApic* io = find(line);
    if (io == nullptr) return;
    write(*io, kFirstEntry + 2 * (line - io->first), kMasked);
    for (auto& taken : line_of_vector) {
        if (taken.load(std::memory_order_relaxed) == line + 1) taken.store(0, std::memory_order_release);
    }
}

namespace x86 {

void device_interrupt(unsigned vector) {
    const unsigned line = line_of_vector[vector - kVectorDevices].load(std::memory_order_acquire);
    if (line != 0) hook::device_interrupt(line - 1);
    end_of_interrupt();
}

} // namespace x86
} // namespace aios::arch
