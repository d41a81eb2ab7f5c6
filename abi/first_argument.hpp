// What calls.def says of a call's first argument: the object that its handle names. `none`: it is no handle; `any`: of all
// types. These two rows are not checked by the prologue of a call.
#pragma once

#include "abi/rights.hpp"

namespace aios {

enum class FirstArgument : std::uint8_t {
    none,
    any,
#define OBJECT(name, number, sentence) name,
#include "abi/objects.def"
#undef OBJECT
};
constexpr ObjectType type_of(FirstArgument object) {
    switch (object) {
    case FirstArgument::none:
    case FirstArgument::any:
        return ObjectType::any;
#define OBJECT(name, number, sentence)                                                                                 \
    case FirstArgument::name:                                                                                          \
        return ObjectType::name;
#include "abi/objects.def"
#undef OBJECT
    }
    return ObjectType::any;
}

} // namespace aios
