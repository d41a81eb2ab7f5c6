#include "kernel/fs/manifest.hpp"

#include "kernel/mm/mm.hpp"

namespace aios::fs {

Manifest::~Manifest() { mm::heap_free(room_); }

Result<> Manifest::parse(Bytes data, std::uint64_t data_pages) {
    AIOS_ASSERT(room_ == nullptr);
    const std::uint32_t nodes = TRY(nodes_of(data));
    room_ = static_cast<std::uint32_t*>(mm::heap_allocate(nodes * sizeof(std::uint32_t)));
    if (room_ == nullptr) return fail(Error::out_of_memory);
    return ManifestTable::parse(data, data_pages, {room_, nodes});
}

} // namespace aios::fs
