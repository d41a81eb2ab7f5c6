// Vectors of the semantic space as they lie in an index: a scale (float) and one signed byte for each dimension, value
// = scale * byte. An eighth of a percent of precision is lost, and products are integers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace aios::memory {

// Bytes of one vector. `dimensions` is a multiple of 4; none for 0.
[[nodiscard]] constexpr std::size_t vector_bytes(std::uint32_t dimensions) {
    return dimensions == 0 ? 0 : sizeof(float) + dimensions;
}

// Appends `values`. A vector with a value that is not finite (from a damaged index), or all but zero, becomes zero.
inline void append_vector(std::vector<std::byte>& out, std::span<const float> values) {
    constexpr float smallest = 1e-30F;
    constexpr float steps = 127;
    float largest = 0;
    bool finite = true;
    for (const float value : values) {
        largest = std::max(largest, std::fabs(value));
        finite = finite && std::isfinite(value);
    }
    const float scale = finite && largest > smallest ? largest / steps : 0;
    const Bytes scale_bytes = std::as_bytes(std::span(&scale, 1));
    out.insert(out.end(), scale_bytes.begin(), scale_bytes.end());
    for (const float value : values) {
        const float step = scale > 0 ? std::clamp(std::nearbyint(value / scale), -steps, steps) : 0;
        out.push_back(static_cast<std::byte>(static_cast<std::int8_t>(step)));
    }
}

// The product of two byte vectors; what one has more than the other counts as zero.
[[nodiscard]] inline std::int32_t byte_product(Bytes a, Bytes b) {
    std::int32_t sum = 0;
    const std::size_t size = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < size; ++i) {
        sum += static_cast<std::int32_t>(static_cast<std::int8_t>(a[i])) * static_cast<std::int8_t>(b[i]);
    }
    return sum;
}

} // namespace aios::memory
