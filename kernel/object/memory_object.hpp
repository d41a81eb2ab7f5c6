// MemoryObject: Pages behind a handle (ObjectType::memory). The object is charged to whoever made it; its contents to
// the payer of the Pages. A mapping names the derivation node that it was made under (mm/authority.hpp), and goes when
// that is revoked or its handle closed: then nobody could revoke it any more. No lock of its own.
#pragma once

#include "kernel/mm/pages.hpp"
#include "kernel/mm/size_classes.hpp"
#include "kernel/object/object.hpp"

namespace aios {

class MemoryObject final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::memory;

    // quota_exceeded, out_of_memory.
    static Result<Ref<MemoryObject>> create(Payer& payer, Ref<mm::Pages> pages) {
        Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<MemoryObject>));
        return Ref<MemoryObject>::adopt(TRY(mm::make<MemoryObject>(std::move(charge), std::move(pages))));
    }
    [[nodiscard]] mm::Pages& pages() const { return *pages_; }
    [[nodiscard]] std::uint64_t info_size() const override { return pages_->bytes(); }

    MemoryObject(mm::OnHeap, Reservation charge, Ref<mm::Pages> pages)
        : Object(ObjectType::memory, std::move(charge)), pages_(std::move(pages)) {}
    ~MemoryObject() override = default;

private:
    const Ref<mm::Pages> pages_;
};

} // namespace aios
