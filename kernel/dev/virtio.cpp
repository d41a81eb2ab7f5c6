// See virtio.hpp. Section numbers are those of virtio 1.1.
#include "kernel/dev/virtio.hpp"

#include <algorithm>

#include "base/bits.hpp"
#include "base/checked.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/dev/pci.hpp"
#include "kernel/mm/mm.hpp"

namespace aios::dev {
namespace {

constexpr std::uint16_t kVendor = 0x1af4;
constexpr std::uint8_t kAcknowledge = 1, kDriver = 2, kDriverOk = 4, kFeaturesOk = 8, kFailed = 128;

// Common configuration (4.1.4.3).
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
    common_bytes = 56,
};

// SAFETY (these): `base` is a mapped register window, as long as the structure; accesses have the width of the field.
template <typename T>
T read(volatile std::uint8_t* base, unsigned offset) {
    return *reinterpret_cast<volatile T*>(base + offset); // SAFETY: as above
}
template <typename T>
void write(volatile std::uint8_t* base, unsigned offset, T value) {
    *reinterpret_cast<volatile T*>(base + offset) = value; // SAFETY: as above
}
void write64(volatile std::uint8_t* base, unsigned offset, std::uint64_t value) {
    write<std::uint32_t>(base, offset, static_cast<std::uint32_t>(value));
    write<std::uint32_t>(base, offset + 4, static_cast<std::uint32_t>(value >> 32));
}

struct Place { // of a structure in the device's memory
    std::uint64_t physical = 0;
    std::uint32_t bytes = 0;
};
struct Places { // 4.1.4
    Place common, notify, device;
    std::uint32_t notify_multiplier = 0;
};

Result<Place> place_of(PciAddress at, std::uint8_t capability) {
    const std::uint8_t bar = pci_read8(at, static_cast<std::uint8_t>(capability + 4));
    const std::uint32_t offset = pci_read32(at, static_cast<std::uint8_t>(capability + 8));
    const std::uint32_t bytes = pci_read32(at, static_cast<std::uint8_t>(capability + 12));
    return Place{TRY(pci_memory_bar(at, bar)) + offset, bytes};
}

Result<Places> find_places(PciAddress at) {
    constexpr std::uint8_t kStatus = 6, kCapabilityPointer = 0x34, kVendorSpecific = 9;
    constexpr std::uint16_t kHasCapabilities = 1 << 4;
    if ((pci_read16(at, kStatus) & kHasCapabilities) == 0) return fail(Error::device);
    Places found;
    std::uint8_t capability = pci_read8(at, kCapabilityPointer) & 0xfc;
    for (int left = 48; capability != 0 && left != 0; left--) { // at most so many fit: a loop ends
        if (pci_read8(at, capability) == kVendorSpecific) {
            const std::uint8_t type = pci_read8(at, static_cast<std::uint8_t>(capability + 3));
            if (type == 1 && found.common.bytes == 0) found.common = TRY(place_of(at, capability));
            if (type == 2 && found.notify.bytes == 0) {
                found.notify = TRY(place_of(at, capability));
                found.notify_multiplier = pci_read32(at, static_cast<std::uint8_t>(capability + 16));
            }
            if (type == 4 && found.device.bytes == 0) found.device = TRY(place_of(at, capability));
        }
        capability = pci_read8(at, static_cast<std::uint8_t>(capability + 1)) & 0xfc;
    }
    if (found.common.bytes < common_bytes || found.notify.bytes < 2) return fail(Error::device);
    return found;
}

} // namespace

struct VirtQueue::Memory { // in one page
    struct Descriptor {
        std::uint64_t address;
        std::uint32_t bytes;
        std::uint16_t flags, next;
    } descriptors[kSize];
    struct {
        std::uint16_t flags;
        std::atomic<std::uint16_t> index;
        std::uint16_t ring[kSize];
        std::uint16_t event;
    } available;
    struct alignas(4) {
        std::uint16_t flags;
        std::atomic<std::uint16_t> index;
        struct {
            std::uint32_t id, bytes;
        } ring[kSize];
        std::uint16_t event;
    } used;
};

void VirtQueue::offer(std::uint16_t id, std::uint64_t physical, std::uint32_t bytes, bool device_writes) {
    constexpr std::uint16_t kDeviceWrites = 2;
    memory_->descriptors[id] = {physical, bytes, device_writes ? kDeviceWrites : std::uint16_t{0}, 0};
    memory_->available.ring[offered_ % size_] = id;
    offered_++;
    memory_->available.index.store(offered_, std::memory_order_release);
}

void VirtQueue::notify() {
    std::atomic_thread_fence(std::memory_order_seq_cst); // what the device reads, before it is told
    *notify_ = number_;
}

std::uint32_t VirtQueue::take_used() {
    if (taken_ == memory_->used.index.load(std::memory_order_acquire)) return kNone;
    return memory_->used.ring[taken_++ % size_].id;
}

Result<> VirtioDevice::init(std::uint16_t modern_id, std::uint16_t transitional_id, std::uint32_t wanted) {
    constexpr std::uint8_t kCommand = 4;
    constexpr std::uint16_t kMemory = 2, kBusMaster = 4, kNoInterrupts = 1 << 10;
    const PciAddress at = TRY(pci_find(kVendor, modern_id, transitional_id));
    const Places places = TRY(find_places(at));
    pci_write16(at, kCommand,
                static_cast<std::uint16_t>(pci_read16(at, kCommand) | kMemory | kBusMaster | kNoInterrupts));
    common_ =
        static_cast<volatile std::uint8_t*>(TRY(arch::map_registers({places.common.physical}, places.common.bytes)));
    if (places.device.bytes != 0) {
        configuration_ = static_cast<volatile std::uint8_t*>(
            TRY(arch::map_registers({places.device.physical}, places.device.bytes)));
        configuration_bytes_ = places.device.bytes;
    }
    notify_physical_ = places.notify.physical;
    notify_bytes_ = places.notify.bytes;
    notify_multiplier_ = places.notify_multiplier;
    return negotiate(wanted);
}

Result<> VirtioDevice::negotiate(std::uint32_t wanted) { // 3.1.1
    constexpr std::uint32_t kVersion1 = 1;               // bit 32
    write<std::uint8_t>(common_, device_status, 0);
    for (int polls = 0; read<std::uint8_t>(common_, device_status) != 0; polls++) {
        if (polls == 1'000'000) return fail(Error::device);
    }
    write<std::uint8_t>(common_, device_status, kAcknowledge | kDriver);
    write<std::uint32_t>(common_, device_feature_select, 0);
    features_ = read<std::uint32_t>(common_, device_feature) & wanted;
    write<std::uint32_t>(common_, device_feature_select, 1);
    if ((read<std::uint32_t>(common_, device_feature) & kVersion1) == 0) return fail(Error::device);
    write<std::uint32_t>(common_, driver_feature_select, 0);
    write<std::uint32_t>(common_, driver_feature, features_);
    write<std::uint32_t>(common_, driver_feature_select, 1);
    write<std::uint32_t>(common_, driver_feature, kVersion1);
    write<std::uint8_t>(common_, device_status, kAcknowledge | kDriver | kFeaturesOk);
    if ((read<std::uint8_t>(common_, device_status) & kFeaturesOk) == 0) {
        failed();
        return fail(Error::device);
    }
    return {};
}

Result<> VirtioDevice::start_queue(VirtQueue& queue, std::uint16_t number) { // 4.1.5.1.3
    static_assert(sizeof(VirtQueue::Memory) <= mm::kPageSize);
    using Memory = VirtQueue::Memory;
    write<std::uint16_t>(common_, queue_select, number);
    const std::uint16_t most = read<std::uint16_t>(common_, queue_size); // a power of two (2.6); 0: no such queue
    if (most < 4 || !is_power_of_two(most)) return fail(Error::device);
    queue.size_ = std::min<std::uint16_t>(most, VirtQueue::kSize);
    const std::uint64_t offset = std::uint64_t{read<std::uint16_t>(common_, queue_notify_offset)} * notify_multiplier_;
    if (!range_fits(offset, 2, notify_bytes_)) return fail(Error::device);
    queue.notify_ = static_cast<volatile std::uint16_t*>(TRY(arch::map_registers({notify_physical_ + offset}, 2)));
    queue.number_ = number;

    const arch::PhysAddr page = TRY(mm::allocate_frames(0));
    mm::zero_frame(page);
    // SAFETY: a zeroed frame of its own; the device accesses it by its physical address, and x86 keeps caches coherent.
    queue.memory_ = static_cast<Memory*>(arch::physmap(page));
    queue.memory_->available.flags = 1; // no interrupts
    write<std::uint16_t>(common_, queue_size, queue.size_);
    write<std::uint16_t>(common_, queue_vector, 0xffff);
    write64(common_, queue_descriptors, page.value + offsetof(Memory, descriptors));
    write64(common_, queue_driver, page.value + offsetof(Memory, available));
    write64(common_, queue_device, page.value + offsetof(Memory, used));
    write<std::uint16_t>(common_, queue_enable, 1);
    return {};
}

std::uint32_t VirtioDevice::configuration32(unsigned offset) const {
    if (!range_fits(offset, 4, configuration_bytes_)) return 0;
    return read<std::uint32_t>(configuration_, offset);
}

void VirtioDevice::ready() {
    write<std::uint8_t>(common_, device_status, kAcknowledge | kDriver | kFeaturesOk | kDriverOk);
}

void VirtioDevice::failed() { write<std::uint8_t>(common_, device_status, kFailed); }

} // namespace aios::dev
