// Virtio on PCI, modern interface. Section numbers are those of virtio 1.1.
#include "base/checked.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/dev/pci.hpp"
#include "kernel/dev/virtio_registers.hpp"
#include "kernel/dev/virtio_transport.hpp"

namespace aios::dev {
namespace {

constexpr std::uint16_t kVendor = 0x1af4;
constexpr std::uint16_t kModernIds = 0x1040; // and the kind (4.1.2)
constexpr std::uint16_t transitional_id(std::uint16_t kind) { return kind == 3 ? 0x1003 : 0xffff; } // a console's alone

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

void write64(volatile std::uint8_t* base, unsigned offset, std::uint64_t value) {
    write_register<std::uint32_t>(base, offset, static_cast<std::uint32_t>(value));
    write_register<std::uint32_t>(base, offset + 4, static_cast<std::uint32_t>(value >> 32));
}

struct Place { // of a structure in the device's memory
    std::uint64_t physical = 0;
    std::uint32_t bytes = 0;
};
struct Places { // 4.1.4
    Place common, notify, device;
    std::uint32_t notify_multiplier = 0;
};

// struct virtio_pci_cap and virtio_pci_notify_cap (4.1.4): offsets from the capability, and types.
enum Capability : std::uint8_t {
    capability_type = 3,
    capability_bar = 4,
    capability_offset = 8,
    capability_length = 12,
    capability_multiplier = 16
};
enum class PlaceType : std::uint8_t { common = 1, notify = 2, device = 4 };

constexpr std::uint8_t operator+(std::uint8_t capability, Capability field) {
    return static_cast<std::uint8_t>(unsigned{capability} + static_cast<unsigned>(field));
}

Result<Place> place_of(PciAddress at, std::uint8_t capability) {
    const std::uint8_t bar = pci_read8(at, capability + capability_bar);
    const std::uint32_t offset = pci_read32(at, capability + capability_offset);
    const std::uint32_t bytes = pci_read32(at, capability + capability_length);
    return Place{TRY(pci_memory_bar(at, bar)) + offset, bytes};
}

Result<> note_place(PciAddress at, std::uint8_t capability, Places& found) {
    const auto type = static_cast<PlaceType>(pci_read8(at, capability + capability_type));
    // The first of each type is meant.
    if (type == PlaceType::common && found.common.bytes == 0) found.common = TRY(place_of(at, capability));
    if (type == PlaceType::device && found.device.bytes == 0) found.device = TRY(place_of(at, capability));
    if (type == PlaceType::notify && found.notify.bytes == 0) {
        found.notify = TRY(place_of(at, capability));
        found.notify_multiplier = pci_read32(at, capability + capability_multiplier);
    }
    return {};
}

Result<Places> find_places(PciAddress at) {
    constexpr std::uint8_t kAligned = 0xfc;
    if ((pci_read16(at, pci::kStatus) & pci::kHasCapabilities) == 0) return fail(Error::device);
    Places found;
    std::uint8_t capability = pci_read8(at, pci::kCapabilities) & kAligned;
    for (int left = pci::kMostCapabilities; capability != 0 && left != 0; --left) {
        if (pci_read8(at, capability) == pci::kVendorSpecific) TRY(note_place(at, capability, found));
        capability = pci_read8(at, static_cast<std::uint8_t>(capability + pci::kNextCapability)) & kAligned;
    }
    if (found.common.bytes < common_bytes || found.notify.bytes < 2) return fail(Error::device);
    return found;
}

class VirtioPci final : public VirtioTransport {
public:
    Result<> init(std::uint16_t kind);
    std::uint8_t status() override { return read_register<std::uint8_t>(common_, device_status); }
    void set_status(std::uint8_t value) override { write_register(common_, device_status, value); }
    std::uint32_t device_features(std::uint32_t word) override {
        write_register(common_, device_feature_select, word);
        return read_register<std::uint32_t>(common_, device_feature);
    }
    void set_driver_features(std::uint32_t word, std::uint32_t value) override {
        write_register(common_, driver_feature_select, word);
        write_register(common_, driver_feature, value);
    }
    std::uint32_t configuration32(unsigned offset) override {
        if (!range_fits(offset, 4, configuration_bytes_)) return 0;
        return read_register<std::uint32_t>(configuration_, offset);
    }
    std::uint32_t queue_limit(std::uint16_t queue) override {
        write_register(common_, queue_select, queue);
        return read_register<std::uint16_t>(common_, queue_size);
    }
    Result<volatile void*> queue_bell(std::uint16_t queue) override;
    void start_queue(std::uint16_t queue, std::uint16_t size, const QueueMemory& memory) override;
    void ring(volatile void* bell, std::uint16_t queue) override {
        *static_cast<volatile std::uint16_t*>(bell) = queue;
    }

private:
    volatile std::uint8_t* common_ = nullptr;
    volatile std::uint8_t* configuration_ = nullptr;
    std::uint32_t configuration_bytes_ = 0;
    std::uint64_t notify_physical_ = 0;
    std::uint32_t notify_bytes_ = 0, notify_multiplier_ = 0;
};

Result<> VirtioPci::init(std::uint16_t kind) {
    const PciAddress at = TRY(pci_find(kVendor, static_cast<std::uint16_t>(kModernIds + kind), transitional_id(kind)));
    const Places places = TRY(find_places(at));
    const unsigned command = pci_read16(at, pci::kCommand) | pci::kMemorySpace | pci::kBusMaster | pci::kNoInterrupts;
    pci_write16(at, pci::kCommand, static_cast<std::uint16_t>(command));
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
    return {};
}

Result<volatile void*> VirtioPci::queue_bell(std::uint16_t queue) { // 4.1.4.4
    write_register(common_, queue_select, queue);
    const std::uint64_t offset =
        std::uint64_t{read_register<std::uint16_t>(common_, queue_notify_offset)} * notify_multiplier_;
    if (!range_fits(offset, 2, notify_bytes_)) return fail(Error::device);
    return arch::map_registers({notify_physical_ + offset}, 2);
}

void VirtioPci::start_queue(std::uint16_t queue, std::uint16_t size, const QueueMemory& memory) { // 4.1.5.1.3
    write_register(common_, queue_select, queue);
    write_register(common_, queue_size, size);
    write_register<std::uint16_t>(common_, queue_vector, 0xffff);
    write64(common_, queue_descriptors, memory.descriptors);
    write64(common_, queue_driver, memory.available);
    write64(common_, queue_device, memory.used);
    write_register<std::uint16_t>(common_, queue_enable, 1);
}

constinit VirtioPci device;

} // namespace

Result<VirtioTransport*> find_virtio_pci(std::uint16_t kind) {
    TRY(device.init(kind));
    return &device;
}

} // namespace aios::dev
