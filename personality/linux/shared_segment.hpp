// One segment of System V shared memory; see system_v.hpp. Its memory lives as long as the segment and all that is attached;
// each attached mapping bears the segment's label, so that shmdt knows it again and it can be counted.
#pragma once

#include "kernel/mm/pages.hpp"
#include "personality/linux/file_label.hpp"
#include "personality/linux/system_v.hpp"

namespace aios::linux_abi {

struct SegmentState { // struct shmid64_ds
    IpcPermission permission;
    std::uint64_t bytes;
    std::int64_t attached, detached, changed;
    std::int32_t creator, last;
    std::uint64_t mappings, reserved[2];
};
static_assert(sizeof(SegmentState) == 112);

struct SharedSegment final : IpcThing {
    SharedSegment(mm::OnHeap, Reservation reservation, Ref<mm::Pages> memory, Ref<FileLabel> mark, std::uint64_t size,
                  std::int32_t pid)
        : IpcThing(std::move(reservation)), pages(std::move(memory)), label(std::move(mark)), bytes(size),
          creator(pid) {}
    ~SharedSegment() = default;
    void retain() { references.retain(); }
    void release() {
        if (references.release()) mm::destroy(this);
    }
    // Mappings that are there: the segment has one reference to the label. One that was split counts as often.
    [[nodiscard]] std::uint64_t mappings() const { return label->references() - 1; }
    const Ref<mm::Pages> pages;
    const Ref<FileLabel> label;
    const std::uint64_t bytes;
    const std::int32_t creator;
    std::int32_t last = 0;
    std::int64_t attached = 0, detached = 0; // seconds
};

} // namespace aios::linux_abi
