// Virtio on registers in memory (virtio 1.1 section 4.2), as micro-VMs without PCI have it. Such a machine names places
// for many devices, most of them empty: a place whose device has another kind, or none, is passed over. Only the
// interface of version 1.0 and later is spoken; a legacy one, which QEMU shows unless virtio-mmio.force-legacy=off, is
// refused. SAFETY: the places are those that the machine named for such devices (platform.hpp).
#include "kernel/arch/log.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/dev/platform.hpp"
#include "kernel/dev/virtio_registers.hpp"
#include "kernel/dev/virtio_transport.hpp"

namespace aios::dev {
namespace {

// 4.2.2. All are 32 bits wide.
enum Register : unsigned {
    magic_value = 0x000,
    version = 0x004,
    device_kind = 0x008,
    device_feature = 0x010,
    device_feature_select = 0x014,
    driver_feature = 0x020,
    driver_feature_select = 0x024,
    queue_select = 0x030,
    queue_most = 0x034,
    queue_size = 0x038,
    queue_ready = 0x044,
    queue_notify = 0x050,
    device_status = 0x070,
    queue_descriptors = 0x080,
    queue_driver = 0x090,
    queue_device = 0x0a0,
    configuration = 0x100,
};
constexpr std::uint32_t kMagic = 0x7472'6976; // "virt"
constexpr std::uint32_t kModern = 2;

class VirtioMmio final : public VirtioTransport {
public:
    VirtioMmio() = default;
    VirtioMmio(volatile std::uint8_t* base, std::uint64_t bytes) : base_(base), bytes_(bytes) {}

    std::uint8_t status() override { return static_cast<std::uint8_t>(get(device_status)); }
    void set_status(std::uint8_t value) override { set(device_status, value); }
    std::uint32_t device_features(std::uint32_t word) override {
        set(device_feature_select, word);
        return get(device_feature);
    }
    void set_driver_features(std::uint32_t word, std::uint32_t value) override {
        set(driver_feature_select, word);
        set(driver_feature, value);
    }
    std::uint32_t configuration32(unsigned offset) override {
        if (offset > bytes_ - configuration || bytes_ - configuration - offset < 4) return 0;
        return read_register<std::uint32_t>(base_, configuration + offset);
    }
    std::uint32_t queue_limit(std::uint16_t queue) override {
        set(queue_select, queue);
        return get(queue_ready) == 0 ? get(queue_most) : 0; // 4.2.3.2: one that is in use already is not ours
    }
    Result<volatile void*> queue_bell(std::uint16_t) override { return base_ + queue_notify; }
    void start_queue(std::uint16_t queue, std::uint16_t size, const QueueMemory& memory) override {
        set(queue_select, queue);
        set(queue_size, size);
        set64(queue_descriptors, memory.descriptors);
        set64(queue_driver, memory.available);
        set64(queue_device, memory.used);
        set(queue_ready, 1);
    }
    void ring(volatile void* bell, std::uint16_t queue) override {
        *static_cast<volatile std::uint32_t*>(bell) = queue;
    }

    [[nodiscard]] bool is_virtio() const { return get(magic_value) == kMagic; }
    [[nodiscard]] bool is_modern() const { return get(version) == kModern; }
    [[nodiscard]] std::uint32_t kind() const { return get(device_kind); } // 0: none

private:
    [[nodiscard]] std::uint32_t get(Register place) const { return read_register<std::uint32_t>(base_, place); }
    void set(Register place, std::uint32_t value) { write_register(base_, place, value); }
    void set64(Register place, std::uint64_t value) {
        write_register(base_, place, static_cast<std::uint32_t>(value));
        write_register(base_, place + 4u, static_cast<std::uint32_t>(value >> 32));
    }
    volatile std::uint8_t* base_ = nullptr;
    std::uint64_t bytes_ = configuration;
};

constinit VirtioMmio device;

} // namespace

Result<VirtioTransport*> find_virtio_mmio(std::uint16_t kind) {
    for (const VirtioPlace& place : platform().virtio) {
        auto* base = static_cast<volatile std::uint8_t*>(TRY(arch::map_registers({place.base}, place.bytes)));
        VirtioMmio candidate(base, place.bytes);
        if (!candidate.is_virtio() || candidate.kind() != kind) continue;
        if (!candidate.is_modern()) {
            log(LogLevel::warning,
                "the virtio device at {:x} has the legacy interface alone (QEMU: -global "
                "virtio-mmio.force-legacy=off)",
                place.base);
            return fail(Error::unsupported);
        }
        device = candidate;
        return &device;
    }
    return fail(Error::not_found);
}

} // namespace aios::dev
