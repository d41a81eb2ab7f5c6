// DeviceResource: the kernel object behind a `device` handle: which device a capability is about. It holds no driver
// state; the calls that take it (kernel/syscall) do the work. A `registers` resource carries its physical range: what
// PageMap may map.
#pragma once

#include "kernel/mm/size_classes.hpp"
#include "kernel/object/object.hpp"

namespace aios {

enum class DeviceKind : std::uint8_t {
    console,   // console_write
    host_port, // host_send
    power,     // node_power
    frames,    // FrameAlloc: contiguous memory; no bus mastering is granted with it (there is no IOMMU driver)
    registers, // PageMap: a range of registers
};

class DeviceResource final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::device;
    struct Range {
        arch::PhysAddr base;
        std::uint64_t bytes;
        bool writable;
    };
    static constexpr Range kNoRange{{}, 0, false};
    static Result<Ref<DeviceResource>> create(Payer& payer, DeviceKind kind, const Range& range = kNoRange) {
        Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<DeviceResource>));
        return Ref<DeviceResource>::adopt(TRY(mm::make<DeviceResource>(std::move(charge), kind, range)));
    }
    [[nodiscard]] DeviceKind kind() const { return kind_; }
    [[nodiscard]] const Range& range() const { return range_; }
    // What handle_info says: the bytes of a range of registers, and the free bytes of the node to whoever holds its frames.
    [[nodiscard]] std::uint64_t info_size() const override {
        return kind_ == DeviceKind::frames ? mm::frame_counts().free * mm::kPageSize : range_.bytes;
    }

    DeviceResource(mm::OnHeap, Reservation charge, DeviceKind kind, const Range& range)
        : Object(kType, std::move(charge)), kind_(kind), range_(range) {}
    ~DeviceResource() override = default;

private:
    const DeviceKind kind_;
    const Range range_;
};

} // namespace aios
