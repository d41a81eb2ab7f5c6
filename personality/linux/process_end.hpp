// The end of a process, for those who wait for it by a descriptor (process_file.hpp): made with the first of them. The table's
// entry of the process holds it, and so does each descriptor.
#pragma once

#include "base/ref.hpp"
#include "kernel/mm/payer.hpp"
#include "kernel/object/source.hpp"

namespace aios::linux_abi {

struct ProcessEnd {
    explicit ProcessEnd(Reservation reservation) : charge(std::move(reservation)) {}
    ~ProcessEnd() = default;
    void retain() { references.retain(); }
    void release() {
        if (references.release()) mm::destroy(this);
    }
    RefCount references;
    Reservation charge;
    event::Source source; // `readable` once it has ended
};

} // namespace aios::linux_abi
