// See virtio.hpp. Section numbers are those of virtio 1.1.
#include "kernel/dev/virtio.hpp"

#include <algorithm>

#include "base/bits.hpp"
#include "kernel/arch/machine.hpp"
#include "kernel/mm/mm.hpp"

namespace aios::dev {
namespace {

constexpr std::uint8_t kAcknowledge = 1, kDriver = 2, kDriverOk = 4, kFeaturesOk = 8, kFailed = 128;

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
        Used ring[kSize];
        std::uint16_t event;
    } used;
};

void VirtQueue::offer(std::uint16_t id, std::uint64_t physical, std::uint32_t bytes, Access access) {
    constexpr std::uint16_t kWrite = 2; // 2.6.5
    const std::uint16_t flags = access == Access::device_writes ? kWrite : 0;
    memory_->descriptors[id] = {physical, bytes, flags, 0};
    memory_->available.ring[offered_ % size_] = id;
    ++offered_;
    memory_->available.index.store(offered_, std::memory_order_release);
}

void VirtQueue::notify() {
    std::atomic_thread_fence(std::memory_order_seq_cst); // what the device reads, before it is told
    transport_->ring(bell_, number_);
}

VirtQueue::Used VirtQueue::take_used() {
    if (taken_ == memory_->used.index.load(std::memory_order_acquire)) return {kNone, 0};
    return memory_->used.ring[taken_++ % size_];
}

Result<> VirtioDevice::init(std::uint16_t kind, std::uint32_t wanted) {
    auto found = find_virtio_pci(kind);
    if (!found && found.error() == Error::not_found) found = find_virtio_mmio(kind);
    transport_ = TRY(found);
    return negotiate(wanted);
}

Result<> VirtioDevice::negotiate(std::uint32_t wanted) { // 3.1.1
    constexpr std::uint32_t kVersion1 = 1;               // bit 32
    transport_->set_status(0);
    for (int polls = 0; transport_->status() != 0; ++polls) {
        if (polls == 1'000'000) return fail(Error::device);
    }
    transport_->set_status(kAcknowledge | kDriver);
    features_ = transport_->device_features(0) & wanted;
    if ((transport_->device_features(1) & kVersion1) == 0) return fail(Error::device);
    transport_->set_driver_features(0, features_);
    transport_->set_driver_features(1, kVersion1);
    transport_->set_status(kAcknowledge | kDriver | kFeaturesOk);
    if ((transport_->status() & kFeaturesOk) == 0) {
        failed();
        return fail(Error::device);
    }
    return {};
}

Result<> VirtioDevice::start_queue(VirtQueue& queue, std::uint16_t number) {
    static_assert(sizeof(VirtQueue::Memory) <= mm::kPageSize);
    using Memory = VirtQueue::Memory;
    const std::uint32_t most = transport_->queue_limit(number); // a power of two (2.6); 0: no such queue
    if (most < 4 || most > 32768 || !is_power_of_two(most)) return fail(Error::device);
    queue.size_ = static_cast<std::uint16_t>(std::min<std::uint32_t>(most, VirtQueue::kSize));
    queue.bell_ = TRY(transport_->queue_bell(number));
    queue.transport_ = transport_;
    queue.number_ = number;

    const arch::PhysAddr page = TRY(mm::allocate_frames(0));
    mm::zero_frame(page);
    // SAFETY: a zeroed frame of its own; the device accesses it by its physical address, and x86 keeps caches coherent.
    queue.memory_ = static_cast<Memory*>(arch::physmap(page));
    queue.memory_->available.flags = 1; // no interrupts
    transport_->start_queue(number, queue.size_,
                            {page.value + offsetof(Memory, descriptors), page.value + offsetof(Memory, available),
                             page.value + offsetof(Memory, used)});
    return {};
}

std::uint32_t VirtioDevice::configuration32(unsigned offset) const { return transport_->configuration32(offset); }

void VirtioDevice::ready() { transport_->set_status(kAcknowledge | kDriver | kFeaturesOk | kDriverOk); }

void VirtioDevice::failed() {
    if (transport_ != nullptr) transport_->set_status(kFailed);
}

} // namespace aios::dev
