// How the host program reports failure: an exit status and one sentence for the user. Outcome<T> is a value or such a
// failure; HOST_TRY(x) yields the value or returns the failure to the caller.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "base/result.hpp"

namespace aios::host {

// The exit statuses of the `aios` command, as documented in README.md.
enum class Exit : int {
    well = 0,
    differs = 1,       // a check was made, and says no
    wrong_use = 2,     // of the command line
    bad_input = 3,     // documents, questions or files that cannot be used
    host_missing = 4,  // a program, package or resource of this machine
    failed_inside = 5, // the run failed inside AIOS
    out_of_time = 6,
};

struct Failure {
    Exit exit;
    std::string sentence; // without "aios: " and newline
};

template <typename T = void>
using Outcome = std::expected<T, Failure>;

[[nodiscard]] inline std::unexpected<Failure> failure(Exit exit, std::string sentence) {
    return std::unexpected<Failure>(Failure{exit, std::move(sentence)});
}

} // namespace aios::host

// As TRY, for Outcome.
#define HOST_TRY(expression)                                                                                           \
    ({                                                                                                                 \
        auto&& host_try_result_ = (expression);                                                                        \
        if (!host_try_result_.has_value()) [[unlikely]]                                                                \
            return std::unexpected<::aios::host::Failure>(std::move(host_try_result_.error()));                        \
        ::aios::detail::take_value(std::move(host_try_result_));                                                       \
    })
