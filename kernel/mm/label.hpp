// Label: what a mapping is called. The address space keeps it with the area and gives it no meaning; whoever maps a file
// says which one it was (personality/linux), and asks for it when somebody wants a list of mappings.
#pragma once

#include "base/ref.hpp"

namespace aios::mm {

class Label {
public:
    virtual void retain() = 0;
    virtual void release() = 0; // under the lock of an address space

protected:
    ~Label() = default;
};

} // namespace aios::mm
