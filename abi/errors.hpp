// Error codes shared by the kernel, services, personality and host tools. The table is errors.def; this header turns it
// into an enum and look-up functions. Nothing here allocates or fails.
#pragma once

#include <cstdint>
#include <string_view>

namespace aios {

enum class Error : std::uint16_t {
#define ERROR(name, number, retry, fault, sentence) name = number,
#include "abi/errors.def"
#undef ERROR
};

enum class Fault : std::uint8_t { caller, callee, system };

struct ErrorInfo {
    std::string_view name;
    bool can_retry;
    Fault fault;
    std::string_view sentence;
};

// Everything the taxonomy says about `error`.
[[nodiscard]] constexpr ErrorInfo error_info(Error error) {
    constexpr bool yes = true;
    constexpr bool no = false;
    switch (error) {
#define ERROR(name, number, retry, fault, sentence)                                                                    \
    case Error::name:                                                                                                  \
        return {{#name, sizeof(#name) - 1}, retry, Fault::fault, {sentence, sizeof(sentence) - 1}};
#include "abi/errors.def"
#undef ERROR
    }
    (void)yes;
    (void)no;
    using namespace std::string_view_literals; // no strlen at run time: a freestanding program need not have one
    return {"unknown"sv, false, Fault::system, "an error code that this version does not know"sv};
}

// True if `number` is a code of the table: what a program does before it trusts a number from outside.
[[nodiscard]] constexpr bool is_error_number(std::uint64_t number) {
    switch (number) {
#define ERROR(name, number, retry, fault, sentence) case number:
#include "abi/errors.def"
#undef ERROR
        return true;
    default:
        return false;
    }
}

} // namespace aios
