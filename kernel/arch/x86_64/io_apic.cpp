// I/O APICs (Intel 82093AA): each line (global system interrupt) that is enabled gets a vector of its own and goes to
// the boot CPU. A level line stays asserted until its driver has served the device, which upcall::device_interrupt does
// before the end of interrupt is sent. Lock: Rank::io_apic, over the pair of index and data registers of each I/O APIC and
// over who has which vector. An interrupt looks up its line without the lock: each vector's line is one atomic word.
#include <atomic>
#include <optional>

#include "base/static_vector.hpp"
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/cpu_block.hpp"
#include "kernel/arch/x86_64/device_window.hpp"
#include "kernel/arch/x86_64/vectors.hpp"
#include "kernel/sync/lock.hpp"

namespace aios::arch {
namespace {

// What the index register selects (82093AA, section 3.2). The entry of a line is two registers.
enum class Register : std::uint32_t { version = 0x01, first_entry = 0x10 };

struct Version {
    std::uint32_t bits;
    [[nodiscard]] unsigned line_count() const { return (bits >> 16 & 0xff) + 1; }
};

// An entry of the redirection table: fixed delivery to one CPU, by its APIC's number.
struct Entry {
    static constexpr std::uint32_t kMasked = 1 << 16, kLevel = 1 << 15, kLowActive = 1 << 13;
    std::uint32_t low = kMasked;
    std::uint32_t high = 0;

    static Entry masked() { return {}; }
    static Entry to(std::uint32_t apic_id, unsigned vector, LineTrigger trigger, LinePolarity polarity) {
        Entry entry{.low = vector, .high = apic_id << 24};
        if (trigger == LineTrigger::level) entry.low |= kLevel;
        if (polarity == LinePolarity::low) entry.low |= kLowActive;
        return entry;
    }
};

class IoApic {
public:
    IoApic() = default;
    IoApic(volatile void* registers, unsigned first_line)
        : registers_(static_cast<volatile Registers*>(registers)), first_(first_line) {
        count_ = Version{read(Register::version)}.line_count();
    }
    [[nodiscard]] bool has(unsigned line) const { return line >= first_ && line - first_ < count_; }
    void set(unsigned line, const Entry& entry) const {
        const std::uint32_t index = static_cast<std::uint32_t>(Register::first_entry) + 2 * (line - first_);
        // Masked while its halves do not belong together.
        write(index, Entry::kMasked);
        write(index + 1, entry.high);
        if (entry.low != Entry::kMasked) write(index, entry.low);
    }
    void mask_all() const {
        for (unsigned i = 0; i < count_; ++i)
            set(first_ + i, Entry::masked());
    }

private:
    struct Registers {
        std::uint32_t index;
        std::uint32_t unused[3];
        std::uint32_t data;
    };
    static_assert(offsetof(Registers, data) == 0x10);
    [[nodiscard]] std::uint32_t read(Register which) const {
        registers_->index = static_cast<std::uint32_t>(which);
        return registers_->data;
    }
    void write(std::uint32_t index, std::uint32_t value) const {
        registers_->index = index;
        registers_->data = value;
    }
    volatile Registers* registers_ = nullptr;
    unsigned first_ = 0, count_ = 0;
};

// Whom a vector belongs to: one atomic word, read by interrupts.
class VectorOwner {
public:
    [[nodiscard]] std::optional<unsigned> line() const {
        // acquire: pairs with the release in set(), so that who sees a line sees what its maker wrote before
        const std::uint64_t word = word_.load(std::memory_order_acquire);
        return word == kNobody ? std::nullopt : std::optional(static_cast<unsigned>(word));
    }
    void set(std::optional<unsigned> line) { word_.store(line ? *line : kNobody, std::memory_order_release); }

private:
    static constexpr std::uint64_t kNobody = ~0ull; // no line: those are 32 bits wide
    std::atomic<std::uint64_t> word_{kNobody};
};

constinit sync::SpinLock<sync::Rank::io_apic> lock;
using Guard = sync::SpinLock<sync::Rank::io_apic>::Guard;
constinit StaticVector<IoApic, 8> io_apics AIOS_GUARDED_BY(lock);
constinit VectorOwner owners[x86::kDeviceVectors]; // written under the lock

const IoApic* find_locked(unsigned line) AIOS_REQUIRES(lock) {
    lock.assert_held();
    for (const IoApic& io : io_apics)
        if (io.has(line)) return &io;
    return nullptr;
}

} // namespace

Result<> add_io_apic(std::uint64_t physical, unsigned first_line) {
    // SAFETY: MADT says that an I/O APIC's registers are there.
    volatile void* const registers = TRY(x86::map_window(physical, 32, Caching::device_registers));
    Guard guard(lock);
    const IoApic io(registers, first_line);
    io.mask_all();
    return io_apics.push_back(io);
}

Result<> enable_line(unsigned line, LineTrigger trigger, LinePolarity polarity) {
    Guard guard(lock);
    const IoApic* io = find_locked(line);
    if (io == nullptr) return fail(Error::not_found);
    std::optional<unsigned> free;
    for (unsigned i = 0; i < x86::kDeviceVectors; ++i) {
        const std::optional<unsigned> taken = owners[i].line();
        if (taken == line) return fail(Error::already_exists);
        if (!taken && !free) free = i;
    }
    if (!free) return fail(Error::no_space);
    owners[*free].set(line); // before the first interrupt can come
    io->set(line, Entry::to(x86::cpu_blocks[0].apic_id, x86::kVectorDevices + *free, trigger, polarity));
    return {};
}

void disable_line(unsigned line) {
    Guard guard(lock);
    const IoApic* io = find_locked(line);
    if (io == nullptr) return;
    io->set(line, Entry::masked());
    for (VectorOwner& owner : owners)
        if (owner.line() == line) owner.set(std::nullopt);
}

namespace x86 {

void device_interrupt(unsigned vector) {
    if (const std::optional<unsigned> line = owners[vector - kVectorDevices].line()) upcall::device_interrupt(*line);
    end_of_interrupt();
}

} // namespace x86
} // namespace aios::arch
