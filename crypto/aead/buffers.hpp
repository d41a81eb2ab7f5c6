// The rules for buffers that both AEADs share, checked before anything is read or written:
//   - input and output have one length (bad_argument) within the standard's limit (too_large);
//   - they are the same memory (in place) or do not touch each other (bad_argument): with a partial overlap an output
//     block would overwrite input that is still to be read;
//   - associated data does not lie in the output (bad_argument): the receiver could not be given what was sealed.
#pragma once

#include <bit>
#include <cstdint>

#include "base/result.hpp"
#include "base/types.hpp"

namespace aios::crypto::detail {

[[nodiscard]] inline bool overlap(Bytes a, Bytes b) {
    const auto first = std::bit_cast<std::uintptr_t>(a.data());
    const auto second = std::bit_cast<std::uintptr_t>(b.data());
    return first < second + b.size() && second < first + a.size() && !a.empty() && !b.empty();
}

[[nodiscard]] inline Result<> check_buffers(Bytes aad, Bytes input, Bytes output, std::uint64_t max_aad,
                                            std::uint64_t max_text) {
    if (input.size() != output.size()) return fail(Error::bad_argument);
    if (input.size() > max_text || aad.size() > max_aad) return fail(Error::too_large);
    if (input.data() != output.data() && overlap(input, output)) return fail(Error::bad_argument);
    if (overlap(aad, output)) return fail(Error::bad_argument);
    return {};
}

} // namespace aios::crypto::detail
