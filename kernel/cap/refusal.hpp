// Why a capability was refused, with what the audit log will say of it: the error, and what was asked for. A lookup answers
// Permitted<Checked<T>>, and its refusal travels up as it is, through TRY, to whoever knows the call and records it
// (audit::refused): no caller says again what was asked for. A Refusal is made from a plain Error where no capability was
// looked at; what was asked for is then what the call's own row says.
#pragma once

#include <optional>

#include "abi/rights.hpp"
#include "base/result.hpp"

namespace aios::cap {

struct Asked {
    ObjectType type; // any: whatever it is
    Rights rights;
};

class Refusal {
public:
    constexpr Refusal(Error error) : error_(error) {}
    constexpr Refusal(Error error, Asked asked)
        : error_(error), of_check_(true), type_(asked.type), rights_(asked.rights) {}
    constexpr operator Error() const { return error_; }
    [[nodiscard]] constexpr std::optional<Asked> asked() const {
        return of_check_ ? std::optional(Asked{type_, rights_}) : std::nullopt;
    }
    // Whether somebody asked for what he was not handed; other errors are no matter of authority.
    [[nodiscard]] constexpr bool is_of_authority() const {
        return error_ == Error::bad_handle || error_ == Error::wrong_type || error_ == Error::missing_right ||
               error_ == Error::revoked;
    }

private: // 8 bytes together, so that an answer travels in registers
    Error error_;
    bool of_check_ = false;
    ObjectType type_ = ObjectType::any;
    Rights rights_;
};
static_assert(sizeof(Refusal) == 8);

// What needs a capability answers a value or a Refusal.
template <typename T = void>
using Permitted = Expected<T, Refusal>;

[[nodiscard]] constexpr std::unexpected<Refusal> refuse(Error error, Asked asked) {
    return std::unexpected(Refusal(error, asked));
}

} // namespace aios::cap
