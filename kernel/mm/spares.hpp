// Spares: areas made and charged before the first visible change, so that nothing can fail after it. Those that were
// not needed are freed at the end.
#pragma once

#include "kernel/mm/address_space.hpp"

namespace aios::mm {

class AddressSpace::Spares {
public:
    explicit Spares(AddressSpace& space) : space_(space) {}
    Spares(const Spares&) = delete;
    ~Spares() {
        while (count_ != 0)
            space_.destroy_area(*areas_[--count_]);
    }
    // no_space when the space would get too many areas.
    Result<> add(unsigned count) {
        space_.mutex_.assert_held();
        if (space_.areas_.size() + count_ + count > kMaxAreas) return fail(Error::no_space);
        for (; count != 0; --count) {
            areas_[count_] = TRY(space_.make_area());
            ++count_;
        }
        return {};
    }
    [[nodiscard]] Area& take() {
        AIOS_ASSERT(count_ != 0);
        return *areas_[--count_];
    }

private:
    AddressSpace& space_;
    unsigned count_ = 0;
    Area* areas_[4];
};

} // namespace aios::mm
