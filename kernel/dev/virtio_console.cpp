// See virtio_console.hpp. Section numbers are those of virtio 1.1.
#include "kernel/dev/virtio_console.hpp"

#include <atomic>

#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/dev/pci.hpp"
#include "kernel/mm/mm.hpp"

namespace aios::dev {
namespace {

constexpr std::uint16_t kVendor = 0x1af4, kModernDevice = 0x1043, kTransitionalDevice = 0x1003;
constexpr unsigned kStoreOrder = 6; // 256 KiB
constexpr std::uint8_t kAcknowledge = 1, kDriver = 2, kDriverOk = 4, kFeaturesOk = 8, kFailed = 128;

// Common configuration (4.1.4.3): offsets and their widths.
enum Common : unsigned {
    device_feature_select = 0,
    device_feature = 4,
    driver_feature_select = 8,
    driver_feature = 12,
    device_status = 20,
    queue_select = 22,
    queue_size = 24,
    queue_vector = 26,
    queue_enable = 28,
    queue_notify_offset = 30,
    queue_descriptors = 32,
    queue_driver = 40,
    queue_device = 48,
};

// SAFETY (these): `base` is a mapped register window, as long as the structure; accesses have the width of the field.
template <typename T>
T read(volatile std::uint8_t* base, unsigned offset) {
    return *reinterpret_cast<volatile T*>(base + offset);
}
// SAFETY: as above.
template <typename T>
void write(volatile std::uint8_t* base, unsigned offset, T value) {
    *reinterpret_cast<volatile T*>(base + offset) = value;
}
void write64(volatile std::uint8_t* base, unsigned offset, std::uint64_t value) {
    write<std::uint32_t>(base, offset, static_cast<std::uint32_t>(value));
    write<std::uint32_t>(base, offset + 4, static_cast<std::uint32_t>(value >> 32));
}

struct Place { // of a structure in the device's memory
    std::uint64_t physical = 0;
    std::uint32_t bytes = 0;
};

} // namespace

struct VirtioConsole::Capabilities { // 4.1.4
    Place common, notify;
    std::uint32_t notify_multiplier = 0;
};

// A split virtqueue (2.6) in one page.
struct VirtioConsole::Queue {
    struct Descriptor {
        std::uint64_t address;
        std::uint32_t bytes;
        std::uint16_t flags, next;
    } descriptors[kQueueSize];
    struct {
        std::uint16_t flags;
        std::atomic<std::uint16_t> index;
        std::uint16_t ring[kQueueSize];
        std::uint16_t event;
    } available;
    struct Used {
        std::uint32_t id, bytes;
    };
    struct alignas(4) {
        std::uint16_t flags;
        std::atomic<std::uint16_t> index;
        Used ring[kQueueSize];
        std::uint16_t event;
    } used;
};

namespace {

Result<Place> structure_at(PciAddress at, std::uint8_t capability) {
    const std::uint8_t bar = pci_read8(at, static_cast<std::uint8_t>(capability + 4));
    const std::uint32_t offset = pci_read32(at, static_cast<std::uint8_t>(capability + 8));
    const std::uint32_t bytes = pci_read32(at, static_cast<std::uint8_t>(capability + 12));
    return Place{TRY(pci_memory_bar(at, bar)) + offset, bytes};
}

} // namespace

Result<> VirtioConsole::init() {
    constexpr std::uint8_t kCommand = 4, kStatus = 6, kCapabilityPointer = 0x34, kVendorSpecific = 9;
    constexpr std::uint16_t kMemory = 2, kBusMaster = 4, kNoInterrupts = 1 << 10, kHasCapabilities = 1 << 4;
    static_assert(sizeof(Queue) <= mm::kPageSize);

    const PciAddress at = TRY(pci_find(kVendor, kModernDevice, kTransitionalDevice));
    if ((pci_read16(at, kStatus) & kHasCapabilities) == 0) return fail(Error::device);
    Capabilities found;
    std::uint8_t capability = pci_read8(at, kCapabilityPointer) & 0xfc;
    for (int left = 48; capability != 0 && left != 0; left--) { // at most so many fit: a loop ends
        if (pci_read8(at, capability) == kVendorSpecific) {
            const std::uint8_t type = pci_read8(at, static_cast<std::uint8_t>(capability + 3));
            if (type == 1 && found.common.bytes == 0) found.common = TRY(structure_at(at, capability));
            if (type == 2 && found.notify.bytes == 0) {
                found.notify = TRY(structure_at(at, capability));
                found.notify_multiplier = pci_read32(at, static_cast<std::uint8_t>(capability + 16));
            }
        }
        capability = pci_read8(at, static_cast<std::uint8_t>(capability + 1)) & 0xfc;
    }
    if (found.common.bytes < 56 || found.notify.bytes < 2) return fail(Error::device);
    pci_write16(at, kCommand,
                static_cast<std::uint16_t>(pci_read16(at, kCommand) | kMemory | kBusMaster | kNoInterrupts));

    common_ =
        static_cast<volatile std::uint8_t*>(TRY(arch::map_registers({found.common.physical}, found.common.bytes)));
    TRY(negotiate());
    TRY(start_queue(found.notify.physical, found.notify_multiplier));
    write<std::uint8_t>(common_, device_status, kAcknowledge | kDriver | kFeaturesOk | kDriverOk);
    ready_ = true;
    return {};
}

Result<> VirtioConsole::negotiate() { // 3.1.1; the one feature that we take is VERSION_1 (bit 32)
    write<std::uint8_t>(common_, device_status, 0);
    for (int polls = 0; read<std::uint8_t>(common_, device_status) != 0; polls++) {
        if (polls == 1'000'000) return fail(Error::device);
    }
    write<std::uint8_t>(common_, device_status, kAcknowledge | kDriver);
    write<std::uint32_t>(common_, device_feature_select, 1);
    if ((read<std::uint32_t>(common_, device_feature) & 1) == 0) return fail(Error::device);
    write<std::uint32_t>(common_, driver_feature_select, 0);
    write<std::uint32_t>(common_, driver_feature, 0);
    write<std::uint32_t>(common_, driver_feature_select, 1);
    write<std::uint32_t>(common_, driver_feature, 1);
    write<std::uint8_t>(common_, device_status, kAcknowledge | kDriver | kFeaturesOk);
    if ((read<std::uint8_t>(common_, device_status) & kFeaturesOk) == 0) {
        write<std::uint8_t>(common_, device_status, kFailed);
        return fail(Error::device);
    }
    return {};
}

Result<> VirtioConsole::start_queue(std::uint64_t notify_base, std::uint32_t notify_multiplier) {
    write<std::uint16_t>(common_, queue_select, kTransmitQueue);
    if (read<std::uint16_t>(common_, queue_size) < kQueueSize) return fail(Error::device);
    write<std::uint16_t>(common_, queue_size, kQueueSize);

    // Kept for good: the device writes there as long as the machine runs.
    const arch::PhysAddr page = TRY(mm::allocate_frames(0));
    mm::zero_frame(page);
    queue_physical_ = page.value;
    // SAFETY: a zeroed frame of its own; the device accesses it by its physical address, x86 keeps caches coherent.
    queue_ = static_cast<Queue*>(arch::physmap(page));
    store_physical_ = TRY(mm::allocate_frames(kStoreOrder)).value;
    ring_.init({static_cast<std::byte*>(arch::physmap({store_physical_})), mm::kPageSize << kStoreOrder});

    queue_->available.flags = 1; // no interrupts
    write<std::uint16_t>(common_, queue_vector, 0xffff);
    write64(common_, queue_descriptors, queue_physical_ + offsetof(Queue, descriptors));
    write64(common_, queue_driver, queue_physical_ + offsetof(Queue, available));
    write64(common_, queue_device, queue_physical_ + offsetof(Queue, used));
    const std::uint64_t offset = std::uint64_t{read<std::uint16_t>(common_, queue_notify_offset)} * notify_multiplier;
    notify_ = static_cast<volatile std::uint16_t*>(TRY(arch::map_registers({notify_base + offset}, 2)));
    write<std::uint16_t>(common_, queue_enable, 1);
    return {};
}

void VirtioConsole::send(std::span<const Bytes> parts) {
    for (const auto& piece : ring_.push(parts)) {
        queue_->descriptors[piece.id] = {store_physical_ + piece.offset, static_cast<std::uint32_t>(piece.bytes), 0, 0};
        queue_->available.ring[available_index_ % kQueueSize] = piece.id;
        available_index_++;
    }
    queue_->available.index.store(available_index_, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_seq_cst); // what the device reads before the notification
    *notify_ = kTransmitQueue;
}

void VirtioConsole::collect() {
    const std::uint16_t end = queue_->used.index.load(std::memory_order_acquire);
    for (; used_index_ != end; used_index_++) {
        if (!ring_.complete(queue_->used.ring[used_index_ % kQueueSize].id)) {
            log(LogLevel::error, "the host port's device gave back what it never had: output ends here");
            ready_ = false;
            return;
        }
    }
}

} // namespace aios::dev
