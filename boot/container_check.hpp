// Checks the header page of a container (container.hpp) before anything is read through it. Looks at offsets and sizes
// alone: manifests and data are checked against their hashes by the kernel, at first use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "boot/container.hpp"

namespace aios::boot {

inline constexpr std::size_t kContainerPage = 4096;

// `page`: the start of the container (at least its first page if it has one); `available_bytes`: how many bytes the
// file or module has. Returns the header; total_bytes is then at most available_bytes (what follows it is not part of
// the container), every part is page aligned, lies behind the header page and inside total_bytes, and no two parts
// share a byte. An empty part may have any offset. Errors: truncated (fewer bytes than promised), bad_format (wrong
// magic or a bad offset), unsupported (version).
[[nodiscard]] Result<ContainerHeader> container_header_check(std::span<const std::uint8_t> page,
                                                             std::uint64_t available_bytes);

} // namespace aios::boot
