// LogView: the kernel object behind a `log` handle. There is one log; a view is only the authority to read it.
#pragma once

#include "kernel/mm/size_classes.hpp"
#include "kernel/object/object.hpp"

namespace aios {

class LogView final : public Object {
public:
    static constexpr ObjectType kType = ObjectType::log;
    static Result<Ref<LogView>> create(Payer& payer) {
        Reservation charge = TRY(Reservation::make(payer, Resource::memory, mm::cost_of<LogView>));
        return Ref<LogView>::adopt(TRY(mm::make<LogView>(std::move(charge))));
    }

    LogView(mm::OnHeap, Reservation charge) : Object(kType, std::move(charge)) {}
    ~LogView() override = default;

private:
};

} // namespace aios
