// What a processor must have, or the kernel refuses it with a sentence before it has touched anything. Runs before
// relocation too: no pointers in tables.
#pragma once

#include <cstdint>
#include <string_view>

namespace aios::arch::x86 {

// What the first feature that is missing is called, or "" if all are there.
[[nodiscard]] std::string_view missing_feature();

// The end of a boot that has no kernel yet: kRefusal and the sentence, in two parts, on the serial line, and exit
// status `refused`.
[[noreturn]] void refuse_early(std::string_view first, std::string_view second = {});

} // namespace aios::arch::x86
